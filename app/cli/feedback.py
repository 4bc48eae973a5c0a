"""`feedback`: take what people decided elsewhere, check it, and keep it small or silent."""

import argparse
import asyncio
import os
import sys
from collections import Counter
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import orjson

from app.adapters.storage.feedback_jsonl import FEEDBACK_FILE, FeedbackFile
from app.adapters.storage.jsonl import offset_of
from app.bootstrap.feedback import open_feedback
from app.bootstrap.location import database_location
from app.cli.feedback_keeping import compact, count_left, forget, take_in
from app.cli.progress import CountedRecords, Progress, progress
from app.domain.errors import NotFound, StorageFailed
from app.domain.rewriting import RewritableStore
from app.learning.directory import Directory
from app.learning.export import to_object
from app.learning.ledger import FeedbackLedger
from app.settings import Settings

SHOWN_PROBLEMS = 20


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Subcommands on the product's own feedback unless a file is named."""
    commands = parser.add_subparsers(dest="action", required=True)
    export = commands.add_parser("export", help="one JSON object per plan, one per line")
    export.add_argument("--out", type=Path, help="a file to write; default: standard output")
    verify = commands.add_parser("verify", help="read every line; exit code 1 when one is damaged")
    compact = commands.add_parser("compact", help="write the log anew without what nobody needs")
    forget = commands.add_parser("forget", help="take a workflow or a reviewer out for good")
    who = forget.add_mutually_exclusive_group(required=True)
    who.add_argument(
        "--workflow", metavar="ID", type=_name, help="its plans, decisions, ratings and texts"
    )
    who.add_argument(
        "--reviewer", metavar="NAME", type=_name, help="the name, and the words with it"
    )
    taken = commands.add_parser("import", help="add what an export or another log holds")
    taken.add_argument("source", type=Path, help="JSON lines, of either form")
    for command in (export, verify, compact, forget, taken):
        command.add_argument(
            "--file", type=Path, help="a feedback file; default: DATABASE_URL's or DATA_DIR's"
        )


def _name(text: str) -> str:
    if not text.strip():
        raise argparse.ArgumentTypeError("it is empty")
    return text.strip()


def run(options: argparse.Namespace, settings: Settings) -> int:
    """While servers run, too."""
    if options.file is None and settings.database_url is not None:
        return asyncio.run(_run(options, settings, None))
    path: Path = options.file or settings.data_dir / FEEDBACK_FILE
    if options.action != "import" and not path.is_file():
        raise NotFound(f"There is no feedback file {path} yet.")
    return asyncio.run(_run(options, settings, path))


async def _run(options: argparse.Namespace, settings: Settings, path: Path | None) -> int:
    async with _opened(settings, path) as store:
        if options.action == "export":
            return await _export(FeedbackLedger(store), options.out)
        if options.action == "import":
            return await take_in(store, options.source)
        print(path or database_location(settings).name)
        if options.action == "compact":
            return await compact(store)
        if options.action == "forget":
            return await forget(store, options.workflow, options.reviewer)
        return await _verify(store, path)


@asynccontextmanager
async def _opened(settings: Settings, path: Path | None) -> AsyncIterator[RewritableStore]:
    if path is not None:
        # Not opened for writing: that would seal a torn tail.
        yield FeedbackFile(path)
        return
    async with open_feedback(settings) as store:
        yield store


async def _export(ledger: FeedbackLedger, out: Path | None) -> int:
    with _replacing(out) as target, progress() as shown:
        ledger.watch(CountedRecords(shown))
        async with ledger.reading() as turn:
            shown.begin("exported")
            async for record in turn.every():
                target.write(orjson.dumps(to_object(record)) + b"\n")
                shown.add()
            count = shown.count
        if out is not None:
            print(f"{count} records in {out}", file=sys.stderr)
        if turn.unreadable:
            print(f"{turn.unreadable} lines do not parse and are left out", file=sys.stderr)
    return 0


@contextmanager
def _replacing(out: Path | None) -> Iterator[BinaryIO]:
    """Standard output, or a file that is there when it is whole."""
    if out is None:
        yield sys.stdout.buffer
        return
    fresh = out.with_name(f"{out.name}.new")
    try:
        with fresh.open("wb") as target:
            yield target
        fresh.replace(out)
    except OSError as error:
        raise StorageFailed(f"{out} cannot be written: {error.strerror}") from error


async def _verify(store: RewritableStore, path: Path | None) -> int:
    with progress() as shown:
        log = await _read_all(store, shown)
        ledger = FeedbackLedger(store)
        ledger.watch(CountedRecords(shown))
        async with ledger.reading() as turn:
            entries = turn.entries
        left = await count_left(store, shown) if log.kinds["forgotten"] else 0
    print(
        f"events      {', '.join(f'{kind} {count}' for kind, count in sorted(log.kinds.items()))}"
    )
    print(f"plans       {sum(entries.is_known)}, decided {sum(entries.is_decided)}")
    print(f"unsigned    {sum(entries.is_unsigned)} decided plans")
    if log.newer:
        print(f"newer       {log.newer} lines of a later version; they are kept and passed over")
    if path is not None and _is_torn(path):
        print("last line   has no newline: it is not committed; the next writer seals it")
    if log.kinds["forgotten"]:
        print(f"forgotten   {left} lines are left of what was to be forgotten")
    print(f"damaged     {len(log.damaged)} lines")
    first = log.damaged[:SHOWN_PROBLEMS]
    for number in first if path is None else _line_numbers(path, first):
        print(f"  line {number} does not parse; it is kept and passed over")
    return 1 if log.damaged or left else 0


@dataclass(slots=True)
class _Log:
    """What was read."""

    kinds: Counter[str]
    damaged: list[int]
    newer: int = 0


async def _read_all(store: RewritableStore, shown: Progress) -> _Log:
    """How many events of each kind there are, and where the lines stand that are none."""
    log, seen = _Log(Counter(), []), Directory()
    shown.begin("read")
    position, is_end = 0, False
    while not is_end:
        tail = await store.read(position)
        if position and tail.start != position:
            # Written anew meanwhile.
            return await _read_all(store, shown)
        position, is_end = tail.position, tail.is_end
        log.damaged += tail.unreadable
        log.newer += len(tail.newer)
        for event in tail.events:
            known = len(seen)
            log.kinds["repeated" if seen.number(event.id) < known else event.type] += 1
            shown.add()
    return log


def _line_numbers(path: Path, positions: Sequence[int]) -> Iterator[int]:
    """Lines as editors count them."""
    begin, wanted = 0, {offset_of(position) for position in positions}
    with path.open("rb") as file:
        for number, line in enumerate(file, start=1):
            if begin in wanted:
                yield number
            begin += len(line)


def _is_torn(path: Path) -> bool:
    with path.open("rb") as file:
        size = file.seek(0, os.SEEK_END)
        file.seek(max(size - 1, 0))
        return file.read() not in {b"", b"\n"}
