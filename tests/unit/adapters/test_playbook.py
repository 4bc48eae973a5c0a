"""The playbook engine through its one door: a question in, a typed answer out."""

import re

import pytest

from app.adapters.reasoning.playbook import PlaybookReasoner
from app.domain.answer import AgentName
from app.domain.errors import ReasonerFailed
from app.domain.guidance import (
    ActionScore,
    Edit,
    Example,
    ExampleRole,
    Guidance,
    JustRejected,
    Lesson,
)
from app.domain.incident import Analysis, Findings, WarningType
from app.domain.logbatch import LogBatch
from app.domain.plan import Phase, Remediation, RepairedCommands
from app.domain.questions import (
    AnalysisFacts,
    MonitoringFacts,
    Question,
    RemediationFacts,
    RepairFacts,
)
from app.intake.batch import read_batch
from app.kubectl.parser import parse
from app.workflow.diagnosis import diagnosis_text, prediction
from tests.unit.adapters.playbook_calm import HEALTHY, INJECTED, RECOVERED
from tests.unit.adapters.playbook_examples import INCIDENTS
from tests.unit.adapters.playbook_session import Silent

BAD_RELEASE = """NAMESPACE  NAME                       READY  STATUS             RESTARTS  AGE
crm        mailer-5d9c8f7b6d-kq8zt   0/1    CrashLoopBackOff   7         9m
$ kubectl logs mailer-5d9c8f7b6d-kq8zt -n crm
panic: template welcome.html has no subject
"""


@pytest.fixture(scope="module")
def reasoner() -> PlaybookReasoner:
    return PlaybookReasoner()


async def _findings(reasoner: PlaybookReasoner, batch: LogBatch) -> Findings:
    question = Question(AgentName.MONITORING, MonitoringFacts(batch), Findings)
    return await reasoner.ask(question, Silent())


async def _analysis(reasoner: PlaybookReasoner, batch: LogBatch, findings: Findings) -> Analysis:
    question = Question(AgentName.ANALYSIS, AnalysisFacts(batch, findings), Analysis)
    return await reasoner.ask(question, Silent())


async def _whole(
    reasoner: PlaybookReasoner, text: str, guidance: Guidance | None = None
) -> tuple[Findings, Analysis, Remediation]:
    batch = read_batch(text)
    findings = await _findings(reasoner, batch)
    analysis = await _analysis(reasoner, batch, findings)
    facts = RemediationFacts(batch, analysis, guidance or Guidance())
    question = Question(AgentName.REMEDIATION, facts, Remediation)
    return findings, analysis, await reasoner.ask(question, Silent())


def _commands(remediation: Remediation) -> list[str]:
    return [
        command.command
        for plan in remediation.remediation_plans
        for step in plan.steps
        for command in step.commands
    ]


@pytest.mark.parametrize(("mode", "text"), INCIDENTS)
async def test_names_the_failure_mode_first_and_quotes_the_input(
    reasoner: PlaybookReasoner, mode: str, text: str
):
    findings, analysis, remediation = await _whole(reasoner, text)

    cause = analysis.root_cause_analysis[0]
    lines = text.split("\n")
    assert not findings.is_empty
    assert cause.failure_mode == mode
    assert cause.evidence
    for quote in cause.evidence:
        number, quoted = quote.removeprefix("line ").split(": ", 1)
        assert quoted in lines[int(number) - 1]
    assert remediation.remediation_plans[0].steps[0].phase is Phase.INVESTIGATE


@pytest.mark.parametrize("text", HEALTHY)
async def test_says_nothing_of_healthy_text(reasoner: PlaybookReasoner, text: str):
    findings, analysis, remediation = await _whole(reasoner, text)

    assert findings.is_empty
    assert not analysis.root_cause_analysis
    assert not _commands(remediation)
    assert diagnosis_text(findings, analysis).startswith("No incident")


@pytest.mark.parametrize("text", RECOVERED)
async def test_what_recovered_is_no_incident(reasoner: PlaybookReasoner, text: str):
    findings, analysis, _ = await _whole(reasoner, text)

    assert not analysis.root_cause_analysis
    assert not findings.errors


async def test_a_business_record_that_says_resolved_hides_no_failure(reasoner: PlaybookReasoner):
    text = (
        '{"level":"info","msg":"ticket updated","status":"resolved"}\n'
        '{"level":"error","msg":"publish failed: dial tcp 10.8.3.4:5672: connection refused"}\n'
    )

    _, analysis, _ = await _whole(reasoner, text)

    assert analysis.root_cause_analysis[0].failure_mode == "dependency_unreachable"


