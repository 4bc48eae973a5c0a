"""Where a database is, for each of the libraries that use it."""

from pathlib import Path

import pytest
import sqlalchemy as sa

from app.adapters.storage.location import DatabaseLocation
from app.domain.errors import StartupFailed

SECRET = "p@ss/word"


@pytest.mark.parametrize("scheme", ["postgres", "postgresql", "postgresql+psycopg"])
def test_every_usual_scheme_of_postgresql_is_understood(scheme: str):
    location = DatabaseLocation.of_url(f"{scheme}://me:p%40ss%2Fword@db:6432/x?sslmode=require")

    url = sa.make_url(location.url)
    assert (url.drivername, url.password, url.port) == ("postgresql+psycopg", SECRET, 6432)
    assert location.conninfo == "postgresql://me:p%40ss%2Fword@db:6432/x?sslmode=require"
    assert location.is_postgres
    assert location.path is None


def test_a_location_can_be_printed_without_its_password():
    location = DatabaseLocation.of_url("postgresql://me:p%40ss%2Fword@db/incidents")

    assert location.name == "PostgreSQL at db:5432, database incidents"
    assert "ss" not in repr(location).removeprefix("DatabaseLocation")


def test_a_file_is_no_server(tmp_path: Path):
    location = DatabaseLocation.of_file(tmp_path / "w ?.sqlite")

    assert not location.is_postgres
    assert sa.make_url(location.url).database == str(tmp_path / "w ?.sqlite")
    assert location.name == str(tmp_path / "w ?.sqlite")


@pytest.mark.parametrize(
    "url",
    [
        "mysql://me:secret@db/x",
        "sqlite:///file",
        "me:secret@db",
        "postgresql://me:secret@db:port/x",
        "secret",
        "",
    ],
)
def test_other_urls_are_refused_without_being_repeated(url: str):
    with pytest.raises(StartupFailed, match="DATABASE_URL must look like") as failure:
        DatabaseLocation.of_url(url)

    assert "secret" not in str(failure.value)
