"""`audit verify`: is the audit file what was written, and all of it?

Exit code 0: nothing is wrong, as far as what is printed says it can be judged; 1: a line is wrong
or missing, or there is nothing to check; 2: the question cannot be used.
"""

import argparse
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

from app.adapters.storage.approvals import APPROVAL_FILE
from app.adapters.storage.audit import read_trail
from app.adapters.storage.audit_file import AUDIT_FILE
from app.adapters.storage.location import DatabaseLocation
from app.bootstrap.location import database_location
from app.domain.audit import FIRST_HASH, AuditEntry
from app.domain.audit_check import AuditProblem, check_lines
from app.domain.errors import NotFound, StorageFailed
from app.settings import Settings

SOON = timedelta(minutes=1)
"""A running server copies an entry within seconds."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """One thing to do."""
    actions = parser.add_subparsers(dest="action", required=True)
    verify = actions.add_parser(
        "verify",
        help="check every line; exit code 1 with the number of one that is wrong or missing,"
        " 0 when none is, with a word on what cannot be judged",
    )
    verify.add_argument("--file", type=Path, help="default: audit.jsonl in DATA_DIR")


def run(options: argparse.Namespace, settings: Settings) -> int:
    """It only reads."""
    path: Path = options.file or settings.data_dir / AUDIT_FILE
    if not path.is_file():
        raise NotFound(f"There is no audit file {path} yet.")
    trail = _trail(settings)
    last, problem = _check(path, trail)
    missing = [] if problem or trail is None else _after(last, trail)
    if missing and datetime.now(UTC) - missing[0].at >= SOON:
        problem = _late(missing)
    seq, head = (last.seq, last.hash) if last else (0, FIRST_HASH)
    print(path)
    print(f"entries   {seq}")
    print(f"head      {head}")
    print(f"database  {'not here to compare with' if trail is None else 'compared'}")
    if problem is not None:
        print(f"Line {problem.number} {problem.reason}.")
        return 1
    print(_verdict(seq, missing, has_database=trail is not None))
    return 0


def _trail(settings: Settings) -> dict[int, AuditEntry] | None:
    """By number what the database has; None when there is none."""
    location = database_location(settings)
    if not location.is_postgres:
        path = settings.data_dir / APPROVAL_FILE
        if not path.is_file():
            return None
        location = DatabaseLocation.of_file(path)
    try:
        return {entry.seq: entry for entry in read_trail(location)}
    except StorageFailed:
        return None


def _check(
    path: Path, trail: dict[int, AuditEntry] | None
) -> tuple[AuditEntry | None, AuditProblem | None]:
    """The last good entry, and the first thing that is wrong."""
    last = None
    for found in check_lines(_lines(path)):
        if isinstance(found, AuditProblem):
            return last, found
        if trail is not None and trail.get(found.entry.seq) != found.entry:
            return last, AuditProblem(found.number, "is not what the database has")
        last = found.entry
    return last, None


def _after(last: AuditEntry | None, trail: dict[int, AuditEntry]) -> list[AuditEntry]:
    """What the database has and the file has not."""
    seq = 0 if last is None else last.seq
    return [entry for entry in trail.values() if entry.seq > seq]


def _late(missing: list[AuditEntry]) -> AuditProblem:
    """What the database has had for too long and the file has not."""
    why = (
        f"is missing, and {len(missing) - 1} after it: the file was cut, or no server has run since"
    )
    return AuditProblem(missing[0].seq, why)


def _verdict(seq: int, missing: list[AuditEntry], *, has_database: bool) -> str:
    """What was found, and of what nothing can be said."""
    if not has_database:
        return (
            f"Lines 1 to {seq} are unchanged and none between them is missing. Whether lines were"
            " cut off the end cannot be judged without the database: compare the head with one"
            " that was kept elsewhere."
        )
    if missing:
        return (
            f"Entries 1 to {seq} are whole and unchanged. The newest {len(missing)}, from"
            f" {missing[0].at.isoformat(timespec='seconds')} on, are in the database and not in"
            " the file: they are less than a minute old, so it cannot be judged yet whether they"
            " are still to be copied or were cut off. Ask again in a minute."
        )
    return "The file is whole and unchanged."


def _lines(path: Path) -> Iterator[bytes]:
    try:
        with path.open("rb") as file:
            yield from file
    except OSError as error:
        raise StorageFailed(f"{path} cannot be read: {error.strerror}.") from error
