"""How bad, how likely, how urgent: Gemini is offered each scale, and what it answers beyond one is brought back."""

import json

import pytest

from app.adapters.reasoning.gemini import GeminiReasoner
from app.domain.answer import AgentName
from app.domain.incident import Analysis, Findings
from app.domain.plan import Remediation
from app.domain.questions import AnalysisFacts, Question
from tests.fakes.gemini_cases import BATCH, Heard
from tests.fakes.gemini_server import GeminiServer, answered

# Building a client costs more than most tests: they share one, and the loop it lives on.
pytestmark = pytest.mark.asyncio(loop_scope="module")


async def test_each_grade_is_offered_where_the_contract_has_it(
    server: GeminiServer, reasoner: GeminiReasoner
):
    question = Question(AgentName.ANALYSIS, AnalysisFacts(BATCH, Findings()), Analysis)

    await reasoner.ask(question, Heard())

    schema = server.received[0].body["generationConfig"]["responseJsonSchema"]
    cause = schema["properties"]["root_cause_analysis"]["items"]["properties"]
    warning = schema["properties"]["warning_analysis"]["items"]["properties"]
    likely = warning["potential_causes"]["items"]["properties"]["probability"]
    assert cause["severity"]["enum"] == ["CRITICAL", "HIGH", "MEDIUM", "LOW"]
    assert cause["impact"]["properties"]["severity"]["enum"] == cause["severity"]["enum"]
    assert warning["severity"]["enum"] == ["MEDIUM", "LOW"]
    assert likely["enum"] == ["HIGH", "MEDIUM", "LOW"]
    assert warning["urgency"]["enum"] == ["IMMEDIATE", "HIGH", "MEDIUM", "LOW"]


async def test_a_grade_beyond_its_scale_is_the_greatest_of_it(
    server: GeminiServer, reasoner: GeminiReasoner
):
    cause = {"root_cause": "x", "severity": "IMMEDIATE", "impact": {"severity": "IMMEDIATE"}}
    likely = {"cause": "y", "probability": "IMMEDIATE"}
    warning = {"warning_message": "z", "severity": "CRITICAL", "urgency": "CRITICAL"}
    answer = {
        "root_cause_analysis": [cause],
        "warning_analysis": [warning | {"potential_causes": [likely]}],
        "patterns_detected": [],
    }
    server.script.append(answered(json.dumps(answer)))
    question = Question(AgentName.ANALYSIS, AnalysisFacts(BATCH, Findings()), Analysis)

    analysis = await reasoner.ask(question, Heard())

    said = analysis.model_dump(mode="json")
    [found], [warned] = said["root_cause_analysis"], said["warning_analysis"]
    assert (found["severity"], found["impact"]["severity"]) == ("CRITICAL", "CRITICAL")
    assert warned["potential_causes"][0]["probability"] == "HIGH"
    assert (warned["severity"], warned["urgency"]) == ("MEDIUM", "IMMEDIATE")


async def test_a_plan_has_a_grade_of_the_contract(server: GeminiServer, reasoner: GeminiReasoner):
    plans = [{"issue": "x", "severity": "IMMEDIATE"}, {"issue": "y", "severity": "LOW"}]
    answer = {"remediation_plans": plans, "execution_order": []}
    server.script.append(answered(json.dumps(answer)))
    question = Question(AgentName.REMEDIATION, AnalysisFacts(BATCH, Findings()), Remediation)

    remediation = await reasoner.ask(question, Heard())

    assert [plan.severity for plan in remediation.remediation_plans] == ["CRITICAL", "LOW"]
