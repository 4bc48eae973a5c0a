"""Where a database is: a file of the data folder, or a database of a PostgreSQL server."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

import sqlalchemy as sa

from app.domain.errors import StartupFailed

SCHEMES = ("postgresql", "postgres", "postgresql+psycopg")


@dataclass(frozen=True, slots=True)
class DatabaseLocation:
    """One database, for each of the libraries that use it; only `name` may be printed."""

    url: str = field(repr=False)
    """For SQLAlchemy, and so for DBOS; it may hold a password."""
    name: str
    path: Path | None
    """The SQLite file; None for PostgreSQL."""

    @classmethod
    def of_file(cls, path: Path) -> Self:
        """An SQLite file."""
        url = sa.URL.create("sqlite", database=str(path.absolute()))
        return cls(url.render_as_string(hide_password=False), str(path), path)

    @classmethod
    def of_url(cls, url: str) -> Self:
        """A PostgreSQL database by its URL; raises StartupFailed without repeating the URL."""
        parsed = _parsed(url).set(drivername="postgresql+psycopg")
        host, port = parsed.host or "the local socket", parsed.port or 5432
        name = f"PostgreSQL at {host}:{port}, database {parsed.database or parsed.username}"
        return cls(parsed.render_as_string(hide_password=False), name, None)

    @property
    def is_postgres(self) -> bool:
        """Whether several hosts can share it."""
        return self.path is None

    @property
    def conninfo(self) -> str:
        """The URL as psycopg and PostgreSQL's own programs take it."""
        url = sa.make_url(self.url).set(drivername="postgresql")
        return url.render_as_string(hide_password=False)


def _parsed(url: str) -> sa.URL:
    try:
        parsed = sa.make_url(url)
    except (sa.exc.ArgumentError, ValueError):
        parsed = None
    if parsed is None or parsed.drivername not in SCHEMES:
        # The library's own words may repeat the URL, and with it the password.
        raise StartupFailed(
            "DATABASE_URL must look like postgresql://user:password@host:5432/database;"
            " leave it empty to keep everything in the data folder."
        )
    return parsed