async def test_a_warning_alone_is_a_finding_and_no_incident(reasoner: PlaybookReasoner):
    text = "2026-05-01 08:00:01 WARN shop: option batch_v1 is deprecated and will be removed\n"

    findings, analysis, _ = await _whole(reasoner, text)

    assert [warning.warning_type for warning in findings.warnings] == [WarningType.DEPRECATION]
    assert not findings.errors
    assert not analysis.root_cause_analysis
    assert analysis.warning_analysis[0].warning_message == findings.warnings[0].message


async def test_an_order_in_the_text_is_neither_obeyed_nor_a_symptom(reasoner: PlaybookReasoner):
    _, analysis, remediation = await _whole(reasoner, INJECTED)

    assert [cause.failure_mode for cause in analysis.root_cause_analysis] == ["disk_full"]
    assert not [command for command in _commands(remediation) if "delete" in command]
    assert not [command for command in _commands(remediation) if "prod" in command]


@pytest.mark.parametrize(("mode", "text"), INCIDENTS)
async def test_invents_no_name_and_every_command_can_be_parsed(
    reasoner: PlaybookReasoner, mode: str, text: str
):
    _, _, remediation = await _whole(reasoner, text)

    for command in _commands(remediation):
        parsed = parse(command)
        named = [name for _, name in parsed.resources if name]
        if parsed.namespace not in (None, "kube-system"):
            named.append(parsed.namespace)
        unknown = [name for name in named if not _stands_in(name, text)]
        assert not unknown or "metrics.k8s.io" in command, f"{mode}: {command}"
        assert "<" not in command


def _stands_in(name: str, text: str) -> bool:
    return re.search(rf"(?<![A-Za-z0-9]){re.escape(name)}", text) is not None


async def test_the_same_text_gives_the_same_answer(reasoner: PlaybookReasoner):
    first = await _whole(reasoner, INCIDENTS[0][1])
    second = await _whole(PlaybookReasoner(), INCIDENTS[0][1])

    assert first == second


async def test_an_effect_names_its_cause_and_gets_no_plan_of_its_own(reasoner: PlaybookReasoner):
    _, analysis, remediation = await _whole(reasoner, INCIDENTS[0][1])

    effects = [cause for cause in analysis.root_cause_analysis if cause.is_cascading_effect]
    assert [(effect.failure_mode, effect.related_to) for effect in effects] == [
        ("crashloop_app_error", "oom_killed")
    ]
    assert [plan.failure_mode for plan in remediation.remediation_plans] == ["oom_killed"]


async def test_an_error_no_playbook_knows_is_admitted(reasoner: PlaybookReasoner):
    text = "2026-05-01 08:00:01 ERROR kiosk: the flux ratio went sideways\n" * 3

    findings, analysis, remediation = await _whole(reasoner, text)

    cause = analysis.root_cause_analysis[0]
    assert not findings.is_empty
    assert cause.failure_mode == "unknown"
    assert "no playbook explains" in cause.root_cause
    assert remediation.remediation_plans[0].requires_manual_intervention


async def test_a_remedy_that_people_rejected_gives_way_and_the_plan_says_why(
    reasoner: PlaybookReasoner,
):
    guidance = Guidance(
        examples=(
            Example(
                feedback_id="w_remediation_1",
                role=ExampleRole.REJECTED,
                reason="alike",
                similarity=0.9,
                reward=0.0,
                issue="crash",
                actions=("rollout undo/deployment",),
                commands=("kubectl rollout undo deployment/mailer -n crm",),
                note="the old release loses mails",
            ),
        ),
        scoreboard=(
            ActionScore("rollout undo/deployment", score=0.1, approved=0, rejected=2),
            ActionScore("rollout restart/deployment", score=0.8, approved=3, rejected=0),
        ),
    )

    _, _, before = await _whole(reasoner, BAD_RELEASE)
    _, _, after = await _whole(reasoner, BAD_RELEASE, guidance)

    assert "kubectl rollout undo deployment/mailer -n crm" in _commands(before)
    assert "kubectl rollout undo deployment/mailer -n crm" not in _commands(after)
    assert "kubectl rollout restart deployment/mailer -n crm" in _commands(after)
    change = after.remediation_plans[0].steps[1].description
    assert "approved 3 of 3" in change
    assert "rejected 2 of 2 times" in change
    assert "the old release loses mails" in change


async def test_a_lesson_about_a_remedy_is_in_the_explanation(reasoner: PlaybookReasoner):
    refused = Lesson("1", "Undo was rejected 6 of 7 times.", ("rollout undo/deployment",), 1 / 7)
    liked = Lesson("2", "Restart was approved 5 of 5 times.", ("rollout restart/deployment",), 1.0)

    _, _, after = await _whole(reasoner, BAD_RELEASE, Guidance(lessons=(refused, liked)))

    plan = after.remediation_plans[0]
    assert "kubectl rollout restart deployment/mailer -n crm" in _commands(after)
    assert "Restart was approved 5 of 5 times." in plan.steps[1].description
    assert "Undo was rejected 6 of 7 times." in plan.steps[1].description


