"""Where a test's database is, told to another process as a URL."""

from pathlib import Path

from app.adapters.storage.location import DatabaseLocation

SQLITE = "sqlite:///"


def location_of(url: str) -> DatabaseLocation:
    """A file by its SQLAlchemy URL, or a PostgreSQL database."""
    if url.startswith(SQLITE):
        return DatabaseLocation.of_file(Path(url.removeprefix(SQLITE)))
    return DatabaseLocation.of_url(url)
