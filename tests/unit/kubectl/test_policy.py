"""A policy that cannot be used stops the start with one line."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from app.domain.errors import StartupFailed
from app.kubectl.evidence import Evidence
from app.kubectl.grammar import grammar
from app.kubectl.guard import judge_text
from app.kubectl.policy import DEFAULT, UNNAMED, Risk, load_policy

WritePolicy = Callable[..., Path]


@pytest.fixture
def written(tmp_path: Path) -> WritePolicy:
    """Writes the default policy with one part changed."""

    def write(**changes: Any) -> Path:
        policy = yaml.safe_load(DEFAULT.read_text(encoding="utf-8")) | changes
        path = tmp_path / "policy.yaml"
        path.write_text(yaml.safe_dump(policy), encoding="utf-8")
        return path

    return write


def test_every_verb_of_kubectl_has_a_rule():
    policy = load_policy()

    assert [
        path for path in grammar().verbs if policy.rule(grammar().verbs[path].path) is UNNAMED
    ] == []


def test_a_verb_that_no_policy_names_is_forbidden(written: WritePolicy):
    policy = load_policy(file=written(reads={"get": ["output"]}))

    _, verdict = judge_text("kubectl describe pod web", policy, Evidence.from_text([]))

    assert verdict.risk is Risk.FORBIDDEN
    assert verdict.reasons == ("describe: the policy does not name it",)


def test_another_policy_is_obeyed(written: WritePolicy):
    names = {"names": ["shop-*"], "reason": "hands off"}
    policy = load_policy(file=written(protected_namespaces=names))

    _, verdict = judge_text(
        "kubectl rollout restart deploy/web -n shop-eu", policy, Evidence.from_text([])
    )

    assert verdict.reasons == ("shop-eu: hands off",)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"reads": {"look": []}}, "kubectl has no verb 'look'"),
        ({"reads": {"get": ["nope"]}}, "get has no flag nope"),
        ({"reads": {"scale": []}}, "two rules for scale"),
        ({"surprise": 1}, "surprise: Extra inputs are not permitted"),
        ({"placeholder_names": "("}, "placeholder_names: "),
        ({"outputs": "json"}, "outputs: "),
    ],
)
def test_a_wrong_policy_stops_the_start_with_one_line(
    written: WritePolicy, changes: dict[str, Any], words: str
):
    with pytest.raises(StartupFailed, match=words) as failure:
        load_policy(file=written(**changes))

    assert "\n" not in str(failure.value)


@pytest.mark.parametrize("content", [b"a: [", b"\xff", None])
def test_an_unreadable_policy_stops_the_start_with_one_line(tmp_path: Path, content: bytes | None):
    path = tmp_path / "policy.yaml"
    if content is not None:
        path.write_bytes(content)

    with pytest.raises(StartupFailed, match="cannot be used") as failure:
        load_policy(file=path)

    assert "\n" not in str(failure.value)
