"""The statistics of a team's past: what the API answers, and what the page shows of it."""

from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from tests.fakes.past import Past, avoid
from tests.fakes.servers import RunningProduct, running_product

LEARNER = "RemediationAgent"
CONTRACT = {
    *("total_outputs", "approved_count", "rejected_count", "pending_count", "approval_rate"),
    *("average_reward", "learning_examples"),
}

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(180)]


@pytest.fixture(scope="module")
def product(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningProduct]:
    root = tmp_path_factory.mktemp("statistics")
    past = Past()
    past.experiment(600, guided=0.85, held_out=0.35, share=0.2)
    past.plan("odd", (0, 2), mode="<b>odd</b>", shown=[avoid("w1_remediation_1")])
    past.write(root / "data" / "feedback" / "remediation_feedback.jsonl")
    with running_product(root) as running:
        yield running


def statistics(product: RunningProduct) -> dict[str, Any]:
    answer = httpx.get(f"{product.url}/api/v1/feedback/statistics", timeout=30).json()
    found: dict[str, Any] = answer["agent_statistics"][LEARNER]
    return found


def test_the_contracts_fields_are_there_and_both_addresses_say_the_same(product: RunningProduct):
    found = statistics(product)

    address = f"{product.url}/api/v1/feedback/statistics/{LEARNER}"
    assert found.keys() >= CONTRACT
    assert httpx.get(address, timeout=30).json()["statistics"] == found


def test_rates_have_intervals_in_total_and_by_group(product: RunningProduct):
    found = statistics(product)

    interval = found["approval_interval"]
    assert interval["low"] < found["approval_rate"] < interval["high"]
    groups = found["approval_by"]
    assert {rate["name"] for rate in groups["failure_mode"]} == {
        *("oom_killed", "image_pull", "crash_loop", "<b>odd</b>")
    }
    assert {rate["name"] for rate in groups["environment"]} == {"production", "staging"}
    assert [rate["name"] for rate in groups["week"]][:2] == ["2030-W01", "2030-W02"]
    for rates in groups.values():
        assert sum(rate["plans"] for rate in rates) == 601
        for rate in rates:
            assert rate["interval"]["low"] <= rate["approval_rate"] <= rate["interval"]["high"]


def test_the_lift_is_found_and_said_in_a_sentence(product: RunningProduct):
    holdout = statistics(product)["holdout"]

    lift = holdout["approval"]["lift"]
    assert lift["verdict"] == "better"
    assert lift["interval"]["low"] > 0
    assert lift["difference"] == pytest.approx(0.5, abs=0.1)
    means = lift["guided"]["mean"] - lift["held_out"]["mean"]
    assert lift["plain_difference"] == pytest.approx(means)
    assert "is adjusted for which incidents each group happened to get" in lift["explanation"]
    assert lift["sentence"].startswith("What was learned raises approval by ")
    assert holdout["reward"]["lift"]["verdict"] == "better"


def test_the_off_policy_estimates_agree_with_the_experiment(product: RunningProduct):
    off_policy = statistics(product)["holdout"]["approval"]["off_policy"]

    for policy, truth in (("guided", 0.85), ("held_out", 0.35)):
        found = off_policy[policy]
        assert found["effective_sample_size"] == pytest.approx(found["matching"])
        for estimate in ("self_normalised", "doubly_robust"):
            assert found[estimate]["value"] == pytest.approx(truth, abs=0.1)


def test_used_examples_are_listed_with_how_it_went(product: RunningProduct):
    most, other = statistics(product)["examples_used"]

    assert most["feedback_id"] == "w0_remediation_1"
    assert most["followed_count"] == most["decided_plans"] > 400
    assert most["approval_rate"] > 0.8
    assert (other["feedback_id"], other["avoided_count"]) == ("w1_remediation_1", 1)


def test_the_curve_is_served_as_a_picture(product: RunningProduct):
    address = f"{product.url}/api/v1/feedback/learning-curve.svg"

    answer = httpx.get(address, timeout=30)

    assert answer.headers["content-type"] == "image/svg+xml"
    assert answer.headers["content-security-policy"].startswith("default-src 'none'; ")
    assert answer.text.startswith("<svg ")
    assert "After 601 decided plans" in answer.text
    assert httpx.get(f"{address}?width=10", timeout=30).status_code == 422
