"""`python -m app`: finds the command, and lets each one fail in one line."""

import argparse
import sys
from collections.abc import Sequence
from typing import Protocol

from app import __version__
from app.cli.loading import load
from app.cli.parent import end_output
from app.cli.words import plain
from app.domain.errors import AppError
from app.settings import Settings, read_settings

COMMANDS = {
    "serve": "start the backend and the approval server",
    "worker": "run workflows beside servers on the same database",
    "approval-server": "start the approval server alone",
    "diagnose": "investigate one log, here in the terminal",
    "evaluate": "diagnose many cases from a file, one prediction a line",
    "approvals": "look at proposals and decide them, here in the terminal",
    "mcp": "offer the approval server's tools over standard input and output",
    "audit": "check the record of who decided what",
    "feedback": "export, import, verify, compact or forget what people decided",
    "policy": "say what the policy makes of a command, rule by rule",
    "backup": "copy everything that is stored, also while it is in use",
    "restore": "put a backup in place",
    "verify": "check this installation, one line per check",
}

READER_LEFT = 141
"""The exit code of a program that SIGPIPE ends."""


class Command(Protocol):
    """A module of this package; only the one that is asked for is imported."""

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """Say what the command takes."""

    def run(self, options: argparse.Namespace, settings: Settings) -> int:
        """Do it; returns the exit code."""


def main(arguments: Sequence[str]) -> int:
    """Run one command; returns the exit code."""
    name = _outer_parser().parse_args(arguments[:1]).command
    command: Command = load(name.replace("-", "_"))
    parser = argparse.ArgumentParser(prog=f"python -m app {name}", description=COMMANDS[name])
    command.add_arguments(parser)
    options = parser.parse_args(arguments[1:])
    try:
        code = command.run(options, read_settings())
        sys.stdout.flush()
    except BrokenPipeError:
        # The reader has seen enough, as `head` has; nothing is left to say it to.
        end_output()
        return READER_LEFT
    except AppError as error:
        print(plain(str(error)), file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    return code


def _outer_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m app",
        description="Agentic observability for Kubernetes.",
        epilog="\n".join(f"  {name:<16} {meaning}" for name, meaning in COMMANDS.items()),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=__version__)
    parser.add_argument(
        "command",
        nargs="?",
        default="serve",
        choices=COMMANDS,
        metavar="COMMAND",
        help="one of these (default: serve):",
    )
    return parser
