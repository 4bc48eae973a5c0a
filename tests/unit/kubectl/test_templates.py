"""A template that prints a value without its name is not run without approval, however it is spelled."""

import shlex
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.kubectl.evidence import Evidence
from app.kubectl.guard import judge_text
from app.kubectl.policy import Risk, load_policy

POLICY = load_policy()
CONTAINER = (
    ".spec.containers[0]",
    ".spec.containers[*]",
    "..containers[0]",
    ".spec['containers'][0]",
)
ENV = (".env", "['env']", '["env"]', r".e\nv", "[*]", ".*", "..env")
ITEM = ("[0]", "[*]", '[?(@.name=="A")]', "[-1]", "[0:1]", "..")
VALUE = (".value", "['value']", '["value"]', r".val\ue", "[*]", ".*", "..value")
SCOPES = (
    "{%s%s%s%s}",
    "{range %s%s}{@%s%s}{end}",
    "{range %s%s}{range %s}{%s}{end}{end}",
    "{%s%s}{%s%s}",
)
OUTPUTS = (
    ("-o", "jsonpath=%s"),
    ("-ojsonpath-as-json=%s",),
    ("-o", "custom-columns=A:.kind,B:%s"),
    ("-o", "jsonpath", "--template=%s"),
)
GO = (
    "{{range .spec.containers}}{{range .env}}{{.value}}{{end}}{{end}}",
    "{{range .spec.containers}}{{range .}}{{range .}}{{range .}}{{.}}{{end}}{{end}}{{end}}{{end}}",
    '{{index (index (index .spec.containers 0) "env") 0 "value"}}',
    '{{range .spec.containers}}{{index . "\\x65nv"}}{{end}}',
    "{{range $each := .spec.containers}}{{range $name, $it := $each}}{{$it}}{{end}}{{end}}",
    '{{with .spec}}{{printf "%v" .}}{{end}}',
    "{{with .spec}}{{. | printf `%v`}}{{end}}",
    '{{/* x */}}{{define "a"}}{{.}}{{end}}{{template "a" .spec}}',
)


def risk(text: str) -> Risk:
    return judge_text(text, POLICY, Evidence.unknown())[1].risk


@settings(max_examples=300, deadline=None, database=None)
@given(st.integers(0, 2**32).map(Random))
def test_every_path_to_a_variable_s_value_needs_approval(random: Random):
    parts = tuple(map(random.choice, (CONTAINER, ENV, ITEM, VALUE)))
    path = random.choice(SCOPES) % parts

    words = [word.replace("%s", path) for word in random.choice(OUTPUTS)]
    text = f"kubectl get pod web -n shop {shlex.join(words)}"

    assert risk(text) is Risk.CAUTION, text


@pytest.mark.parametrize("template", GO)
@pytest.mark.parametrize("option", ["-o go-template", "--template", "-o template --template"])
def test_every_go_template_that_may_print_one_needs_approval(template: str, option: str):
    assert risk(f"kubectl get pod web -n shop {option}='{template}'") is Risk.CAUTION
