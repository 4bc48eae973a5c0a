"""CommandRunner: what reaches the program, what comes back, and that nothing runs on for ever."""

import asyncio
import io
import os
import re
import select
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from app.adapters.cluster.kubectl import KubectlRunner
from app.domain.errors import ExternalFailed
from app.domain.ports import CommandRunner
from app.kubectl.parser import parse
from tests.fakes.kube_api import DEPLOYMENT, POD, KubeApi, open_kube_api
from tests.fakes.servers import REPOSITORY

needs_posix = pytest.mark.skipif(
    sys.platform == "win32", reason="the stand-in for kubectl is a shell script"
)
needs_kubectl = pytest.mark.skipif(
    shutil.which("kubectl") is None, reason="kubectl is not installed here"
)


@pytest.fixture
def kubeconfig(tmp_path: Path):
    path = tmp_path / "kubeconfig"
    path.write_text("apiVersion: v1\nkind: Config\n")
    return path


def open_while_alive(folder: Path) -> Path:
    """A pipe that reads to its end when the last process that holds it is gone."""
    path = folder / "alive"
    os.mkfifo(path)
    return path


def stand_in(folder: Path, *lines: str) -> str:
    program = folder / "kubectl-stand-in"
    program.write_text("\n".join(["#!/bin/sh", *lines]) + "\n")
    program.chmod(0o755)
    return str(program)


@needs_posix
async def test_arguments_arrive_as_they_are_and_no_shell_reads_them(
    tmp_path: Path, kubeconfig: Path
):
    program = stand_in(tmp_path, 'for word in "$@"; do echo "[$word]"; done')
    runner: CommandRunner = KubectlRunner(kubeconfig, 5, program)

    result = await runner.run(["get", "pod", "a b; echo $HOME", "", "`id`"])

    assert result.succeeded
    given = "[get]\n[pod]\n[a b; echo $HOME]\n[]\n[`id`]\n"
    assert result.output == f"{given}[--request-timeout=10s]\n"


@needs_posix
@pytest.mark.parametrize(
    ("argv", "expected"),
    [
        (["get", "pod"], "get pod --request-timeout=7s"),
        (["get", "pod", "--", "x"], "get pod --request-timeout=7s -- x"),
        (["get", "pod", "--request-timeout=1s"], "get pod --request-timeout=1s"),
    ],
)
async def test_each_request_has_a_limit_that_ends_after_the_runner_s_own(
    tmp_path: Path, kubeconfig: Path, argv: list[str], expected: str
):
    program = stand_in(tmp_path, 'echo "$*"')

    result = await KubectlRunner(kubeconfig, 1.5, program).run(argv)

    assert result.output == f"{expected}\n"


@needs_posix
@pytest.mark.parametrize(
    ("honours_waits", "wait", "limit"),
    [
        (True, "--timeout=2m", 130),
        (True, "--timeout=1s", 65),
        (True, "-- --timeout=2m", 65),
        (False, "--timeout=2m", 65),
    ],
)
async def test_a_command_that_says_how_long_it_waits_has_that_long(
    tmp_path: Path, kubeconfig: Path, honours_waits: bool, wait: str, limit: int
):
    runner = KubectlRunner(
        kubeconfig, 60, stand_in(tmp_path, 'echo "$*"'), honours_waits=honours_waits
    )

    result = await runner.run(["rollout", "status", *wait.split()])

    assert f"--request-timeout={limit}s" in result.output


@needs_posix
async def test_a_wait_that_is_honoured_is_not_killed_before_its_end(
    tmp_path: Path, kubeconfig: Path
):
    program = stand_in(tmp_path, "sleep 1", "echo rolled out")
    runner = KubectlRunner(kubeconfig, 0.2, program, honours_waits=True)

    result = await runner.run(["rollout", "status", "--timeout=30s"])

    assert (result.exit_code, result.output) == (0, "rolled out\n")


