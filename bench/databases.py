"""The databases that a measurement may run on."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.fakes.postgres import Postgres


@contextmanager
def database_settings(database: str) -> Iterator[dict[str, str]]:
    """What points processes to a fresh database."""
    if database == "sqlite":
        yield {}
        return
    with TemporaryDirectory(prefix="pg", dir="/tmp") as folder:
        cluster = Postgres(Path(folder))
        cluster.start()
        with cluster.database() as url:
            yield {"DATABASE_URL": url}
        cluster.stop()
