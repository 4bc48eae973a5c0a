"""`restore`: puts a backup into an empty data folder; clients that watched see that it was one."""

import argparse
import shutil
from pathlib import Path

from app.adapters.storage.epoch import renew_epoch
from app.adapters.storage.location import DatabaseLocation
from app.adapters.storage.snapshot import copy_at_rest, stored_files
from app.bootstrap.location import WORKFLOW_FILE, database_location
from app.domain.errors import BadInput, Conflict, NotFound, StorageFailed
from app.settings import Settings


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """A folder, or the one step that PostgreSQL's own tools leave to do."""
    parser.description = "Stop the product first."
    what = parser.add_mutually_exclusive_group(required=True)
    what.add_argument("folder", type=Path, nargs="?", help="what `backup` made")
    what.add_argument(
        "--new-epoch",
        action="store_true",
        help="only tell clients that the log is another one, after pg_restore",
    )


def run(options: argparse.Namespace, settings: Settings) -> int:
    """Either of both."""
    location = database_location(settings)
    if options.new_epoch:
        renew_epoch(location)
        print(f"Clients of {location.name} will read their streams anew.")
        return 0
    if location.is_postgres:
        raise BadInput("What is stored is in PostgreSQL: use pg_restore, as README.md says.")
    _restore(options.folder.resolve(), settings.data_dir.resolve())
    return 0


def _restore(backup: Path, data: Path) -> None:
    if not (backup / WORKFLOW_FILE).is_file():
        raise NotFound(f"{backup} is no backup: it holds no {WORKFLOW_FILE}.")
    _refuse_data(data)
    unfinished = data / "unfinished-restore"
    try:
        shutil.rmtree(unfinished, ignore_errors=True)
        unfinished.mkdir(parents=True)
        copy_at_rest(backup, unfinished)
        renew_epoch(DatabaseLocation.of_file(unfinished / WORKFLOW_FILE))
        _move(unfinished, data)
    except OSError as error:
        raise StorageFailed(f"{data} cannot be written: {error.strerror}.") from error
    finally:
        shutil.rmtree(unfinished, ignore_errors=True)
    print(f"{backup} is in {data}. Start the product now; clients will read their streams anew.")


def _refuse_data(data: Path) -> None:
    # A log that SQLite left beside its database would be written into the restored one.
    if stored_files(data) or any(data.glob("*.sqlite-*")):
        raise Conflict(
            f"{data} holds data already: stop the product and move its *.sqlite* files, its "
            "audit.jsonl and its feedback folder away, or set DATA_DIR to another folder."
        )


def _move(source: Path, target: Path) -> None:
    """The workflows come last: without them a folder is as good as empty."""
    names = [path.relative_to(source) for path in source.rglob("*") if path.is_file()]
    for name in sorted(names, key=lambda name: name == Path(WORKFLOW_FILE)):
        (target / name).parent.mkdir(exist_ok=True)
        (source / name).rename(target / name)
