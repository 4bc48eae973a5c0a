"""Writes app/kubectl/tables.yaml from the help texts of an installed kubectl.

Run it after a new kubectl is out: `python -m tests.tools.kubectl_tables <path of kubectl>`.
"""

import re
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from pathlib import Path

import yaml

TABLES = Path(__file__).parents[2] / "app" / "kubectl" / "tables.yaml"
HEADER = """\
# Verbs and flags of kubectl, read from its own help texts. Written by tests/tools/kubectl_tables.py.
# A flag is [kind, short name]; kinds: switch, switch-on (true unless said otherwise), value,
# list (may be repeated), optional (the value may be left out).
"""
FLAG = re.compile(r"^    (?:-(?P<short>\w), )?--(?P<name>[\w-]+)=(?P<default>.*):$", re.M)
COMMAND = re.compile(r"^  (?P<name>[a-z][\w-]*)  +\S", re.M)
# Its help does not show that it does something without a subcommand.
RUNNABLE_ALONE = {("cluster-info",)}
ENVIRONMENT = {"HOME": "/nonexistent", "KUBECONFIG": "/dev/null", "PATH": "/nonexistent"}


def main() -> None:
    """Ask for every verb and subverb, then write the file."""
    kubectl = sys.argv[1]
    version = re.search(r"v\d+\.\d+\.\d+", ask(kubectl, "version", "--client"))
    assert version is not None, "no version"
    verbs = {
        " ".join(path): {
            "aliases": sorted(aliases_in(text) - {path[-1]}),
            "flags": flags_in(kubectl, path, text),
        }
        for path, text in sorted(commands(kubectl, (), ask(kubectl, "--help")))
    }
    tables = {
        "version": version.group(),
        "global": flags_in(kubectl, (), ask(kubectl, "options")),
        "verbs": verbs,
    }
    body = yaml.safe_dump(tables, sort_keys=False, default_flow_style=None, width=100)
    TABLES.write_text(HEADER + body, encoding="utf-8")


@cache
def ask(kubectl: str, *words: str) -> str:
    """What kubectl says; it has no cluster and reads no configuration."""
    done = subprocess.run(
        [kubectl, *words], env=ENVIRONMENT, capture_output=True, text=True, timeout=60, check=False
    )
    return done.stdout + done.stderr


def commands(kubectl: str, path: tuple[str, ...], text: str) -> list[tuple[tuple[str, ...], str]]:
    """Every command that can be run, with its help; one that only has subcommands is left out."""
    before_options = text.split("\nOptions:")[0].split("\nUsage:")[0]
    sections = re.split(r"^(?=\S.*:$)", before_options, flags=re.M)
    names = [
        match["name"]
        for section in sections
        if re.match(r".*Commands.*:$", section, re.M)
        for match in COMMAND.finditer(section)
    ]
    can_run = not names or "\nOptions:" in text or path in RUNNABLE_ALONE
    found = [(path, text)] if path and can_run else []
    for name in names:
        deeper = (*path, name)
        found += commands(kubectl, deeper, ask(kubectl, *deeper, "--help"))
    return found


def aliases_in(text: str) -> set[str]:
    match = re.search(r"^Aliases:\n(.+)$", text, re.M)
    return {word.strip() for word in match[1].split(",")} if match else set()


def flags_in(kubectl: str, path: tuple[str, ...], text: str) -> dict[str, list[str]]:
    matches = sorted(FLAG.finditer(text), key=lambda match: match["name"])
    with ThreadPoolExecutor(2) as pool:
        kinds = pool.map(lambda match: kind_of(kubectl, path, match), matches)
        return {
            match["name"]: [kind, *filter(None, [match["short"]])]
            for match, kind in zip(matches, kinds, strict=True)
        }


def kind_of(kubectl: str, path: tuple[str, ...], match: re.Match[str]) -> str:
    default = match["default"]
    if default in {"true", "false"}:
        return "switch" if default == "false" else "switch-on"
    # A flag without its value is an error that kubectl finds before it prints help.
    answer = ask(kubectl, *path, "--help", f"--{match['name']}")
    if "needs an argument" not in answer:
        return "optional"
    return "list" if default.startswith("[") else "value"


if __name__ == "__main__":
    main()
