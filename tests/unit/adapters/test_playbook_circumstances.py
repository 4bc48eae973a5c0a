"""What stands around a failure: changes shortly before it, owners, and how many replicas are wanted."""

import pytest

from app.adapters.reasoning.playbook import PlaybookReasoner
from app.domain.guidance import ActionScore, Guidance
from app.domain.plan import Plan
from app.intake.batch import read_batch
from tests.unit.adapters.playbook_session import Session, investigate

KILLED = """Name:           {name}-7c9b44d6f8-h8xwz
Namespace:      shop
Controlled By:  ReplicaSet/{name}-7c9b44d6f8
Containers:
  main:
    Last State:     Terminated
      Reason:       OOMKilled
      Exit Code:    137
"""


@pytest.fixture(scope="module")
def reasoner() -> PlaybookReasoner:
    return PlaybookReasoner()


async def _changes(reasoner: PlaybookReasoner, line: str, name: str) -> list[str]:
    seen = await investigate(reasoner, read_batch(f"{line}\n{KILLED}".format(name=name)))
    cause = seen.analysis.root_cause_analysis[0]
    return [factor for factor in cause.contributing_factors if factor.startswith("Changed")]


def _planned(seen: Session) -> list[str]:
    """The commands by which the plans change something, alternatives last."""
    plans = seen.remediation.remediation_plans
    first = [command.command for plan in plans for command in plan.steps[1].commands]
    others = [one for plan in plans for way in plan.alternative_solutions for one in way.commands]
    return first + others


@pytest.mark.parametrize(
    "name", ["till", "ledger-eu", "web-frontend", "kafka-broker", "auth-gateway", "mail-relay"]
)
@pytest.mark.parametrize(
    "line",
    [
        "Normal ScalingReplicaSet {name} rollout to revision 3 started after image changed to r/{name}:2",
        "Normal ScalingReplicaSet 4m Scaled up replica set {name}-5c7d8f6b9 to 1",
        "flux: HelmRelease shop/{name} upgrade succeeded with chart 4.2.0",
        "Helm upgrade succeeded for release shop/{name}.v5 with chart base@4.2.0",
        "we rolled out {name} 1.4.2 ten minutes ago",
        "shipped {name}:v7.0.1 just now",
        "{name}: release 2026.11.3 went live",
        "build 4711 was deployed",
        "kubectl set image deployment/{name} main=r/{name}:2 -n shop",
        "2026-05-01T08:00:01Z ann: kubectl -n shop rollout restart deploy {name}",
    ],
)
async def test_a_change_is_seen_whatever_the_workload_is_called(
    reasoner: PlaybookReasoner, line: str, name: str
):
    assert await _changes(reasoner, line, name)


@pytest.mark.parametrize(
    "line",
    [
        "Normal ScalingReplicaSet 4m Scaled up replica set mailer-5c7d8f6b9 to 1",
        "flux: HelmRelease post/mailer upgrade succeeded with chart 4.2.0",
        "rolled out mailer 1.4.2 ten minutes ago",
        "kubectl set image deployment/mailer main=r/mailer:2 -n post",
        "rolled out {name} 1.4.2 three weeks ago",
        "{name} 1.4.2 is listening",
        "Warning: {name} is missing an annotation which is required by kubectl apply",
        "HelmRelease {name} upgrade failed",
    ],
)
async def test_what_another_did_or_nobody_did_is_no_change(reasoner: PlaybookReasoner, line: str):
    assert not await _changes(reasoner, line, "auth-gateway")


async def test_a_part_of_a_release_changes_with_it(reasoner: PlaybookReasoner):
    line = "HelmRelease auth upgrade succeeded"

    assert await _changes(reasoner, line, "auth-gateway")
    assert not await _changes(reasoner, line, "authority")


@pytest.mark.parametrize("pod", ["mailer-qgffhqmxh-kxzwt", "mailer-qgffhqmxh-8kxzw"])
async def test_a_hash_without_a_digit_is_no_part_of_the_deployments_name(
    reasoner: PlaybookReasoner, pod: str
):
    seen = await investigate(
        reasoner,
        read_batch(
            f"08:00:01 kubelet pod shop/{pod} container main OOMKilled exit code 137\n"
            "Controlled By: ReplicaSet/mailer-qgffhqmxh\n"
        ),
    )

    assert "kubectl rollout undo deployment/mailer -n shop" in _planned(seen)
    assert not [command for command in _planned(seen) if "qgffhqmxh" in command]


