"""What the documents promise is there: settings, links and commands."""

import argparse
import re
import shlex
import subprocess
from importlib import import_module
from pathlib import Path

import pytest
from pydantic.fields import FieldInfo

from app.cli.main import COMMANDS
from app.settings import Settings
from tests.fakes.servers import REPOSITORY

README = REPOSITORY / "README.md"
DOCUMENTS = (README, REPOSITORY / "CONTRIBUTING.md")
LINK = re.compile(r"\]\(([^)#\s]+)")
APP_COMMAND = re.compile(r"python -m app ([a-z-]+)(?: ([a-z]+)\b(?!\.))?")
RUN_COMMAND = re.compile(r"\./run\.sh(?: (--?[a-z]+|[a-z]+)\b)?")


def default_of(field: FieldInfo) -> str:
    return "" if field.default is None else str(field.default)


def table_row(name: str, field: FieldInfo) -> str:
    default = f"`{default_of(field)}`" if default_of(field) else "none"
    return f"| `{name.upper()}` | {default} | {field.description} |"


def example_lines(name: str, field: FieldInfo) -> str:
    return f"# {field.description}\n# {name.upper()}={default_of(field)}\n"


def test_the_readme_lists_every_setting_with_its_default_and_sentence():
    expected = "\n".join(
        [
            "| Setting | Default | Meaning |",
            "|---|---|---|",
            *(table_row(name, field) for name, field in Settings.model_fields.items()),
        ]
    )

    table = README.read_text().split("<!-- settings -->\n")[1].split("\n<!-- /settings -->")[0]

    assert table == expected, f"the table must be:\n{expected}"


def test_the_example_environment_lists_every_setting():
    expected = "\n".join(example_lines(*item) for item in Settings.model_fields.items())

    text = (REPOSITORY / ".env.example").read_text()

    assert text.endswith(expected), f"the file must end with:\n{expected}"


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_links_within_the_repository_lead_somewhere(document: Path):
    links = [link for link in LINK.findall(document.read_text()) if "://" not in link]

    assert [link for link in links if not (REPOSITORY / link).exists()] == []


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_named_files_and_folders_exist(document: Path):
    named = re.findall(r"`((?:app|tests|bench|data/samples)(?:/[\w./-]+)?)`", document.read_text())

    assert [name for name in named if not (REPOSITORY / name).exists()] == []


def test_the_readme_shows_every_command_and_no_other():
    shown = {command for command, _ in APP_COMMAND.findall(README.read_text())}

    assert shown == set(COMMANDS)


@pytest.mark.parametrize("name", COMMANDS)
def test_options_shown_for_a_command_are_taken_by_it(name: str):
    parser = argparse.ArgumentParser()
    import_module(f"app.cli.{name.replace('-', '_')}").add_arguments(parser)
    shown = re.findall(rf"python -m app {name}\b([^`\n|>]*)", README.read_text())

    for arguments in shown:
        parser.parse_args(shlex.split(arguments))


def test_run_script_knows_every_command_the_documents_use():
    usage = subprocess.run(
        [REPOSITORY / "run.sh", "--help"], capture_output=True, text=True, timeout=10, check=True
    ).stdout
    used = {command for path in DOCUMENTS for command in RUN_COMMAND.findall(path.read_text())}

    assert {command for command in used - {""} if f"  {command}" not in usage} == set()


def test_both_run_scripts_offer_the_same():
    shell = set(re.findall(r"^  (--?[a-z]+|[a-z]+) ", (REPOSITORY / "run.sh").read_text(), re.M))
    windows = (REPOSITORY / "run.bat").read_text()

    assert shell
    assert {command for command in shell if f'"%~1"=="{command}"' not in windows} == set()


@pytest.mark.parametrize("name", ["requirements.txt", "requirements-dev.txt"])
def test_requirements_name_no_host_and_every_package_has_a_hash(name: str):
    text = (REPOSITORY / name).read_text()
    packages = re.split(r"^(?=[a-z0-9])", text, flags=re.M)[1:]

    assert "://" not in text
    assert len(packages) > 50
    assert [package for package in packages if "--hash=sha256:" not in package] == []
    assert "\naiohttp==" not in text


def test_the_pinned_packages_are_what_the_project_asks_for():
    project = (REPOSITORY / "pyproject.toml").read_text()
    block = project.split("dependencies = [")[1].split("\n]")[0]
    asked = {re.split(r"[^A-Za-z0-9._-]", name)[0] for name in re.findall(r'"([^"]+)"', block)}
    pinned = re.findall(r"^([a-z0-9._-]+)==", (REPOSITORY / "requirements.txt").read_text(), re.M)

    assert asked - set(pinned) == set()
