"""A PostgreSQL of the tests' own: started when first asked for, gone with the test process."""

import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from uuid import uuid4

import psycopg
import pytest

from tests.fakes.processes import children_of
from tests.fakes.servers import free_port

SECRET = "never-to-be-printed"
"""The password in every URL; the server asks for none, and nobody may print it."""

START_SECONDS = 40
OPTIONS = (
    "fsync=off",
    "full_page_writes=off",
    "shared_buffers=16MB",
    "max_connections=200",
    "listen_addresses=127.0.0.1",
)
# The server ends with the shell's input, and so with the tests, however they end.
SCRIPT = '"$@" & server=$!; cat >/dev/null; kill -QUIT $server; wait'


class Postgres:
    """One cluster with a port that stays the same, which tests may stop and start."""

    def __init__(self, folder: Path) -> None:
        """Make a cluster in an empty folder with a short path, which its sockets need."""
        self.folder = folder
        self.port = free_port()
        self._user = "postgres" if os.geteuid() == 0 else None
        self._shell: subprocess.Popen[bytes] | None = None
        if self._user is not None:
            shutil.chown(folder, self._user, self._user)
        options = ["--auth=trust", "--username=postgres", "--no-sync", "--encoding=UTF8"]
        subprocess.run(
            [_program("initdb"), *options, "--locale=C", "-D", str(folder / "data")],
            cwd=folder,
            user=self._user,
            group=self._user,
            env={"PATH": os.environ["PATH"]},
            stdout=subprocess.DEVNULL,
            check=True,
        )

    @property
    def is_running(self) -> bool:
        """Whether it was started and not stopped since."""
        return self._shell is not None

    def url(self, database: str = "postgres") -> str:
        """Where it answers, with a password that must stay secret."""
        return f"postgresql://postgres:{SECRET}@127.0.0.1:{self.port}/{database}"

    def start(self) -> None:
        """Start it and wait until it answers; nothing happens when it runs."""
        if self.is_running:
            return
        options = [f"-c{option}" for option in OPTIONS]
        server = [_program("postgres"), "-D", str(self.folder / "data"), "-p", str(self.port)]
        with (self.folder / "postgres.log").open("ab") as output:
            self._shell = subprocess.Popen(
                ["/bin/sh", "-c", SCRIPT, "sh", *server, *options, f"-k{self.folder}"],
                cwd=self.folder,
                user=self._user,
                group=self._user,
                env={"PATH": os.environ["PATH"]},
                stdin=subprocess.PIPE,
                stdout=output,
                stderr=output,
            )
        self._wait_until_it_answers(self._shell)

    def stop(self) -> None:
        """Stop it at once, as if the power went; what was committed is kept."""
        if self._shell is not None:
            assert self._shell.stdin is not None
            self._shell.stdin.close()
            self._shell.wait(START_SECONDS)
            self._shell = None

    @contextmanager
    def frozen(self) -> Iterator[None]:
        """Every process of it stands still: connections are open, accepted, and without an answer."""
        postmaster = int((self.folder / "data" / "postmaster.pid").read_text().splitlines()[0])
        os.kill(postmaster, signal.SIGSTOP)
        backends = children_of(postmaster)
        for backend in backends:
            os.kill(backend, signal.SIGSTOP)
        try:
            yield
        finally:
            for process in (*backends, postmaster):
                os.kill(process, signal.SIGCONT)

    @contextmanager
    def database(self) -> Iterator[str]:
        """The URL of a fresh database, which is dropped afterwards, whoever still uses it."""
        name = f"test_{uuid4().hex[:12]}"
        self.execute(f"CREATE DATABASE {name}")
        try:
            yield self.url(name)
        finally:
            self.start()
            self.execute(f"DROP DATABASE {name} WITH (FORCE)")

    def execute(self, statement: str) -> None:
        """Run one statement as the administrator."""
        with psycopg.connect(self.url(), autocommit=True, connect_timeout=5) as connection:
            connection.execute(statement.encode())

    def _wait_until_it_answers(self, shell: subprocess.Popen[bytes]) -> None:
        deadline = time.monotonic() + START_SECONDS
        while True:
            try:
                self.execute("SELECT 1")
            except psycopg.OperationalError:
                if time.monotonic() > deadline:
                    raise AssertionError((self.folder / "postgres.log").read_text()) from None
                _pause(shell)
            else:
                return


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    """A running cluster, one per test process."""
    with tempfile.TemporaryDirectory(prefix="pg", dir="/tmp") as folder:
        cluster = Postgres(Path(folder))
        cluster.start()
        yield cluster
        cluster.stop()


@pytest.fixture
def postgres_url(postgres: Postgres) -> Iterator[str]:
    """A fresh database of the running cluster."""
    postgres.start()
    with postgres.database() as url:
        yield url


def _program(name: str) -> str:
    found = sorted(Path("/usr/lib/postgresql").glob(f"*/bin/{name}"))
    program = str(found[-1]) if found else shutil.which(name)
    assert program is not None, f"{name} is missing: install PostgreSQL's server"
    return program


def _pause(shell: subprocess.Popen[bytes]) -> None:
    try:
        shell.wait(0.05)
    except subprocess.TimeoutExpired:
        return
    raise AssertionError("PostgreSQL did not start")
