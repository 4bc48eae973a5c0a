"""What holds for every command and every text, tried on generated ones."""

import shlex
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from app.kubectl.command import ParsedCommand
from app.kubectl.evidence import Evidence
from app.kubectl.grammar import FlagType, grammar
from app.kubectl.guard import Finding, judge, judge_text
from app.kubectl.parser import parse
from app.kubectl.policy import Risk, TeamFile, load_policy
from app.kubectl.team import TeamPolicy
from app.kubectl.words import UnparseableCommand
from tests.unit.kubectl.generated import TABLES, Commands

POLICY = load_policy()
TEAM = TeamPolicy.model_validate(
    {
        "allowed_namespaces": ["shop", "a"],
        "verbs": {"a": ["get", "delete"]},
        "protected_namespaces": {"x9": "not here"},
        "protected_labels": {"app": "never this one"},
        "max_replicas": {"*": 1},
    }
)
STRICT = POLICY.model_copy(update={"team": TeamFile(Path("team.yaml"), TEAM)})
EVIDENCE = Evidence.from_text(["deployment web in namespace shop"])
seeds = given(st.integers(0, 2**32).map(Commands))
often = settings(max_examples=400, deadline=None, database=None)

# Written down here once more, so that a slip in the policy is seen.
READS = {
    "api-resources",
    "api-versions",
    "auth can-i",
    "auth whoami",
    "cluster-info",
    "describe",
    "events",
    "explain",
    "get",
    "logs",
    "rollout history",
    "rollout status",
    "top node",
    "top pod",
    "version",
    "wait",
}
FORBIDDEN_VERBS = {
    "apply", "attach", "auth reconcile", "certificate approve", "config view", "cp",
    "create clusterrolebinding", "create rolebinding", "create secret generic", "create token",
    "debug", "edit", "exec", "kustomize", "port-forward", "proxy", "replace", "run",
    "set subject",
}  # fmt: skip
FORBIDDEN_FLAGS = {
    "as", "as-group", "as-uid", "certificate-authority", "client-key", "cluster", "context",
    "filename", "force", "insecure-skip-tls-verify", "kubeconfig", "kustomize", "raw", "server",
    "token", "user", "v",
}  # fmt: skip
SECRETS = ["secret", "SECRETS", "secret/db", "secrets.v1./db", "pods,secret", "secrets.foo.io"]
FRAGMENTS = st.sampled_from(
    ["kubectl", "get", "pods", "-n", "shop", "--", "-", "=", "'", '"', "\\", " ", "secret", "-o",
     "yaml", "delete", "--force", "/", ",", ".", "\t", "\n", "\x00", "é", "\u2014", "$", "-A", "{"]
)  # fmt: skip


@often
@seeds
def test_the_canonical_text_of_a_command_is_the_same_command(commands: Commands):
    try:
        command = parse(commands.quoted(commands.words()))
    except UnparseableCommand:
        return

    again = parse(command.render())

    assert again == command
    assert again.render() == command.render()
    assert parse(shlex.join(command.argv())) == command


def test_most_generated_commands_are_readable():
    texts = [shlex.join(Commands(seed).words()) for seed in range(1000)]

    assert sum(not isinstance(_read(text), str) for text in texts) > 800


@often
@seeds
def test_quoting_changes_nothing(commands: Commands):
    words = commands.words()

    assert _read(commands.quoted(words)) == _read(shlex.join(words))


@often
@example("[" * 9000)
@example("kubectl patch deploy web -n shop -p '" + "[" * 9000 + "'")
@given(st.one_of(st.text(), st.lists(FRAGMENTS).map("".join), st.lists(FRAGMENTS).map(" ".join)))
def test_every_text_is_judged_or_refused_with_a_reason_and_a_place(text: str):
    refusal = None
    try:
        judge(parse(text), POLICY, EVIDENCE)
    except UnparseableCommand as error:
        refusal = error

    assert refusal is None or (refusal.reason and 0 <= refusal.position <= len(text))


