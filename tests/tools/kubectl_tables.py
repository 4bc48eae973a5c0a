"""Writes app/kubectl/tables.yaml from the help texts of an installed kubectl.

`python -m tests.tools.kubectl_tables` asks the kubectl on the PATH, or the one whose path is given.
"""

import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import yaml

TABLES = Path(__file__).parents[2] / "app" / "kubectl" / "tables.yaml"
HEADER = """\
# Verbs and flags of kubectl, read from its own help texts. Written by tests/tools/kubectl_tables.py.
# A flag is [kind, short name]; kinds: switch, switch-on (true unless said otherwise), value,
# list (may be repeated), optional (the value may be left out).
"""
# Newer versions explain a flag on the next line, older ones on the same.
FLAG = re.compile(
    r"^ +(?:-(?P<short>\w), )?--(?P<name>[\w-]+)"
    r"=(?P<default>'[^'\n]*'|\[[^]\n]*\]|[^:\n]*):\s",
    re.M,
)
COMMAND = re.compile(r"^  (?P<name>[a-z][\w-]*)  +\S", re.M)
# Its help does not show that it does something without a subcommand.
RUNNABLE_ALONE = {("cluster-info",)}
ENVIRONMENT = {"HOME": "/nonexistent", "KUBECONFIG": "/dev/null", "PATH": "/nonexistent"}


class Kubectl:
    """One kubectl that is asked for its help; it has no cluster and reads no configuration."""

    def __init__(self, program: str = "kubectl") -> None:
        """The program's path, or its name on the PATH."""
        self._program = shutil.which(program) or program
        self._kinds: dict[tuple[str, str], str] = {}

    def tables(self) -> dict[str, Any]:
        """Everything that is in tables.yaml."""
        version = re.search(r"v\d+\.\d+\.\d+", self._ask("version", "--client"))
        assert version is not None, "no version"
        return {
            "version": version.group(),
            "global": self._flags((), self._ask("options")),
            "verbs": {
                " ".join(path): {
                    "aliases": sorted(_aliases(text) - {path[-1]}),
                    "flags": self._flags(path, text),
                }
                for path, text in sorted(self._commands((), self._ask("--help")))
            },
        }

    def _ask(self, *words: str) -> str:
        done = subprocess.run(
            [self._program, *words],
            env=ENVIRONMENT,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        return done.stdout + done.stderr

    def _commands(self, path: tuple[str, ...], text: str) -> Iterator[tuple[tuple[str, ...], str]]:
        """Every command that can be run, with its help; one that only has subcommands is not."""
        before_options = text.split("\nOptions:")[0].split("\nUsage:")[0]
        sections = re.split(r"^(?=\S.*:$)", before_options, flags=re.M)
        names = [
            match["name"]
            for section in sections
            if re.match(r".*Commands.*:$", section, re.M)
            for match in COMMAND.finditer(section)
        ]
        if path and (not names or "\nOptions:" in text or path in RUNNABLE_ALONE):
            yield path, text
        paths = [(*path, name) for name in names]
        with ThreadPoolExecutor(2) as pool:
            helps = list(pool.map(lambda deeper: self._ask(*deeper, "--help"), paths))
        for deeper, help_text in zip(paths, helps, strict=True):
            yield from self._commands(deeper, help_text)

    def _flags(self, path: tuple[str, ...], text: str) -> dict[str, list[str]]:
        matches = sorted(FLAG.finditer(text), key=lambda match: match["name"])
        return {
            match["name"]: [self._kind(path, match), *filter(None, [match["short"]])]
            for match in matches
        }

    def _kind(self, path: tuple[str, ...], match: re.Match[str]) -> str:
        default = match["default"]
        if default in {"true", "false"}:
            return "switch" if default == "false" else "switch-on"
        same = (match["name"], default)
        if same not in self._kinds:
            # A flag without its value is an error that kubectl finds before it prints help.
            answer = self._ask(*path, "--help", f"--{match['name']}")
            needs_value = "needs an argument" in answer
            kind = "list" if default.startswith("[") else "value"
            self._kinds[same] = kind if needs_value else "optional"
        return self._kinds[same]


def tables_text(tables: dict[str, Any]) -> str:
    """The file's text."""
    body = yaml.safe_dump(tables, sort_keys=False, default_flow_style=None, width=100)
    return HEADER + body


def _aliases(text: str) -> set[str]:
    match = re.search(r"^Aliases:\n(.+)$", text, re.M)
    return {word.strip() for word in match[1].split(",")} if match else set()


if __name__ == "__main__":
    TABLES.write_text(tables_text(Kubectl(*sys.argv[1:]).tables()), encoding="utf-8")
