"""Two commands contradict each other where one takes away what the other one does."""

import pytest

from app.kubectl.contradiction import contradicts


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (
            "kubectl scale deployment/cart --replicas=2 -n shop",
            "kubectl -n shop scale deploy cart --current-replicas=3 --replicas=4",
        ),
        (
            "kubectl scale deployment/cart --replicas=2",
            "kubectl scale deployment/cart --replicas=4 -n shop",
        ),
        (
            "kubectl set resources deployment/cart -c web --limits=cpu=1,memory=1Gi -n shop",
            "kubectl set resources deployment/cart -c web --limits=memory=2Gi -n shop",
        ),
        (
            "kubectl set image deployment/cart web=r/cart:1 -n shop",
            "kubectl set image deployment/cart web=r/cart:2 -n shop",
        ),
        (
            'kubectl patch hpa cart -p \'{"spec":{"maxReplicas":4}}\' -n shop',
            'kubectl patch hpa cart -p \'{"spec":{"minReplicas":1,"maxReplicas":2}}\' -n shop',
        ),
        (
            "kubectl rollout undo deployment/cart -n shop",
            "kubectl rollout undo deployment cart -n shop",
        ),
    ],
)
def test_both_together_do_not_do_what_either_is_for(one: str, other: str):
    assert contradicts(one, ["kubectl get pods", other])
    assert contradicts(other, [one])


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (
            "kubectl scale deployment/cart --replicas=4 -n shop",
            "kubectl scale deployment/cart --current-replicas=3 --replicas=4 -n shop",
        ),
        (
            "kubectl scale deployment/cart --replicas=4 -n shop",
            "kubectl scale deployment/cart --replicas=2 -n test",
        ),
        (
            "kubectl scale deployment/cart --replicas=4 -n shop",
            "kubectl scale statefulset/cart --replicas=2 -n shop",
        ),
        (
            "kubectl set resources deployment/cart -c web --limits=cpu=1 -n shop",
            "kubectl set resources deployment/cart -c web --limits=memory=2Gi -n shop",
        ),
        (
            "kubectl set resources deployment/cart -c web --limits=cpu=1 -n shop",
            "kubectl set resources deployment/cart -c proxy --limits=cpu=2 -n shop",
        ),
        (
            "kubectl rollout undo deployment/cart --to-revision=3",
            "kubectl rollout undo deployment/cart --to-revision=3",
        ),
        ("kubectl rollout undo deployment/cart", "kubectl rollout restart deployment/cart"),
        ("kubectl logs cart-0 --tail=5", "kubectl logs cart-0 --tail=9"),
        ("kubectl frobnicate cart", "kubectl scale deployment/cart --replicas=2"),
    ],
)
def test_what_can_be_done_both_is_no_contradiction(one: str, other: str):
    assert not contradicts(one, [other])
