"""What a patch must not do stays refused in every shape that a patch can have."""

import json
import shlex
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.kubectl.evidence import Evidence
from app.kubectl.guard import judge_text
from app.kubectl.policy import Risk, load_policy

POLICY = load_policy()
OFTEN = settings(max_examples=300, deadline=None, database=None)
PATH = ("spec", "template", "spec")
# Written down here once more, so that a slip in the policy is seen.
FORBIDDEN = [
    ("hostNetwork", True), ("hostPID", True), ("hostIPC", True), ("nodeName", "worker-1"),
    ("privileged", True), ("hostPort", 80), ("hostPath", {"path": "/"}), ("procMount", "Unmasked"),
    ("capabilities", {"add": ["ALL"]}), ("allowPrivilegeEscalation", True), ("runAsUser", 0),
    ("externalIPs", ["10.0.0.1"]), ("type", "LoadBalancer"), ("type", "NodePort"),
    ("type", "Unconfined"), ("replicas", 10**6), ("maxReplicas", 10**6), ("finalizers", None),
    ("ownerReferences", []), ("tolerations", [{"operator": "Exists"}]), ("securityContext", None),
    ("terminationGracePeriodSeconds", 0), ("loadBalancerSourceRanges", ["0.0.0.0/0"]),
    ("container.apparmor.security.beta.kubernetes.io/app", "unconfined"),
    ("nginx.ingress.kubernetes.io/server-snippet", "return 200;"),
    ("service.beta.kubernetes.io/azure-load-balancer-internal", "false"),
    ("eks.amazonaws.com/role-arn", "x"), ("note", "a\u202eb"), ("n\u043ete", "x"),
]  # fmt: skip


def risk(text: str) -> Risk:
    return judge_text(text, POLICY, Evidence.unknown())[1].risk


def escaped(random: Random, text: str) -> str:
    """The text as JSON with some of its letters as escapes, which mean the same."""
    return "".join(
        f"\\u{ord(letter):04x}" if letter.isalpha() and random.randrange(4) == 0 else letter
        for letter in text
    )


def members(random: Random, name: str, value: object) -> str:
    """An object with the field, perhaps named twice, the other one harmless."""
    field = f'"{escaped(random, name)}":{json.dumps(value)}'
    other = f'"{name}":false' if random.randrange(3) == 0 else '"a":1'
    parts = [field, other] if name.isascii() else [field]
    random.shuffle(parts)
    return "{" + ",".join(parts) + "}"


def merged(random: Random, name: str, value: object) -> str:
    text = members(random, name, value)
    for key in random.sample(["spec", "template", "containers", "x"], random.randrange(4)):
        text = f"[{text}]" if random.randrange(2) else text
        text = f'{{"{key}":{text}}}'
    return text


def pointed(random: Random, name: str, value: object) -> str:
    above = "/" + "/".join(random.sample(["spec", "template", "0", "-", "containers"], 3))
    operation = random.choice(["add", "replace"])
    if random.randrange(2):
        pointer = f"{above}/{name.replace('~', '~0').replace('/', '~1')}"
        found = {"op": operation, "path": pointer, "value": value}
    else:
        found = {"op": operation, "path": above, "value": {name: value}}
    items = list(found.items())
    random.shuffle(items)
    return json.dumps([{"op": "test", "path": "/a", "value": 1}, dict(items)])


@OFTEN
@given(st.integers(0, 2**32).map(Random))
def test_what_a_patch_must_not_do_is_refused_in_every_shape(random: Random):
    name, value = random.choice(FORBIDDEN)
    patch_type = random.choice(["merge", "strategic", "json"])
    shape = pointed if patch_type == "json" else merged
    kind = random.choice(["deploy", "sts", "svc", "ing", "cm", "hpa"])
    words = ("kubectl", "patch", kind, "web", "-n", "shop", f"--type={patch_type}", "-p")

    text = shlex.join([*words, shape(random, name, value)])

    assert risk(text) is Risk.FORBIDDEN, text


@pytest.mark.parametrize(
    "patch",
    [
        "spec: {replicas: 0}", "spec: &a {x: 1}", "{spec: {replicas: 0}}", "!!map {}", "? a",
        "--- {}", "{} # x", "{}{}", "{'a': 1}", '{"a": 0x0}', '{"a": .5}', '{"a": "\\x41"}', "",
        '{"a": 1,}', '[{"op":"remove","path":"spec"}]', '[{"op":"move","from":"/a","path":"/b"}]',
    ],
)  # fmt: skip
def test_only_json_is_a_patch(patch: str):
    """kubectl would read these as YAML, with what JSON does not have."""
    text = shlex.join(["kubectl", "patch", "deploy", "web", "-n", "shop", f"--patch={patch}"])

    assert risk(text) is Risk.FORBIDDEN