async def test_the_owner_a_page_tells_counts_more_than_what_a_pods_name_suggests(
    reasoner: PlaybookReasoner,
):
    seen = await investigate(
        reasoner,
        read_batch(
            "Warning BackOff pod shop/agent-blue-x7k2q OOMKilled\n"
            "Name:           agent-blue-x7k2q\n"
            "Namespace:      shop\n"
            "Controlled By:  DaemonSet/agent\n"
        ),
    )

    entities = seen.analysis.root_cause_analysis[0].entities
    assert (entities.workload_kind, entities.workload) == ("daemonset", "agent")


async def test_the_container_and_its_limit_in_a_line_of_the_killer_let_the_limit_be_raised(
    reasoner: PlaybookReasoner,
):
    seen = await investigate(
        reasoner,
        read_batch("OOMKilled object=StatefulSet shop/index container main limit 512Mi\n"),
    )

    assert _planned(seen)[0] == (
        "kubectl set resources statefulset/index --containers=main --limits=memory=1024Mi -n shop"
    )


BUSY = (
    "CPUThrottlingHigh: 78% throttling of CPU in namespace shop for container web in pod"
    " cart-6f7d8c9b5-x2x4z\n"
    "pod cart-6f7d8c9b5-2x4zx is fine, pod cart-6f7d8c9b5-4zx2x is fine\n"
)


@pytest.mark.parametrize(
    "line",
    [
        "deployment/cart: 4 of 5 replicas ready",
        "4 of 5 replicas ready",
        "cart 4/5 ready",
        "READY 4/5",
        "NAME READY UP-TO-DATE AVAILABLE AGE\ncart 4/5 5 4 41d",
        "kind: Deployment\nspec:\n  replicas: 5\nstatus:\n  replicas: 4\n  readyReplicas: 4",
        "Replicas:  5 desired | 4 updated | 5 total | 4 available | 1 unavailable",
        'Waiting for deployment "cart" rollout to finish: 4 out of 5 new replicas have been updated',
        "4 available replicas: 3 missing, desired: 5",
        "mailer 2/2 ready\ndeployment/cart 4/5 ready",
    ],
)
async def test_the_replicas_that_the_text_wants_are_what_a_plan_counts_from(
    reasoner: PlaybookReasoner, line: str
):
    seen = await investigate(reasoner, read_batch(f"{BUSY}{line}\n"))

    assert "kubectl scale deployment/cart --current-replicas=5 --replicas=7 -n shop" in (
        _planned(seen)
    )


@pytest.mark.parametrize(
    "line",
    [
        "",
        "pod cart-6f7d8c9b5-x2x4z 1/2 ready",
        "2/3 nodes ready",
        "1/2 containers are ready",
        "ready replicas: 4",
        "minReplicas: 2",
        "max replicas: 9",
        "deployment/mailer 2/4 ready",
        "3 of 4 replicas ready\n5 of 6 replicas ready",
    ],
)
async def test_no_number_of_replicas_is_invented(reasoner: PlaybookReasoner, line: str):
    seen = await investigate(reasoner, read_batch(f"{BUSY}{line}\n"))

    assert _planned(seen)
    assert not [command for command in _planned(seen) if "replicas=" in command]


@pytest.mark.parametrize(
    "line",
    [
        "cfs throttling: nr_throttled 4213 of nr_periods 9000",
        "request throttled by cfs quota, nr_throttled 4213",
        "kernel: CPU throttling: 62% of periods",
    ],
)
async def test_a_kernel_that_throttles_limits_no_rate(reasoner: PlaybookReasoner, line: str):
    seen = await investigate(reasoner, read_batch(f"ERROR {line}\n"))

    assert seen.modes == ["cpu_throttling"]


async def test_an_api_that_throttles_limits_a_rate(reasoner: PlaybookReasoner):
    seen = await investigate(reasoner, read_batch("ERROR Throttling: Rate exceeded\n"))

    assert seen.modes == ["rate_limited"]


async def test_plans_of_two_causes_do_not_scale_one_workload_up_and_down(
    reasoner: PlaybookReasoner,
):
    liked = Guidance(scoreboard=(ActionScore("scale/deployment", 0.95, 9, 0),))
    text = f"{BUSY}deployment/cart 3/3 ready\nERROR call to rates API: 429 Too Many Requests\n"

    seen = await investigate(reasoner, read_batch(text), liked)

    plans = seen.remediation.remediation_plans
    scaled = [command for command in _planned(seen) if " scale " in command]
    left_out = [plan for plan in plans if "Not proposed: kubectl scale" in words(plan)]
    assert len(plans) == 2
    assert len(scaled) == 1
    assert "contradicts the plan for a more certain cause" in words(left_out[0])
    assert left_out[0] is plans[1]
    assert plans[1].steps[1].commands


def words(plan: Plan) -> str:
    return plan.steps[1].description