@needs_posix
async def test_the_environment_holds_a_path_an_own_home_and_the_kubeconfig_alone(
    tmp_path: Path, kubeconfig: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("GOOGLE_API_KEY", "must-not-leave")
    program = stand_in(tmp_path, "env", "touch $HOME/cache")

    result = await KubectlRunner(kubeconfig, 5, program).run([])

    seen = dict(line.split("=", 1) for line in result.output.splitlines())
    own = {name: seen[name] for name in ("HOME", "KUBECONFIG", "PATH")}
    assert set(seen) - {"PWD", "OLDPWD", "_", "SHLVL"} == set(own)
    assert own["KUBECONFIG"] == str(kubeconfig)
    assert "kubectl-home-" in own["HOME"]
    assert not await asyncio.to_thread(Path(own["HOME"]).exists)


@needs_posix
async def test_both_outputs_and_the_exit_code_come_back(tmp_path: Path, kubeconfig: Path):
    program = stand_in(tmp_path, "echo done", "echo refused >&2", "exit 3")

    result = await KubectlRunner(kubeconfig, 5, program).run([])

    assert (result.exit_code, result.output, result.timed_out) == (3, "done\nrefused\n", False)
    assert not result.succeeded


@needs_posix
async def test_the_time_limit_kills_the_program_and_its_children(tmp_path: Path, kubeconfig: Path):
    alive = open_while_alive(tmp_path)
    program = stand_in(tmp_path, f"exec 3>{alive}", "sleep 60 &", "echo begun", "wait")

    async with asyncio.timeout(10), asyncio.TaskGroup() as group:
        ended = group.create_task(asyncio.to_thread(alive.read_bytes))
        result = await KubectlRunner(kubeconfig, 0.5, program).run([])

    assert (result.exit_code, result.output, result.timed_out) == (None, "begun\n", True)
    assert ended.result() == b""


@needs_posix
async def test_a_cancelled_run_leaves_no_process(tmp_path: Path, kubeconfig: Path):
    alive = open_while_alive(tmp_path)
    program = stand_in(tmp_path, f"exec 3>{alive}", "sleep 60 & wait")

    async with asyncio.timeout(10), asyncio.TaskGroup() as group:
        running = group.create_task(KubectlRunner(kubeconfig, 60, program).run([]))
        pipe = await asyncio.to_thread(alive.open, "rb")
        running.cancel()
        with pipe:
            rest = await asyncio.to_thread(pipe.read)

    assert running.cancelled()
    assert rest == b""


@needs_posix
@pytest.mark.parametrize("milliseconds", range(1, 25, 2))
async def test_a_run_that_is_cancelled_while_it_starts_leaves_no_process(
    tmp_path: Path, kubeconfig: Path, milliseconds: int
):
    alive = open_while_alive(tmp_path)
    program = stand_in(tmp_path, "sleep 60 3>alive &".replace("alive", str(alive)), "wait")

    with os.fdopen(os.open(alive, os.O_RDONLY | os.O_NONBLOCK), "rb", buffering=0) as pipe:
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(milliseconds / 1000):
                await KubectlRunner(kubeconfig, 60, program).run([])

        assert await asyncio.to_thread(_reads_to_its_end, pipe)


@needs_posix
async def test_a_long_output_is_cut_and_says_so_and_the_program_still_ends(
    tmp_path: Path, kubeconfig: Path
):
    program = stand_in(tmp_path, "head -c 300000 /dev/zero | tr '\\0' x", "exit 4")

    result = await KubectlRunner(kubeconfig, 10, program, output_limit_bytes=1000).run([])

    assert result.exit_code == 4
    assert result.output == "x" * 1000 + "\n… (cut after 1000 bytes)"


@needs_posix
async def test_an_output_that_is_not_text_comes_back_as_text(tmp_path: Path, kubeconfig: Path):
    program = stand_in(tmp_path, "printf 'a\\377b'")

    result = await KubectlRunner(kubeconfig, 5, program).run([])

    assert result.output == "a\N{REPLACEMENT CHARACTER}b"


@needs_posix
async def test_nothing_can_be_typed_into_the_program(tmp_path: Path, kubeconfig: Path):
    program = stand_in(tmp_path, "cat", "echo end")

    result = await KubectlRunner(kubeconfig, 5, program).run([])

    assert result.output == "end\n"


@needs_posix
async def test_a_saved_object_is_read_to_its_end(tmp_path: Path, kubeconfig: Path):
    program = stand_in(tmp_path, "wc -c")

    result = await KubectlRunner(kubeconfig, 5, program).run(["create", "-f", "-"], "x" * 300_000)

    assert result.output.strip() == "300000"


WITHOUT_A_TEMPORARY_FOLDER = """
import asyncio, sys, tempfile
from pathlib import Path
from app.adapters.cluster.kubectl import KubectlRunner
from app.domain.errors import ExternalFailed
Path(tempfile.gettempdir()).rmdir()
try:
    asyncio.run(KubectlRunner(Path(sys.argv[1]), 5, sys.argv[2]).run(["get", "pods"]))
except ExternalFailed as error:
    print(error)
"""


@needs_posix
def test_a_temporary_folder_that_takes_nothing_is_an_error_of_ours(
    tmp_path: Path, kubeconfig: Path
):
    folder = tmp_path / "gone"
    folder.mkdir()
    program = [sys.executable, "-c", WITHOUT_A_TEMPORARY_FOLDER, str(kubeconfig)]

    done = subprocess.run(
        [*program, stand_in(tmp_path, "exit 0")],
        cwd=REPOSITORY,
        env={**os.environ, "TMPDIR": str(folder)},
        capture_output=True,
        text=True,
        check=False,
    )

    assert re.search(r"could not be started: .*No such file", done.stdout), done.stderr


async def test_a_missing_kubectl_is_trouble_and_an_error(kubeconfig: Path):
    runner = KubectlRunner(kubeconfig, 5, "no-such-kubectl")

    assert await runner.trouble() == (
        "no-such-kubectl is not on the PATH: install kubectl or unset KUBECONFIG."
    )
    with pytest.raises(ExternalFailed, match="not on the PATH"):
        await runner.run(["version"])


@needs_posix
async def test_a_program_that_cannot_be_started_is_an_error(tmp_path: Path, kubeconfig: Path):
    program = tmp_path / "kubectl"
    program.write_text("#!/no/such/interpreter\n")
    program.chmod(0o755)

    with pytest.raises(ExternalFailed, match="could not be started"):
        await KubectlRunner(kubeconfig, 5, str(program)).run(["version"])


@needs_posix
async def test_an_unreadable_kubeconfig_is_trouble(tmp_path: Path, kubeconfig: Path):
    program = stand_in(tmp_path, "exit 0")

    assert await KubectlRunner(kubeconfig, 5, program).trouble() is None
    assert await KubectlRunner(tmp_path / "none", 5, program).trouble() == (
        f"KUBECONFIG {tmp_path / 'none'} cannot be read: No such file or directory."
    )


@pytest.fixture
def kube_api() -> Iterator[KubeApi]:
    with open_kube_api() as api:
        yield api


def runner_of(api: KubeApi, folder: Path) -> KubectlRunner:
    return KubectlRunner(api.write_kubeconfig(folder / "kubeconfig"), 15)


@needs_kubectl
async def test_kubectl_gets_the_pods_of_the_namespace(kube_api: KubeApi, tmp_path: Path):
    result = await runner_of(kube_api, tmp_path).run(
        parse("kubectl get po -n shop -l app=lonely -o name").argv()
    )

    assert (result.exit_code, result.output) == (0, "pod/checkout-1\n")


@needs_kubectl
async def test_which_kinds_the_cluster_has_is_asked_once(kube_api: KubeApi, tmp_path: Path):
    kubeconfig = kube_api.write_kubeconfig(tmp_path / "kubeconfig")
    runner = KubectlRunner(kubeconfig, 15, cache=tmp_path / "cache")
    command = parse("kubectl get po -n shop -o name").argv()
    first = await runner.run(command)
    asked = len(kube_api.requests)

    again = await runner.run(command)

    assert again.succeeded
    assert again.output == first.output
    assert len(kube_api.requests) - asked == 1 < asked


@needs_kubectl
async def test_kubectl_scales_the_deployment_that_is_named(kube_api: KubeApi, tmp_path: Path):
    result = await runner_of(kube_api, tmp_path).run(
        parse("kubectl -n shop scale deploy checkout --replicas 5").argv()
    )

    assert result.succeeded, result.output
    assert kube_api.replicas == 5
    assert {path for _, path in kube_api.writes} == {f"{DEPLOYMENT}/scale"}


@needs_kubectl
async def test_a_dry_run_changes_nothing_in_the_cluster(kube_api: KubeApi, tmp_path: Path):
    runner = runner_of(kube_api, tmp_path)

    await runner.run(parse("scale deploy/checkout --replicas=5 -n shop --dry-run").argv())
    await runner.run(parse("scale deploy/checkout --replicas=5 -n shop --dry-run=server").argv())

    assert kube_api.replicas == 2


@needs_kubectl
async def test_kubectl_restarts_the_deployment(kube_api: KubeApi, tmp_path: Path):
    result = await runner_of(kube_api, tmp_path).run(
        parse("kubectl rollout restart deployment/checkout --namespace=shop").argv()
    )

    assert result.succeeded, result.output
    assert kube_api.restarted_at is not None


@needs_kubectl
async def test_kubectl_deletes_the_pod_that_is_named(kube_api: KubeApi, tmp_path: Path):
    result = await runner_of(kube_api, tmp_path).run(
        parse("kubectl delete pod checkout-1 -n shop --wait=false").argv()
    )

    assert result.succeeded, result.output
    assert kube_api.writes == [("DELETE", POD)]
    assert not kube_api.has_pod


@needs_kubectl
async def test_an_object_that_is_not_there_is_a_failure(kube_api: KubeApi, tmp_path: Path):
    result = await runner_of(kube_api, tmp_path).run(
        parse("kubectl rollout restart deployment/web --namespace=shop").argv()
    )

    assert result.exit_code == 1
    assert "not found" in result.output
    assert kube_api.writes == []


def _reads_to_its_end(pipe: io.FileIO) -> bool:
    """Whether nobody holds the other end; one that was just killed may need a moment."""
    watch = select.poll()
    watch.register(pipe, select.POLLHUP)
    return pipe.read(1) == b"" or bool(watch.poll(3000))
