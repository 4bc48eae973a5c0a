"""The approval server in this process, behind a socket."""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import httpx

from app.api.approval_server import create_approval_app
from app.bootstrap.approvals import open_approval_services
from app.settings import Settings
from tests.fakes.servers import serving


@contextmanager
def approval_server(folder: Path, **values: object) -> Iterator[httpx.Client]:
    """The server over one data folder, and a client of it."""
    nobody = {"backend_webhook_url": "http://127.0.0.1:9/"}
    settings = Settings.model_validate({"data_dir": folder, **nobody, **values})
    app = create_approval_app(settings, partial(open_approval_services, settings))
    with serving(app) as url, httpx.Client(base_url=url, trust_env=False, timeout=10) as client:
        yield client
