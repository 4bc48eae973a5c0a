"""What a parsed command tells others, and where an unreadable one is wrong."""

import pytest

from app.domain.errors import BadInput
from app.kubectl.parser import parse
from app.kubectl.words import UnparseableCommand


def test_a_command_tells_its_parts():
    command = parse("kubectl -n shop set image deploy/web app=web:2 sidecar=proxy:1 --dry-run")

    assert (command.verb, command.subverb) == ("set", "image")
    assert command.action == "set image/deployment"
    assert command.resources == (("deployment", "web"),)
    assert command.args == ("app=web:2", "sidecar=proxy:1")
    assert command.namespace == "shop"
    assert command.flags == {"dry-run": ("client",), "namespace": ("shop",)}
    assert command.after_dashes == ()


def test_the_argument_list_has_no_program_and_no_quotes():
    command = parse("kubectl annotate deploy web -n shop note='two words'")

    assert command.argv() == (
        "annotate",
        "deployment/web",
        "note=two words",
        "--namespace=shop",
    )


def test_a_selector_is_told():
    assert parse("kubectl get pods -l app=web,tier!=db").selector == "app=web,tier!=db"


def test_several_kinds_with_names_are_all_combinations():
    assert parse("kubectl get deploy,svc web api").resources == (
        ("deployment", "web"),
        ("deployment", "api"),
        ("service", "web"),
        ("service", "api"),
    )


@pytest.mark.parametrize(
    ("text", "position"),
    [
        ("kubectl get pods; ls", 16),
        ("kubectl frobnicate", 8),
        ("kubectl get pods --nope", 17),
        ("kubectl get pods -n", 17),
        ("kubectl get 'pods", 12),
    ],
)
def test_a_refusal_says_where(text: str, position: int):
    with pytest.raises(UnparseableCommand) as refusal:
        parse(text)

    assert refusal.value.position == position
    assert isinstance(refusal.value, BadInput)


@pytest.mark.parametrize(
    ("text", "action"),
    [
        ("kubectl rollout restart deploy/web", "rollout restart/deployment"),
        ("kubectl create cm app", "create configmap/configmap"),
        ("kubectl create secret generic db", "create secret generic/secret"),
        ("kubectl cordon worker-1", "cordon/node"),
        ("kubectl logs web-1", "logs/pod"),
        ("kubectl version", "version"),
    ],
)
def test_an_action_is_verb_and_kind(text: str, action: str):
    assert parse(text).action == action
