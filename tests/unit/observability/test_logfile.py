"""One log file for several processes: whole lines, none lost, rotated once."""

import json
import logging
import subprocess
import sys
from itertools import chain
from pathlib import Path

import pytest

from app.observability.logfile import SharedLogFile
from tests.fakes.servers import REPOSITORY

WRITERS = 4
LINES = 400
MOST_BYTES = 60_000
KEPT = 20
PROGRAM = """
import json, logging, sys
from pathlib import Path
from app.observability.logfile import SharedLogFile

path, writer, lines, most_bytes, kept = Path(sys.argv[1]), *map(int, sys.argv[2:])
file = SharedLogFile(path, most_bytes=most_bytes, kept=kept)
print("ready", flush=True)
sys.stdin.readline()
for number in range(lines):
    text = json.dumps({"writer": writer, "number": number, "filler": "x" * (number % 700)})
    file.handle(logging.makeLogRecord({"msg": text}))
"""

pytestmark = pytest.mark.timeout(60)


def start_writer(path: Path, number: int) -> subprocess.Popen[bytes]:
    sizes = (str(number), str(LINES), str(MOST_BYTES), str(KEPT))
    command = [sys.executable, "-c", PROGRAM, str(path), *sizes]
    return subprocess.Popen(
        command,
        cwd=REPOSITORY,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )


def written(path: Path) -> list[str]:
    files = sorted(path.parent.glob(f"{path.name}*"))
    return list(chain.from_iterable(file.read_text().splitlines() for file in files))


def test_lines_of_several_processes_stay_whole_and_none_is_lost_when_it_rotates(tmp_path: Path):
    path = tmp_path / "app.log"
    writers = [start_writer(path, number) for number in range(WRITERS)]
    for writer in writers:
        assert writer.stdout is not None
        assert writer.stdout.readline() == b"ready\n"

    for writer in writers:
        assert writer.stdin is not None
        writer.stdin.write(b"go\n")
        writer.stdin.flush()
    complaints = [writer.communicate()[1] for writer in writers]

    assert complaints == [b""] * WRITERS
    lines = [json.loads(line) for line in written(path)]
    assert sorted((line["writer"], line["number"]) for line in lines) == [
        (writer, number) for writer in range(WRITERS) for number in range(LINES)
    ]
    files = list(tmp_path.glob("app.log*"))
    size = sum(file.stat().st_size for file in files)
    # Lines that are written while another process rotates still go to the older file.
    assert 3 < len(files) <= size / MOST_BYTES + 2


@pytest.fixture
def file(tmp_path: Path):
    file = SharedLogFile(tmp_path / "app.log", most_bytes=100, kept=2)
    yield file
    file.close()


def say(file: SharedLogFile, text: str) -> None:
    file.handle(logging.makeLogRecord({"msg": text}))


def test_only_the_newest_files_are_kept(file: SharedLogFile, tmp_path: Path):
    for letter in "abcdef":
        say(file, letter * 60)

    kept = {path.name: path.read_text()[0] for path in tmp_path.glob("app.log*")}
    assert kept == {"app.log": "f", "app.log.1": "e", "app.log.2": "d"}


def test_a_line_over_the_limit_is_written_whole(file: SharedLogFile, tmp_path: Path):
    say(file, "a" * 300)
    say(file, "b")

    assert (tmp_path / "app.log.1").read_text() == "a" * 300 + "\n"
    assert (tmp_path / "app.log").read_text() == "b\n"


def test_a_file_that_somebody_took_away_is_begun_again(file: SharedLogFile, tmp_path: Path):
    say(file, "before")
    (tmp_path / "app.log").rename(tmp_path / "taken")

    say(file, "after")

    assert (tmp_path / "app.log").read_text() == "after\n"
