"""`python -m app verify`: one line per check, each with what to do; exit code 0 or 1."""

import argparse
import re
import shutil
import socket
import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from urllib.parse import urlsplit

from app.bootstrap.ground import is_owned
from app.bootstrap.location import database_location
from app.cli.installation import Check, Outcome, check_packages, check_python
from app.cli.live_checks import ask_services
from app.domain.errors import StartupFailed
from app.settings import Settings, read_settings

OK, WARNING, FAILED = Outcome.OK, Outcome.WARNING, Outcome.FAILED

_KEY_SHAPES = re.compile(r"AIza[0-9A-Za-z_-]{35}|AQ\.[0-9A-Za-z_.-]{20,}")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the one option."""
    parser.add_argument(
        "--live",
        action="store_true",
        help="also ask Gemini (one short paid question), Elasticsearch, the approval server "
        "and PostgreSQL",
    )


def main(arguments: Sequence[str]) -> int:
    """The same without the command line around it: settings that cannot be read are a line too."""
    parser = argparse.ArgumentParser(prog="verify_setup.py")
    add_arguments(parser)
    options = parser.parse_args(arguments)
    try:
        settings = read_settings()
    except StartupFailed as error:
        problem = Check(FAILED, str(error), "correct it in .env or in the environment")
        return show([check_python(), check_packages(), problem])
    return run(options, settings)


def run(options: argparse.Namespace, settings: Settings) -> int:
    """Print the whole report."""
    report = [check_python(), check_packages(), *check_settings(settings)]
    return show([*report, *(ask_services(settings) if options.live else ())])


def show(report: list[Check]) -> int:
    """Print the lines; 0 when nothing failed."""
    for check in report:
        print(check)
    failures = sum(check.outcome is FAILED for check in report)
    print(f"{failures} of {len(report)} checks failed." if failures else "Everything is ready.")
    return 1 if failures else 0


def check_settings(settings: Settings) -> Iterator[Check]:
    """Everything that can be seen without asking another machine."""
    yield Check(OK, "settings can be read")
    yield _check_key(settings)
    yield _check_database(settings)
    yield _check_folder("DATA_DIR", settings.data_dir)
    yield _check_folder("LOGS_DIR", settings.logs_dir)
    if settings.workers > 1 and sys.platform == "win32":
        yield Check(FAILED, "Windows cannot share a port between processes", "set WORKERS to 1")
    yield _check_port("PORT", settings.host, settings.port)
    if settings.mcp_server_url is None:
        yield _check_approval_port(settings)
    else:
        yield _check_address("MCP_SERVER_URL", settings.mcp_server_url)
    yield _check_cluster(settings)
    yield from _check_elasticsearch(settings)


def _check_key(settings: Settings) -> Check:
    if settings.google_api_key is None:
        return Check(OK, "no GOOGLE_API_KEY: the embedded playbooks answer")
    if _KEY_SHAPES.fullmatch(settings.google_api_key.get_secret_value()):
        return Check(OK, f"GOOGLE_API_KEY has a key's form: {settings.gemini_model_id} answers")
    return Check(
        WARNING,
        "GOOGLE_API_KEY does not look like a Gemini key (AIza...)",
        "copy it again, whole and without quotes or spaces, or try it with --live",
    )


def _check_database(settings: Settings) -> Check:
    if settings.database_url is None:
        return Check(OK, "no DATABASE_URL: everything is stored in DATA_DIR")
    try:
        return Check(OK, f"DATABASE_URL names {database_location(settings).name}")
    except StartupFailed as error:
        return Check(FAILED, str(error), "correct it in .env or in the environment")


def _check_folder(name: str, folder: Path) -> Check:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            return Check(OK, f"{name} {folder} can be written")
    except OSError as error:
        reason = error.strerror or str(error)
        fix = f"make it writable for you, or set {name} to another folder"
        return Check(FAILED, f"{name} {folder} cannot be written ({reason})", fix)


def _check_port(name: str, host: str, port: int) -> Check:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family) as probe:
        # As the servers do it: a port that was just closed is free.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            reason = error.strerror or str(error)
            fix = f"stop what uses it, which may be this product, or set {name}"
            return Check(FAILED, f"{name} {host}:{port} cannot be used ({reason})", fix)
    return Check(OK, f"{name} {host}:{port} is free")


def _check_approval_port(settings: Settings) -> Check:
    check = _check_port("APPROVAL_PORT", settings.host, settings.approval_port)
    if check.outcome is FAILED and _approvals_run(settings):
        return Check(OK, f"APPROVAL_PORT {settings.approval_port} is the running server's")
    return check


def _approvals_run(settings: Settings) -> bool:
    """Whether the one that has the port serves this data folder, too, and is shared."""
    try:
        return settings.database_url is None and is_owned(settings.data_dir, "approvals")
    except StartupFailed:
        return False  # the check of the folder says it


def _check_address(name: str, address: str) -> Check:
    parts = urlsplit(address)
    if parts.scheme in {"http", "https"} and parts.hostname:
        return Check(OK, f"{name} names the host {parts.hostname}")
    return Check(FAILED, f"{name} is no web address", f"set {name} to http://host:port")


def _check_cluster(settings: Settings) -> Check:
    if settings.kubeconfig is None:
        return Check(OK, "no KUBECONFIG: decisions are recorded, no command is executed")
    if shutil.which("kubectl"):
        return Check(OK, f"KUBECONFIG {settings.kubeconfig} and kubectl are there")
    return Check(
        FAILED,
        "KUBECONFIG is set, but there is no kubectl on the PATH",
        "install kubectl, or remove KUBECONFIG to only record decisions",
    )


def _check_elasticsearch(settings: Settings) -> Iterator[Check]:
    if settings.elasticsearch_url is None:
        yield Check(OK, "no ELASTICSEARCH_URL: fetching logs is off")
        return
    yield _check_address("ELASTICSEARCH_URL", settings.elasticsearch_url)
    if not settings.elasticsearch_api_key and not settings.elasticsearch_user:
        fix = "set ELASTICSEARCH_API_KEY, or ELASTICSEARCH_USER and ELASTICSEARCH_PASSWORD"
        yield Check(
            WARNING, "Elasticsearch is asked without credentials", f"if it wants some, {fix}"
        )
