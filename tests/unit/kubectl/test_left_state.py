"""How an object was left: what was changed since is seen, and no value is kept."""

from typing import Any

import pytest

from app.kubectl.cluster_object import ClusterObject
from app.kubectl.left_state import changed_since, differing_fields, left_state
from tests.fakes.kube_api_objects import deployment

PASSWORD = "hunter2-and-more"
REPLICAS = ["spec.replicas"]
ENV = "spec.template.spec.containers[app].env[DB_PASSWORD]"
IMAGE = "spec.template.spec.containers[app].image"


def found(*, uid: str = "one", version: str = "7", **changes: Any) -> ClusterObject:
    """The deployment checkout; its status and what else the cluster fills in go with the version."""
    made = deployment("checkout", 2)
    made["metadata"] |= {"uid": uid, "resourceVersion": version, "generation": int(version)}
    made["spec"] |= changes
    made["status"] = {"readyReplicas": int(version)}
    return ClusterObject(made)


def with_image(image: str) -> ClusterObject:
    template = {"spec": {"containers": [{"name": "app", "image": image}]}}
    return found(template=template)


@pytest.mark.parametrize(
    ("now", "fields", "told"),
    [
        (found(), [], ()),
        (found(replicas=9), REPLICAS, ("spec.replicas is 9 now",)),
        (found(replicas=None), REPLICAS, ("spec.replicas is not set now",)),
        (found(paused=True), REPLICAS, ()),
        (found(paused=True), ["spec"], ("spec.paused is true now",)),
        (found(paused=True), [], ("spec.paused is true now",)),
        (found(uid="another"), REPLICAS, ("it was made anew",)),
        (None, REPLICAS, ("it is gone",)),
    ],
)
def test_what_was_changed_since_is_told_for_the_fields_that_matter(
    now: ClusterObject | None, fields: list[str], told: tuple[str, ...]
):
    assert changed_since(left_state(found().target, found()), now, fields) == told


def test_what_the_cluster_fills_in_is_no_change():
    left = left_state(found().target, found(version="7"))

    assert changed_since(left, found(version="9"), []) == ()


def test_what_was_gone_and_is_there_is_told():
    assert changed_since(left_state(found().target, None), found(), []) == ("it is there again",)
    assert changed_since(left_state(found().target, None), None, []) == ()


def test_containers_are_told_apart_by_their_names():
    before, after = with_image("checkout:1"), with_image("checkout:2")

    assert differing_fields(before, after) == (IMAGE,)
    assert changed_since(left_state(after.target, after), before, [IMAGE]) == (
        f"{IMAGE} is checkout:1 now",
    )


def test_only_some_changes_are_listed():
    now = found(limits={f"field{number}": number for number in range(9)})

    told = changed_since(left_state(now.target, found()), now, [])

    assert told[0] == "spec.limits.field0 is 0 now"
    assert told[-1] == "6 more"


def test_no_value_is_kept_or_told_that_is_a_secret():
    secret = ClusterObject(
        {
            "kind": "Secret",
            "metadata": {"name": "db", "namespace": "shop", "labels": {"tier": "data"}},
            "data": {"password": PASSWORD},
        }
    )
    env = [{"name": "DB_PASSWORD", "value": PASSWORD}]
    template = {"spec": {"containers": [{"name": "app", "env": env}]}}
    now = found(template=template)

    kept = left_state(secret.target, secret)
    told = changed_since(left_state(now.target, found()), now, [ENV])

    assert [path for path in kept.digests if path.startswith("data")] == []
    assert PASSWORD not in left_state(now.target, now).model_dump_json()
    assert told == (f"{ENV}.name is another one now", f"{ENV}.value is another one now")
