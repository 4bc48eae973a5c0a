"""No letter that is not what it seems gets into a name or a key, and none that cannot be seen anywhere."""

import json
import shlex
import unicodedata

import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

from app.kubectl.evidence import Evidence
from app.kubectl.guard import judge_text
from app.kubectl.policy import Risk, load_policy

POLICY = load_policy()
OFTEN = settings(max_examples=200, deadline=None, database=None)
FOREIGN = st.characters(min_codepoint=0x80)
HIDDEN = st.one_of(
    st.characters(categories=["Cf", "Cs", "Cn", "Co", "Zl", "Zp"], min_codepoint=0x80),
    st.sampled_from([chr(code) for code in range(0x20) if chr(code) not in "\t\n\r"]),
)
NAMING = [
    ("get", "pods", "-n", "sh{}p"),
    ("get", "p{}ds", "-n", "shop"),
    ("get", "pod/w{}b", "-n", "shop"),
    ("get", "pods", "-n", "shop", "-l", "a{}p=web"),
    ("logs", "web", "-c", "a{}p", "-n", "shop"),
    ("annotate", "deploy", "web", "n{}te=x", "-n", "shop"),
    ("annotate", "deploy", "web", "n{}te-", "-n", "shop"),
    ("label", "deploy", "web", "app=w{}b", "-n", "shop"),
    ("set", "image", "deploy/web", "app=w{}b:1", "-n", "shop"),
    ("set", "env", "deploy/web", "L{}VEL=debug", "-n", "shop"),
    ("create", "configmap", "app", "--from-literal=k{}y=x", "-n", "shop"),
    ("taint", "node", "worker-1", "a=b{}:NoSchedule"),
]  # fmt: skip


def risk(words: tuple[str, ...]) -> Risk:
    return judge_text(f"kubectl {shlex.join(words)}", POLICY, Evidence.unknown())[1].risk


@pytest.mark.parametrize("words", NAMING)
def test_the_commands_tried_are_refused_for_the_letter_alone(words: tuple[str, ...]):
    assert risk(tuple(word.format("o") for word in words)) is not Risk.FORBIDDEN


@OFTEN
@given(st.sampled_from(NAMING), FOREIGN)
def test_no_foreign_letter_gets_into_a_name(words: tuple[str, ...], letter: str):
    assert risk(tuple(word.format(letter) for word in words)) is Risk.FORBIDDEN


def patched(fields: object, patch_type: str = "merge") -> Risk:
    """The risk of a patch, every letter that is not ASCII escaped as JSON does it."""
    kind = f"--type={patch_type}"
    return risk(("patch", "deploy", "web", "-n", "shop", kind, "-p", json.dumps(fields)))


@OFTEN
@given(HIDDEN)
@example("\u202e")
def test_no_escape_of_a_patch_hides_a_letter_that_nobody_sees(letter: str):
    note = f"a{letter}b"
    pointer = "/metadata/annotations/note"

    assert patched({"metadata": {"annotations": {"note": note}}}) is Risk.FORBIDDEN
    assert patched([{"op": "add", "path": pointer, "value": note}], "json") is Risk.FORBIDDEN
    assert patched({"metadata": {"annotations": {"note": {"x": [note]}}}}) is Risk.FORBIDDEN


@OFTEN
@given(FOREIGN)
def test_no_escape_of_a_patch_puts_a_foreign_letter_in_a_key(letter: str):
    key = f"n{letter}te"

    assert patched({"metadata": {"annotations": {key: "x"}}}) is Risk.FORBIDDEN
    assert patched([{"op": "remove", "path": f"/metadata/labels/{key}"}], "json") is Risk.FORBIDDEN


@OFTEN
@given(st.characters(categories=["Ll", "Lu", "Lo"], min_codepoint=0x80))
def test_a_note_may_be_written_in_any_language(letter: str):
    assume(not unicodedata.normalize("NFKC", letter).isascii())
    assume(letter not in "\u02bc\u115f\u1160\u3164\uffa0")

    assert patched({"metadata": {"annotations": {"note": letter}}}) is Risk.CAUTION
    assert risk(("annotate", "deploy", "web", f"note={letter}", "-n", "shop")) is Risk.CAUTION
