"""`backup`: copies everything that is stored into a folder of its own, also while it is in use."""

import argparse
import shutil
from pathlib import Path

from app.adapters.storage.snapshot import copy_in_use, stored_files
from app.domain.errors import BadInput, Conflict, NotFound, StorageFailed
from app.settings import Settings

MIB = 1024 * 1024


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """One folder."""
    parser.add_argument("folder", type=Path, help="a new or empty folder for the copy")


def run(options: argparse.Namespace, settings: Settings) -> int:
    """Copy, and say what."""
    if settings.database_url is not None:
        raise BadInput("What is stored is in PostgreSQL: use pg_dump, as README.md says.")
    data, folder = settings.data_dir.resolve(), options.folder.resolve()
    if not stored_files(data):
        raise NotFound(f"Nothing is stored in {data} yet.")
    _back_up(data, folder)
    for name in stored_files(folder):
        print(f"{(folder / name).stat().st_size / MIB:9.1f} MiB  {name}")
    print(f"What {data} held is in {folder}.")
    return 0


def _back_up(data: Path, folder: Path) -> None:
    """The copy gets its name at the end: a folder that is there is whole."""
    unfinished = folder.with_name(f"{folder.name}.unfinished")
    try:
        if folder.exists() and any(folder.iterdir()):
            raise Conflict(f"{folder} is not empty: name a new folder.")
        shutil.rmtree(unfinished, ignore_errors=True)
        unfinished.mkdir(parents=True)
        copy_in_use(data, unfinished)
        if folder.exists():
            folder.rmdir()
        unfinished.rename(folder)
    except OSError as error:
        raise StorageFailed(f"{folder} cannot be written: {error.strerror}.") from error
    finally:
        shutil.rmtree(unfinished, ignore_errors=True)