async def test_a_score_on_like_incidents_weighs_more_than_a_lesson(reasoner: PlaybookReasoner):
    guidance = Guidance(
        scoreboard=(ActionScore("rollout undo/deployment", score=0.9, approved=3, rejected=0),),
        lessons=(Lesson("1", "Undo is unwelcome.", ("rollout undo/deployment",), 1 / 7),),
    )

    _, _, after = await _whole(reasoner, BAD_RELEASE, guidance)

    assert "kubectl rollout undo deployment/mailer -n crm" in _commands(after)
    assert "Undo is unwelcome." in after.remediation_plans[0].steps[1].description


UNDO_ACTION = "rollout undo/deployment"
JUST = (JustRejected(UNDO_ACTION, "w_remediation_1", "loses mails"),)


async def test_what_was_just_rejected_gives_way_to_the_next_remedy(reasoner: PlaybookReasoner):
    scores = (ActionScore(UNDO_ACTION, score=0.55, approved=1, rejected=1),)

    _, _, after = await _whole(
        reasoner, BAD_RELEASE, Guidance(scoreboard=scores, just_rejected=JUST)
    )

    assert "kubectl rollout undo deployment/mailer -n crm" not in _commands(after)
    change = after.remediation_plans[0].steps[1].description
    assert (
        "rollout undo/deployment was rejected the last time on an incident like this (“loses mails”)."
        in (change)
    )


async def test_what_is_repeated_although_it_was_just_rejected_says_why(
    reasoner: PlaybookReasoner,
):
    scores = (ActionScore(UNDO_ACTION, score=0.8, approved=9, rejected=1),)

    _, _, after = await _whole(
        reasoner, BAD_RELEASE, Guidance(scoreboard=scores, just_rejected=JUST)
    )

    assert "kubectl rollout undo deployment/mailer -n crm" in _commands(after)
    change = after.remediation_plans[0].steps[1].description
    assert "rejected the last time on an incident like this (“loses mails”)." in change
    assert "It is proposed again because it was approved 9 of 10 times." in change


async def test_an_edit_by_people_is_told_as_what_they_changed(reasoner: PlaybookReasoner):
    example = Example(
        feedback_id="w_remediation_1",
        role=ExampleRole.ACCEPTED,
        reason="alike",
        similarity=0.9,
        reward=0.75,
        issue="crash",
        actions=(UNDO_ACTION,),
        commands=("kubectl rollout undo deployment/mailer --to-revision=3 -n crm",),
        note="",
        edits=(Edit(UNDO_ACTION, "rollout undo", "rollout undo --to-revision=3"),),
    )

    _, _, after = await _whole(reasoner, BAD_RELEASE, Guidance(examples=(example,)))

    change = after.remediation_plans[0].steps[1].description
    assert "People changed “rollout undo” to “rollout undo --to-revision=3”" in change


async def test_a_write_without_a_known_namespace_is_left_to_a_person(reasoner: PlaybookReasoner):
    text = BAD_RELEASE.replace(" -n crm", "").replace("NAMESPACE ", "").replace("crm ", "")

    _, _, remediation = await _whole(reasoner, text)

    plan = remediation.remediation_plans[0]
    assert plan.requires_manual_intervention
    assert plan.manual_steps
    assert not plan.steps[1].commands


async def test_repairs_a_missing_namespace_and_leaves_the_rest_out(reasoner: PlaybookReasoner):
    refused = (
        ("kubectl rollout restart deployment/mailer", "a write needs a namespace"),
        ("kubectl delete namespace crm", "deleting namespaces is forbidden"),
    )
    facts = RepairFacts(read_batch(BAD_RELEASE), refused)
    question = Question(AgentName.KUBECTL_COMMAND, facts, RepairedCommands)

    answer = await reasoner.ask(question, Silent())

    assert answer.commands == ("kubectl rollout restart deployment/mailer -n crm", "")


async def test_a_question_of_another_type_is_refused(reasoner: PlaybookReasoner):
    question = Question(AgentName.MONITORING, MonitoringFacts(read_batch(BAD_RELEASE)), Analysis)

    with pytest.raises(ReasonerFailed):
        await reasoner.ask(question, Silent())


async def test_a_prediction_names_mode_objects_and_commands(reasoner: PlaybookReasoner):
    findings, analysis, remediation = await _whole(reasoner, BAD_RELEASE)

    line = prediction("case-1", findings, analysis, remediation)

    assert line["id"] == "case-1"
    assert line["incident"] is True
    assert line["failure_modes"] == ["crashloop_app_error"]
    assert (line["namespace"], line["workload"], line["pod"]) == (
        "crm",
        "mailer",
        "mailer-5d9c8f7b6d-kq8zt",
    )
    assert len(str(line["text"])) <= 1500
    assert "template welcome.html has no subject" in str(line["text"])
