"""What runs after an approval, in which order, and what never does."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path

import pytest

from app.adapters.storage.approvals import SqlApprovals, open_approvals
from app.adapters.storage.location import DatabaseLocation
from app.approvals.changes import Changes
from app.approvals.execution import RUN_WITHIN, Execution
from app.approvals.judging import CommandJudge
from app.approvals.ports import Proving as ProvingPort
from app.approvals.running import Running, WhyNotRun
from app.domain.approval import Decision
from app.domain.command_result import CommandResult
from app.domain.errors import ClusterFailed, ExternalFailed
from app.domain.ids import ApprovalId, new_process_id
from app.domain.ports import CommandRunner
from app.domain.review import Approval, ReviewedCommand
from app.domain.review_moves import ApprovalStatus, CommandStatus
from app.kubectl.policy import load_policy
from tests.fakes.approval_storage import to_readiness
from tests.fakes.approvals import (
    DELETE_VOLUME,
    GET,
    RESTART,
    SCALE,
    DrivenClock,
    ScriptedRunner,
    always_run,
    approval,
    command,
)
from tests.fakes.proofs import TableCluster, proof

ONE = ApprovalId("one")


@dataclass
class Desk:
    """A store with what executes it."""

    store: SqlApprovals
    clock: DrivenClock

    async def approved(self, *commands: ReviewedCommand) -> None:
        """Keep an approved request."""
        pending = approval(ONE, *commands)
        await self.store.create(pending, None, 10)
        await self.store.decide(pending.decide(Decision.APPROVED, None, None, self.clock.now()))

    async def executed(
        self,
        runner: CommandRunner | None,
        cluster: ProvingPort | None = None,
        why_not_run: WhyNotRun = always_run,
    ) -> Approval:
        """The request after everything ran that may; without a cluster, nothing is looked at."""
        judge, changes = CommandJudge(load_policy()), Changes()
        readiness = to_readiness(self.store, judge, self.clock, cluster)
        running = Running(runner, why_not_run)
        execution = Execution(self.store, judge, running, readiness, self.clock, changes)
        async with asyncio.TaskGroup() as group:
            await execution.begin(group)
        found = await self.store.get(ONE)
        assert found is not None
        return found


@pytest.fixture
async def desk(tmp_path: Path) -> AsyncIterator[Desk]:
    async with open_approvals(DatabaseLocation.of_file(tmp_path / "approvals.sqlite")) as database:
        clock = DrivenClock()
        yield Desk(SqlApprovals(database, new_process_id(), clock), clock)


async def test_approved_commands_run_in_order_with_their_namespace(desk: Desk):
    runner = ScriptedRunner()
    await desk.approved(command(RESTART), command("kubectl get pods"))

    ended = await desk.executed(runner)

    assert runner.ran == [
        ("rollout", "restart", "deployment/checkout", "--namespace=shop"),
        ("get", "pod", "--namespace=shop"),
    ]
    assert [one.status for one in ended.commands] == ["succeeded", "succeeded"]
    assert ended.commands[0].output == "done\n"


async def test_nothing_runs_twice(desk: Desk):
    runner = ScriptedRunner()
    await desk.approved(command(RESTART))

    await desk.executed(runner)
    await desk.executed(runner)

    assert len(runner.ran) == 1


@pytest.mark.parametrize(
    ("result", "status", "words"),
    [
        (CommandResult(1, "no such deployment", timed_out=False), "failed", "no such deployment"),
        (CommandResult(None, "", timed_out=True), "unknown", "not known"),
        (ExternalFailed("kubectl is not installed"), "failed", "kubectl is not installed"),
    ],
)
async def test_the_first_failure_stops_the_rest(
    desk: Desk, result: CommandResult | Exception, status: str, words: str
):
    runner = ScriptedRunner({"rollout": result})
    await desk.approved(command(RESTART), command(SCALE), command(GET))

    ended = await desk.executed(runner)

    assert [one.status for one in ended.commands] == [status, "skipped", "skipped"]
    assert words in ended.commands[0].output
    assert len(runner.ran) == 1


async def test_a_refused_command_never_runs_and_the_others_do(desk: Desk):
    runner = ScriptedRunner()
    await desk.approved(command(DELETE_VOLUME, is_refused=True), command(SCALE))

    ended = await desk.executed(runner)

    assert [one.status for one in ended.commands] == ["failed", "succeeded"]
    assert [argv[0] for argv in runner.ran] == ["scale"]


async def test_the_policy_is_asked_again_before_a_command_runs(desk: Desk):
    runner = ScriptedRunner()
    await desk.approved(command(DELETE_VOLUME, is_refused=False))

    ended = await desk.executed(runner)

    assert runner.ran == []
    assert ended.commands[0].output.startswith("refused by policy: ")


async def test_what_was_executing_when_the_server_died_is_unknown_and_stops_the_rest(desk: Desk):
    runner = ScriptedRunner()
    await desk.approved(command(RESTART), command(SCALE))
    await desk.store.move(ONE, 0, CommandStatus.EXECUTING, "")

    ended = await desk.executed(runner)

    assert [one.status for one in ended.commands] == ["unknown", "skipped"]
    assert runner.ran == []


async def test_an_approval_that_a_stopped_server_left_for_too_long_is_not_run(desk: Desk):
    runner = ScriptedRunner()
    await desk.approved(command(RESTART))
    desk.clock.advance(RUN_WITHIN + timedelta(seconds=1))

    ended = await desk.executed(runner)

    assert runner.ran == []
    assert ended.commands[0].status is CommandStatus.SKIPPED


async def test_without_a_cluster_commands_are_recorded(desk: Desk):
    await desk.approved(command(RESTART))

    ended = await desk.executed(None)

    assert ended.commands[0].status is CommandStatus.RECORDED


async def test_secrets_in_an_output_are_not_kept(desk: Desk):
    secret = "hunter2-" + "x7Kq9" * 3
    output = CommandResult(0, f"env DB_PASSWORD={secret} started\n", timed_out=False)
    await desk.approved(command(GET))

    ended = await desk.executed(ScriptedRunner({"get": output}))

    assert secret not in ended.commands[0].output
    assert "started" in ended.commands[0].output


async def test_a_step_that_verifies_does_not_run_with_the_others(desk: Desk):
    runner = ScriptedRunner()
    await desk.approved(command(RESTART), replace(command(GET), phase="VERIFY"))

    ended = await desk.executed(runner)

    assert [one.status for one in ended.commands] == ["succeeded", "waiting"]
    assert [argv[0] for argv in runner.ran] == ["rollout"]


async def test_after_a_failure_without_a_change_there_is_nothing_to_verify(desk: Desk):
    runner = ScriptedRunner({"rollout": CommandResult(1, "no", timed_out=False)})
    await desk.approved(command(RESTART), replace(command(GET), phase="VERIFY"))

    ended = await desk.executed(runner)

    assert [one.status for one in ended.commands] == ["failed", "skipped"]


async def test_a_command_that_was_rejected_alone_stops_nothing(desk: Desk):
    runner = ScriptedRunner()
    pending = approval(ONE, command(RESTART), command(SCALE))
    await desk.store.create(pending, None, 10)
    commands = (pending.commands[0].reject("too early"), pending.commands[1].approve())
    now = desk.clock.now()
    await desk.store.decide(pending.decide(Decision.APPROVED, None, None, now, commands))

    ended = await desk.executed(runner)

    assert [one.status for one in ended.commands] == ["skipped", "succeeded"]
    assert [argv[0] for argv in runner.ran] == ["scale"]


async def test_what_may_not_run_here_is_recorded_with_the_reason(desk: Desk):
    def why_not(found: ReviewedCommand) -> str | None:
        return None if found.text == GET else "Not run: this server only reads."

    runner = ScriptedRunner()
    await desk.approved(command(RESTART), command(GET))

    ended = await desk.executed(runner, why_not_run=why_not)

    assert [one.status for one in ended.commands] == ["recorded", "succeeded"]
    assert ended.commands[0].output == "Not run: this server only reads."
    assert [argv[0] for argv in runner.ran] == ["get"]


async def test_a_command_that_ran_out_of_time_says_what_to_look_at(desk: Desk):
    runner = ScriptedRunner({"rollout": CommandResult(None, "", timed_out=True)})
    await desk.approved(replace(command(RESTART), policy_risk="CAUTION"))

    ended = await desk.executed(runner)

    words = "kubectl get deployment/checkout --namespace=shop --output=yaml"
    assert words in ended.commands[0].output


async def proven(desk: Desk, version: str = "1") -> None:
    """Keep an approved request about an object that was seen."""
    pending = approval(ONE, replace(command(RESTART), proof=proof(version)))
    await desk.store.create(pending, None, 10)
    await desk.store.keep_proof(ONE, 0, RESTART, proof(version))
    found = await desk.store.get(ONE)
    assert found is not None
    await desk.store.decide(found.decide(Decision.APPROVED, "Ada", None, desk.clock.now()))


async def test_an_object_that_is_as_it_was_seen_is_changed(desk: Desk):
    runner = ScriptedRunner()
    await proven(desk)

    ended = await desk.executed(runner, TableCluster("1"))

    assert ended.commands[0].status is CommandStatus.SUCCEEDED


@pytest.mark.parametrize(("version", "words"), [("2", "changed"), (None, "is gone")])
async def test_an_object_that_is_not_as_it_was_seen_is_asked_about_again(
    desk: Desk, version: str | None, words: str
):
    runner, cluster = ScriptedRunner(), TableCluster()
    cluster.version = version
    await proven(desk)

    again = await desk.executed(runner, cluster)

    assert runner.ran == []
    assert (again.status, again.round) == (ApprovalStatus.PENDING, 2)
    assert again.void_reason is not None
    assert f"deployment/checkout {words} after the decision" in again.void_reason


async def test_while_the_cluster_cannot_be_asked_nothing_runs_and_in_the_end_it_is_too_late(
    desk: Desk,
):
    runner, cluster = ScriptedRunner(), TableCluster("1")
    cluster.trouble = ClusterFailed("It does not answer.")
    await proven(desk)

    waiting = await desk.executed(runner, cluster)
    desk.clock.advance(RUN_WITHIN + timedelta(seconds=1))
    ended = await desk.executed(runner, cluster)

    assert waiting.commands[0].status is CommandStatus.WAITING
    assert ended.commands[0].status is CommandStatus.SKIPPED
    assert runner.ran == []
