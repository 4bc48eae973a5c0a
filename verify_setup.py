"""Checks this machine and the settings: one line per check with the fix; exit code 0 or 1.

Runs with any Python and without packages; `--live` also asks the configured services once.
"""

import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
ENVIRONMENT = HERE / ".venv"


def main(arguments: list[str]) -> int:
    """Check Python and the packages first: everything else needs them."""
    if sys.version_info < (3, 11):  # noqa: UP036 - this file runs with any Python
        print(f"FAIL  Python {sys.version.split()[0]} is too old -> install Python 3.11 or newer")
        return 1
    python = _own_python()
    if python is not None and Path(sys.prefix).resolve() != ENVIRONMENT.resolve():
        return subprocess.run([python, __file__, *arguments], check=False).returncode  # noqa: S603
    return _verify(arguments)


def _own_python() -> "Path | None":
    places = (ENVIRONMENT / "bin" / "python", ENVIRONMENT / "Scripts" / "python.exe")
    return next((place for place in places if place.exists()), None)


def _verify(arguments: list[str]) -> int:
    """Imports come late on purpose: an old Python or a missing package must give a sentence."""
    from app.cli.installation import Outcome, check_packages, check_python  # noqa: PLC0415

    basics = (check_python(), check_packages())
    if any(check.outcome is Outcome.FAILED for check in basics):
        print(*basics, sep="\n")
        return 1
    from app.cli.verify import main as verify  # noqa: PLC0415

    return verify(arguments)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
