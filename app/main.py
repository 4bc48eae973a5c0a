"""The backend for any ASGI server."""

from app.api.application import create_app
from app.bootstrap.backend import open_services
from app.settings import read_settings

app = create_app(read_settings(), open_services)
