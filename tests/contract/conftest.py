"""The databases on which a contract must hold."""

from pathlib import Path

import pytest

from app.adapters.storage.location import DatabaseLocation


@pytest.fixture(params=["sqlite", "postgres"])
def location(request: pytest.FixtureRequest, tmp_path: Path) -> DatabaseLocation:
    """A fresh one of either kind."""
    if request.param == "sqlite":
        return DatabaseLocation.of_file(tmp_path / "workflows.sqlite")
    return DatabaseLocation.of_url(request.getfixturevalue("postgres_url"))
