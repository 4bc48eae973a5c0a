"""What routes ask for."""

from typing import Annotated

from fastapi import Depends, Request

from app.services import Services


def services(request: Request) -> Services:
    """The parts list, opened by the application's lifespan."""
    opened: Services = request.app.state.services
    return opened


Parts = Annotated[Services, Depends(services)]
