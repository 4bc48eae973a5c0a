"""`feedback`: take what people decided elsewhere, or check that the file is whole."""

import argparse
import asyncio
import os
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import orjson

from app.adapters.storage.feedback_jsonl import FEEDBACK_FILE, FeedbackFile, parse_line
from app.domain.errors import NotFound, StorageFailed
from app.domain.feedback import FeedbackEvent
from app.learning.export import to_object
from app.learning.fold import FeedbackFold
from app.learning.ledger import FeedbackLedger
from app.settings import Settings

SHOWN_PROBLEMS = 20


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Two subcommands, both on DATA_DIR's feedback file unless another one is named."""
    commands = parser.add_subparsers(dest="action", required=True)
    export = commands.add_parser("export", help="one JSON object per plan, one per line")
    export.add_argument("--out", type=Path, help="a file to write; default: standard output")
    verify = commands.add_parser("verify", help="read every line; exit code 1 when one is damaged")
    for command in (export, verify):
        command.add_argument("--file", type=Path, help="the feedback file; default: DATA_DIR's")


def run(options: argparse.Namespace, settings: Settings) -> int:
    """Both only read."""
    path: Path = options.file or settings.data_dir / FEEDBACK_FILE
    if not path.is_file():
        raise NotFound(f"There is no feedback file {path} yet.")
    return _export(path, options.out) if options.action == "export" else _verify(path)


def _export(path: Path, out: Path | None) -> int:
    ledger = FeedbackLedger(FeedbackFile(path), keeps_texts=True)
    fold = asyncio.run(ledger.current())
    lines = [orjson.dumps(to_object(record)) + b"\n" for record in fold.records()]
    if out is None:
        sys.stdout.buffer.writelines(lines)
    else:
        _replace(out, b"".join(lines))
        print(f"{len(lines)} records in {out}", file=sys.stderr)
    if ledger.unreadable:
        print(f"{ledger.unreadable} lines do not parse and are left out", file=sys.stderr)
    return 0


def _replace(out: Path, data: bytes) -> None:
    fresh = out.with_name(f"{out.name}.new")
    try:
        fresh.write_bytes(data)
        fresh.replace(out)
    except OSError as error:
        raise StorageFailed(f"{out} cannot be written: {error.strerror}") from error


def _verify(path: Path) -> int:
    fold, kinds, damaged = FeedbackFold(), Counter[str](), list[int]()
    seen: set[str] = set()
    for number, event in _read_lines(path):
        if event is None:
            damaged.append(number)
            continue
        kinds["repeated" if event.id in seen else event.type] += 1
        seen.add(event.id)
        fold.apply(event)
    records = [*fold.records()]
    decided = [record for record in records if record.is_decided]
    print(f"{path}")
    print(f"events      {', '.join(f'{kind} {count}' for kind, count in sorted(kinds.items()))}")
    print(f"plans       {len(records)}, decided {len(decided)}")
    print(f"unsigned    {sum(not record.is_signed for record in decided)} decided plans")
    if _is_torn(path):
        print("last line   has no newline: it is not committed; the next writer seals it")
    print(f"damaged     {len(damaged)} lines")
    for number in damaged[:SHOWN_PROBLEMS]:
        print(f"  line {number} does not parse; it is kept and passed over")
    return 1 if damaged else 0


def _read_lines(path: Path) -> Iterator[tuple[int, FeedbackEvent | None]]:
    with path.open("rb") as file:
        for number, line in enumerate(file, start=1):
            if line.endswith(b"\n") and line.strip():
                yield number, parse_line(line[:-1])


def _is_torn(path: Path) -> bool:
    with path.open("rb") as file:
        size = file.seek(0, os.SEEK_END)
        file.seek(max(size - 1, 0))
        return file.read() not in {b"", b"\n"}
