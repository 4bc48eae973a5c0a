"""What it costs to parse and judge a command, by kind of command, beside a bare shlex.split.

`python -m bench.commands` prints commands per second of processor time on one core.
"""

import shlex
import time
from collections.abc import Callable, Mapping, Sequence

from app.kubectl.evidence import Evidence
from app.kubectl.guard import judge_text
from app.kubectl.policy import load_policy
from bench.figures import Figure, say

SECONDS = 1.0
ROUNDS = 3
COMMANDS: Mapping[str, tuple[str, ...]] = {
    "reads": (
        "kubectl get pods -n shop -o wide",
        "kubectl describe pod checkout-7d9f8b6c5-x2x4z -n shop",
        "kubectl logs checkout-7d9f8b6c5-x2x4z -n shop --previous --tail=100",
        "kubectl get events -n shop --sort-by=.lastTimestamp",
        "kubectl top pods -n shop --containers",
        "kubectl rollout status deploy/checkout -n shop --timeout=60s",
    ),
    "changes": (
        "kubectl rollout restart deployment/checkout -n shop",
        "kubectl scale deploy checkout --replicas=3 -n shop",
        "kubectl set image deploy/checkout app=registry.example/checkout:1.4.2 -n shop",
        "kubectl set resources deploy checkout -c app --limits=memory=1Gi -n shop",
        "kubectl delete pod checkout-7d9f8b6c5-x2x4z -n shop",
        "kubectl rollout undo deployment checkout -n shop --to-revision=3",
    ),
    "quoted": (
        "kubectl get pods -n shop -o jsonpath='{.items[*].status.containerStatuses[*].state}'",
        """kubectl patch deployment checkout -n shop -p '{"spec":{"replicas":3}}'""",
        """kubectl annotate deploy checkout -n shop note='restarted after the fix of 14:02'""",
        """kubectl get pods -l 'app in (checkout,cart)' -n "shop" --no-headers""",
        """kubectl patch deploy checkout -n shop --type=json """
        """-p '[{"op":"replace","path":"/spec/template/spec/containers/0/image","value":"a:2"}]'""",
    ),
    "refused": (
        "kubectl exec -it checkout-7d9f8b6c5-x2x4z -n shop -- sh",
        "kubectl delete pods --all -n shop",
        "kubectl get secret db -n shop -o yaml",
        "kubectl apply -f https://example.com/x.yaml",
        "kubectl scale deploy coredns --replicas=0 -n kube-system",
    ),
    "unreadable": (
        "kubectl get pods -n shop | grep Error",
        "kubectl delete pod <pod-name> -n shop",
        "kubectl get pods -n shop && kubectl delete ns shop",
        "helm rollback checkout 3",
    ),
}
# What plans are made of: mostly reads, some changes, a few that need quotes or are refused.
MIXED = [
    text
    for kind, share in {
        "reads": 5,
        "changes": 3,
        "quoted": 2,
        "refused": 1,
        "unreadable": 1,
    }.items()
    for text in COMMANDS[kind] * share
]
EVIDENCE = Evidence.from_text(
    [f"line {number} pod checkout-7d9f8b6c5-x2x4z in namespace shop" for number in range(200)]
)


def measure() -> list[Figure]:
    """Commands per second by kind, then all mixed with the ratio to shlex.split."""
    policy = load_policy()

    def judged(text: str) -> object:
        return judge_text(text, policy, EVIDENCE)

    figures = [
        Figure(f"commands judged per second, {kind}", _rate(judged, texts), "")
        for kind, texts in COMMANDS.items()
    ]
    say("commands: mixed, and shlex.split of the same")
    mixed, bare = _rate(judged, MIXED), _rate(_split, MIXED)
    return [
        *figures,
        Figure("commands judged per second, mixed", mixed, ""),
        Figure("the same by shlex.split alone", bare, ""),
        Figure("time of judging to shlex.split", bare / mixed, ""),
    ]


def _split(text: str) -> object:
    return shlex.split(text)


def _rate(work: Callable[[str], object], texts: Sequence[str]) -> float:
    """The best of a few rounds: the machine has other work, too."""
    return max(_round(work, texts) for _ in range(ROUNDS))


def _round(work: Callable[[str], object], texts: Sequence[str]) -> float:
    started, done = time.process_time(), 0
    while (seconds := time.process_time() - started) < SECONDS:
        for text in texts:
            work(text)
        done += len(texts)
    return done / seconds


if __name__ == "__main__":
    for figure in measure():
        print(f"{figure.meaning:<42} {figure}")
