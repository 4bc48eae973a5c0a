"""From a fresh copy to a rated plan with nothing but the run script, as the README says."""

import json
import re
import shutil
import subprocess
import time
from collections.abc import Iterator

import httpx
import pytest

from tests.e2e.conftest import FreshCopy
from tests.fakes.servers import REPOSITORY, RunningProduct, stop

# Both servers in a busy machine's time; `./run.sh bench` has the figure of a quiet one.
SECOND_START_SECONDS = 15

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(300)]


@pytest.fixture
def started(fresh_copy: FreshCopy) -> Iterator[RunningProduct]:
    product = fresh_copy.start()
    yield product
    stop(product)


def events_of(api: httpx.Client, workflow_id: str) -> list[dict[str, object]]:
    stream = api.get(f"/workflows/{workflow_id}/stream").raise_for_status()
    lines = stream.text.splitlines()
    return [json.loads(line[6:]) for line in lines if line.startswith("data: ")]


def test_it_says_where_it_answers_who_answers_and_where_data_goes(started: RunningProduct):
    printed = started.printed()

    assert f"http://localhost:{started.port}" in printed
    assert f"http://localhost:{started.approval_port}" in printed
    assert "playbooks" in printed
    assert str(started.data_dir) in printed


def test_what_happened_is_there_after_a_stop_and_a_quick_second_start(
    fresh_copy: FreshCopy, started: RunningProduct
):
    log = (REPOSITORY / "data" / "samples" / "oom-killed.log").read_bytes()
    with httpx.Client(base_url=f"{started.url}/api/v1", timeout=30) as api:
        workflow_id = api.post("/workflows/start", content=log).json()["workflow_id"]
        events = events_of(api, workflow_id)
        (plan, *_) = api.get(f"/feedback/workflow/{workflow_id}").json()["feedback_opportunities"]
        rating = {"feedback_id": plan["feedback_id"], "rating": 4, "was_helpful": True}
        api.post("/feedback/submit", json=rating).raise_for_status()
        statistics = api.get("/feedback/statistics").json()
    started.terminate()

    began = time.monotonic()
    again = fresh_copy.start(limit=SECOND_START_SECONDS)
    took = time.monotonic() - began
    try:
        with httpx.Client(base_url=f"{again.url}/api/v1", timeout=30) as api:
            assert events_of(api, workflow_id) == events
            assert api.get("/feedback/statistics").json() == statistics
    finally:
        stop(again)

    assert events[-1]["status"] == "COMPLETED"
    assert str(events[-1]["data"]).startswith("Workflow completed successfully")
    assert statistics["total_feedbacks"] >= 1
    assert "Installing" not in again.printed()
    assert took < SECOND_START_SECONDS


@pytest.mark.skipif(not shutil.which("jq"), reason="jq is not installed: apt-get install jq")
@pytest.mark.skipif(not shutil.which("curl"), reason="curl is not installed: apt-get install curl")
def test_the_session_in_the_readme_works_as_it_is_written(started: RunningProduct):
    text = (REPOSITORY / "README.md").read_text()
    (session,) = re.findall(r"## Use it from a shell\n\n```sh\n(.*?)```", text, re.S)
    session = session.replace(":8000", f":{started.port}").replace(
        ":3100", f":{started.approval_port}"
    )

    shell = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", session],
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )

    assert shell.returncode == 0, shell.stderr
    assert '"status":"approved"' in shell.stdout.replace(" ", "")
    assert '"success":true' in shell.stdout.replace(" ", "")
    statistics = json.loads(shell.stdout[shell.stdout.rindex('{\n  "agent_statistics"') :])
    assert statistics["agent_statistics"]["RemediationAgent"]["total_outputs"] >= 1
    assert statistics["total_feedbacks"] >= 1


def test_verify_comes_before_the_start(fresh_copy: FreshCopy):
    product = fresh_copy.start("--verify")
    stop(product)

    printed = product.printed()
    assert printed.index("Everything is ready.") < printed.index(f":{product.port}/ui/")


def test_an_unknown_command_is_refused_with_the_list_of_commands(fresh_copy: FreshCopy):
    answer = subprocess.run(
        [fresh_copy.folder / "run.sh", "launch"], capture_output=True, text=True, check=False
    )

    assert answer.returncode == 1
    assert "--verify" in answer.stderr
    assert "no command launch" in answer.stderr