@often
@seeds
def test_no_change_is_ever_safe(commands: Commands):
    text = commands.quoted(commands.words([each for each in TABLES if each[0] not in READS]))

    _, verdict = judge_text(text, POLICY, EVIDENCE)

    assert verdict.risk is not Risk.SAFE, text


@pytest.mark.parametrize("path", sorted(dict(TABLES).keys() - READS))
def test_no_change_is_safe_with_any_of_its_flags(path: str):
    """Every verb and flag of kubectl's help, one by one, with values that mean least."""
    table = dict(TABLES)[path]
    flags = [f"--{name}={value}" for name in table.flags for value in ("true", "false", "client")]

    for text in (f"{path} {what} -n shop {flag}" for what in ("pod/web", "web") for flag in flags):
        assert judge_text(text, POLICY, EVIDENCE)[1].risk is not Risk.SAFE, text


@often
@seeds
def test_a_verdict_and_its_steps_say_the_same(commands: Commands):
    text = commands.quoted(commands.words())

    for policy in (POLICY, STRICT):
        _, verdict = judge_text(text, policy, EVIDENCE)
        refused = [step for step in verdict.steps() if step.finding is Finding.REFUSED]
        said = tuple(dict.fromkeys(reason for step in refused for reason in step.reasons))
        assert (verdict.risk is Risk.FORBIDDEN) == bool(refused), text
        assert not refused or said == verdict.reasons, text


@often
@seeds
def test_a_team_only_makes_the_guard_stricter(commands: Commands):
    text = commands.quoted(commands.words())

    own, strict = (judge_text(text, policy, EVIDENCE)[1] for policy in (POLICY, STRICT))

    assert strict.risk.rank >= own.risk.rank, text
    assert strict.risk in {own.risk, Risk.FORBIDDEN}, text


@often
@seeds
def test_no_read_prints_a_secret(commands: Commands):
    path = commands.choice(["get", "get", "describe", "wait", "rollout history"])
    table = grammar().verbs[path]
    names = {commands.choice(sorted(table.flags)), "output"} & table.flags.keys()
    flags = [table.flags[name] for name in sorted(names)]
    spelled = [
        word for flag in flags for word in commands.spelled(table, flag, commands.value(flag))
    ]
    text = commands.quoted([*path.split(), commands.choice(SECRETS), *spelled])
    command, verdict = judge_text(text, POLICY, EVIDENCE)

    if command and verdict.risk is not Risk.FORBIDDEN and _reads_secrets(command):
        assert command.verb == "get", text
        assert command.value("output") in {None, "", "wide", "name"}, text
        assert not {"template", "raw"} & command.flags.keys(), text


@often
@seeds
def test_a_forbidden_verb_stays_forbidden_in_every_disguise(commands: Commands):
    words = commands.words([each for each in TABLES if each[0] in FORBIDDEN_VERBS])

    text = commands.disguised(commands.quoted(words))

    assert judge_text(text, POLICY, EVIDENCE)[1].risk is Risk.FORBIDDEN, text


@often
@seeds
def test_a_forbidden_flag_stays_forbidden_in_every_disguise(commands: Commands):
    path, table = commands.choice(TABLES)
    flag = table.flags[commands.choice(sorted(FORBIDDEN_FLAGS & table.flags.keys()))]
    value = "true" if flag.type is FlagType.SWITCH else commands.value(flag)
    spelled = commands.spelled(table, flag, value)
    words = [*path.split(), "pod", "web", "-n", "shop", *spelled]
    if flag.name in grammar().global_flags.flags and commands.randrange(2):
        words = [*spelled, *path.split(), "pod", "web", "-n", "shop"]

    text = commands.disguised(commands.quoted(words))

    assert judge_text(text, POLICY, EVIDENCE)[1].risk is Risk.FORBIDDEN, text


def _reads_secrets(command: ParsedCommand) -> bool:
    return any(kind.startswith("secret") for kind, _ in command.resources)


def _read(text: str) -> ParsedCommand | str:
    try:
        return parse(text)
    except UnparseableCommand as refusal:
        return refusal.reason
