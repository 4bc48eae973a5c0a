"""What a person sees of a change: every field that differs, and no secret."""

import copy
from typing import Any

import pytest

from app.kubectl.field_diff import HIDDEN, LONGEST_TEXT, MOST_CHANGES, shown_changes
from tests.fakes.kube_api_objects import config_map
from tests.fakes.kube_api_proofs import container, live, seen

SECRET = "hunter2-x7Kq9x7Kq9"
Shown = list[tuple[str, Any, Any]]


def shown(before: dict[str, Any] | None, after: dict[str, Any]) -> Shown:
    found = shown_changes(seen(before) if before else None, seen(after))
    return [(change.path, change.before, change.after) for change in found]


def changed(**fields: Any) -> dict[str, Any]:
    found = live()
    container(found).update(fields)
    return found


POD = "spec.template.spec"


@pytest.mark.parametrize(
    ("after", "changes"),
    [
        (live(), []),
        (live(resourceVersion="4712", generation=4, managedFields=[{"manager": "me"}]), []),
        (live(annotations={"deployment.kubernetes.io/revision": "4"}), []),
        ({**live(), "status": {}}, []),
        (changed(securityContext={}, ports=None), []),
        (
            {**live(), "spec": {**live()["spec"], "replicas": 5}},
            [("spec.replicas", 2, 5)],
        ),
        (
            changed(image="checkout:2"),
            [(f"{POD}.containers[0].image", "checkout:1", "checkout:2")],
        ),
        (
            changed(env=[{"name": "A", "value": "1"}, {"name": "DB_HOST", "value": "other"}]),
            [
                (f"{POD}.containers[0].env[1].value", "orders-db", "other"),
                (f"{POD}.containers[0].env[0]", None, {"name": "A", "value": "1"}),
            ],
        ),
        (
            changed(env=[]),
            [
                (
                    f"{POD}.containers[0].env",
                    [{"name": "DB_HOST", "value": "orders-db"}],
                    None,
                )
            ],
        ),
        (
            live(annotations={"example.com/owner": "Ada"}),
            [("metadata.annotations", None, {"example.com/owner": "Ada"})],
        ),
        (
            changed(args=["--fast", "--loud"]),
            [(f"{POD}.containers[0].args", None, ["--fast", "--loud"])],
        ),
    ],
)
def test_fields_that_people_decide_about_are_compared(after: dict[str, Any], changes: Shown):
    assert shown(live(), after) == changes


def test_a_new_object_is_shown_whole():
    assert shown(None, config_map("settings")) == [
        ("apiVersion", None, "v1"),
        ("data", None, {"mode": "fast"}),
        ("kind", None, "ConfigMap"),
        ("metadata", None, {"name": "settings", "namespace": "shop"}),
    ]


def test_a_secret_in_the_environment_is_not_shown_and_its_change_is():
    before = changed(env=[{"name": "DB_PASSWORD", "value": SECRET}])
    after = changed(env=[{"name": "DB_PASSWORD", "value": f"new-{SECRET}"}])

    found = shown(before, after)

    assert "hunter2" not in str(found)
    assert [path for path, _, _ in found] == [f"{POD}.containers[0].env[0].value"]
    assert found[0][1] != found[0][2]


def test_a_secret_in_an_annotation_is_not_shown():
    after = live(annotations={"example.com/token": f"api_key={SECRET}"})

    assert "hunter2" not in str(shown(live(), after))


def test_the_data_of_a_secret_is_never_shown():
    before = {**config_map("key", password=SECRET), "kind": "Secret"}
    after = copy.deepcopy(before)
    after["data"]["other"] = SECRET

    assert shown(before, after) == []
    assert SECRET not in str(shown(None, after))
    assert HIDDEN in str(shown(None, after))


def test_many_and_long_changes_are_cut():
    before = config_map("settings", **{f"key{number:03}": "a" for number in range(300)})
    after = config_map("settings", **{f"key{number:03}": "b" * 2000 for number in range(300)})

    found = shown(before, after)

    assert len(found) == MOST_CHANGES
    assert all(len(new) < LONGEST_TEXT + 10 for _, _, new in found)
