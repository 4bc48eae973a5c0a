"""Assembly of everything that touches the cluster: it looks, runs, checks and takes back."""

from collections.abc import Coroutine
from dataclasses import dataclass
from datetime import timedelta

from app.adapters.cluster.kubectl import KubectlRunner
from app.approvals.changes import Changes
from app.approvals.checking import Checking
from app.approvals.cluster_look import ClusterLook
from app.approvals.execution import Execution
from app.approvals.filling import Filling
from app.approvals.judging import CommandJudge
from app.approvals.looking import Looking
from app.approvals.ports import ApprovalStore
from app.approvals.proving import Proving
from app.approvals.readiness import Readiness
from app.approvals.running import Running
from app.approvals.undoing import Undoing
from app.approvals.verifying import Pace, Verifying
from app.approvals.voiding import Voiding
from app.approvals.watching import Watching
from app.domain.ports import Clock, CommandRunner
from app.kubectl.modes import why_mode_refuses
from app.settings import Settings

LOOK_SECONDS = 10.0
READ_SECONDS = 30.0
"""For what an agent reads without asking anybody."""
LOOK_BYTES = 4 * 1024 * 1024
"""Lists of pods are long, and a cut one cannot be read."""
KINDS_CACHE = "kubectl-cache"


@dataclass(frozen=True, slots=True)
class Ground:
    """What every part of it stands on."""

    store: ApprovalStore
    judge: CommandJudge
    clock: Clock
    changes: Changes


@dataclass(frozen=True, slots=True)
class ClusterParts:
    """What others need of it, and the loops that run while the server does."""

    runner: CommandRunner | None
    looking: Looking
    loops: tuple[Coroutine[object, object, None], ...]


def to_runner(settings: Settings) -> CommandRunner | None:
    """What runs approved commands; None without a cluster."""
    if settings.kubeconfig is None:
        return None
    return KubectlRunner(
        settings.kubeconfig,
        settings.command_timeout_seconds,
        cache=settings.data_dir / KINDS_CACHE,
        honours_waits=True,
    )


def to_reader(settings: Settings) -> CommandRunner | None:
    """What runs the reads that nobody approves; None without a cluster."""
    if settings.kubeconfig is None:
        return None
    seconds = min(READ_SECONDS, settings.command_timeout_seconds)
    return KubectlRunner(settings.kubeconfig, seconds, cache=settings.data_dir / KINDS_CACHE)


def to_cluster_parts(settings: Settings, ground: Ground, expiry: timedelta) -> ClusterParts:
    """Built in order; nothing runs yet."""
    store, judge, clock, changes = ground.store, ground.judge, ground.clock, ground.changes
    runner, look = to_runner(settings), _look(settings)
    mode = settings.command_mode
    running = Running(runner, lambda command: why_mode_refuses(command.policy_risk, mode))
    proving = Proving(look, judge, clock)
    looking = Looking(store, judge, proving, running, has_cluster=runner is not None)
    voiding = Voiding(store, judge, clock, changes, expiry)
    readiness = Readiness(store, judge, proving, voiding)
    watching = Watching(look, judge) if look else None
    checking = Checking(store, judge, running, changes)
    pace = Pace(settings.verify_after_seconds, settings.verify_timeout_seconds)
    loops = (
        Execution(store, judge, running, readiness, clock, changes).run(),
        Undoing(store, judge, running, looking.before_undo, clock, changes).run(),
        Verifying(store, watching, checking, clock, changes, pace).run(),
        Filling(store, looking, changes).run(),
    )
    return ClusterParts(runner, looking, loops)


def _look(settings: Settings) -> ClusterLook | None:
    if settings.kubeconfig is None:
        return None
    seconds = min(LOOK_SECONDS, settings.command_timeout_seconds)
    return ClusterLook(
        KubectlRunner(
            settings.kubeconfig,
            seconds,
            output_limit_bytes=LOOK_BYTES,
            cache=settings.data_dir / KINDS_CACHE,
        )
    )
