"""tables.yaml says what the installed kubectl's own help says."""

import os
import shutil
from typing import Any

import pytest
import yaml

from tests.tools.kubectl_tables import TABLES, Kubectl, tables_text

pytestmark = [
    pytest.mark.timeout(240),
    pytest.mark.skipif(
        shutil.which("kubectl") is None and not os.environ.get("CI"),
        reason="kubectl is not installed here",
    ),
]
TAKES_NEXT_WORD = {"value", "list"}


@pytest.fixture(scope="module")
def installed() -> dict[str, Any]:
    return Kubectl().tables()


@pytest.fixture(scope="module")
def ours() -> dict[str, Any]:
    tables: dict[str, Any] = yaml.safe_load(TABLES.read_text(encoding="utf-8"))
    return tables


def test_the_file_is_what_its_tool_writes(installed: dict[str, Any], ours: dict[str, Any]):
    if installed["version"] != ours["version"]:
        pytest.skip(f"kubectl {installed['version']} is installed, not {ours['version']}")

    assert tables_text(installed) == TABLES.read_text(encoding="utf-8")


def test_no_word_means_something_else_to_the_installed_version(
    installed: dict[str, Any], ours: dict[str, Any]
):
    """What is a flag's value here and an object there would pass by the guard."""
    assert len(installed["verbs"].keys() & ours["verbs"].keys()) > 75
    different = [
        (path, name)
        for path, verb in installed["verbs"].items()
        for name, flag in (installed["global"] | verb["flags"]).items()
        if (known := flags_of(ours, path).get(name))
        and (known[0] in TAKES_NEXT_WORD) != (flag[0] in TAKES_NEXT_WORD)
    ]

    assert different == []


def flags_of(tables: dict[str, Any], path: str) -> dict[str, list[str]]:
    flags: dict[str, list[str]] = (
        tables["global"] | tables["verbs"].get(path, {"flags": {}})["flags"]
    )
    return flags
