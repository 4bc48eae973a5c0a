"""The copy of a data folder: one moment of all its files, while they are written to."""

import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from app.adapters.storage.jsonl import LineFile
from app.adapters.storage.snapshot import copy_in_use
from tests.fakes.servers import REPOSITORY

DATABASES = ("workflows.sqlite", "approvals.sqlite")
LINES = Path("feedback") / "remediation_feedback.jsonl"
COPIES = 25
WRITER = """
import select, sqlite3, sys
from pathlib import Path
from app.adapters.storage.jsonl import LineFile

*names, path = sys.argv[1:]
databases = [sqlite3.connect(name, 10, isolation_level=None) for name in names]
for database in databases:
    database.execute("PRAGMA synchronous=OFF")
lines, number = LineFile(Path(path)), 0
while not select.select([sys.stdin], [], [], 0)[0]:
    number += 1
    for database in databases:
        database.execute("UPDATE numbers SET number = ?", (number,))
    with lines.locked(), open(path, "ab") as file:
        file.write(b"%d\\n" % number)
    if number == 1:
        print("writing", flush=True)
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "data"
    folder.mkdir()
    for name in DATABASES:
        with closing(sqlite3.connect(folder / name)) as connection, connection:
            connection.execute("PRAGMA journal_mode=WAL")
            connection.execute("CREATE TABLE numbers (number INTEGER)")
            connection.execute("INSERT INTO numbers VALUES (0)")
    LineFile(folder / LINES).append(b"0\n")
    return folder


@contextmanager
def counting(folder: Path) -> Iterator[None]:
    """Another process writes one number after the other, each into every file."""
    files = [str(folder / name) for name in (*DATABASES, LINES)]
    writer = subprocess.Popen(
        [sys.executable, "-c", WRITER, *files],
        cwd=REPOSITORY,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    assert writer.stdout is not None
    assert writer.stdout.readline() == b"writing\n"
    try:
        yield
    finally:
        writer.communicate()
        assert writer.returncode == 0


def numbers_in(copy: Path) -> list[int]:
    numbers = []
    for name in DATABASES:
        with closing(sqlite3.connect(copy / name)) as connection:
            numbers += connection.execute("SELECT number FROM numbers").fetchone()
    return [*numbers, int((copy / LINES).read_text().splitlines()[-1])]


def test_all_files_are_copied_as_they_were_at_one_moment(folder: Path, tmp_path: Path):
    copies = [tmp_path / str(number) for number in range(COPIES)]

    with counting(folder):
        for copy in copies:
            copy.mkdir()
            copy_in_use(folder, copy)

    found = [numbers_in(copy) for copy in copies]
    assert found[0][0] < found[-1][0]
    for first, second, third in found:
        assert first >= second >= third >= first - 1


def test_a_copy_is_one_file_per_database(folder: Path, tmp_path: Path):
    copy = tmp_path / "copy"
    copy.mkdir()

    with counting(folder):
        copy_in_use(folder, copy)

    assert {path.name for path in copy.iterdir()} == {*DATABASES, "feedback"}
