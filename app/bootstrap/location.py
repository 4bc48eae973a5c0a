"""Which database the settings name."""

from app.adapters.storage.location import DatabaseLocation
from app.settings import Settings

WORKFLOW_FILE = "workflows.sqlite"
"""In the data folder: workflows, their events and everything that runs them."""


def database_location(settings: Settings) -> DatabaseLocation:
    """The PostgreSQL database, or the file in the data folder; raises StartupFailed."""
    if settings.database_url is None:
        return DatabaseLocation.of_file(settings.data_dir / WORKFLOW_FILE)
    return DatabaseLocation.of_url(settings.database_url.get_secret_value())
