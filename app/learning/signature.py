"""Masks an incident down to what makes it like another one (pure)."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import replace
from itertools import pairwise

from app.domain.answer import Entities
from app.domain.feedback import Signature
from app.domain.incident import Analysis, Findings, RootCause
from app.domain.plan import Plan
from app.learning.environments import OUR_OWN, Environments
from app.learning.words import words

TEXT_LIMIT = 4000
TOKEN_LIMIT = 48
CAUSES_LIMIT = 3

_WORD = re.compile(r"[A-Za-z0-9][\w./@-]*")
_CAMEL = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+")


def signatures_of(
    analysis: Analysis,
    findings: Findings,
    entities: Entities,
    environments: Environments = OUR_OWN,
) -> tuple[Signature, ...]:
    """One per root cause, what came first in front; from the findings where there is no cause."""
    causes = sorted(analysis.root_cause_analysis, key=lambda cause: cause.is_cascading_effect)
    if causes:
        return tuple(signature_of(cause, entities, environments) for cause in causes[:CAUSES_LIMIT])
    messages = [finding.message for finding in findings.errors]
    texts = [*messages, *(finding.message for finding in findings.warnings)][:5]
    return (_sign(texts, entities, (), environments),) if texts else ()


def signature_of(
    cause: RootCause, entities: Entities, environments: Environments = OUR_OWN
) -> Signature:
    """The signature of one root cause; `entities` fills what the cause leaves open."""
    texts = (cause.error_message, cause.root_cause, *cause.evidence[:3])
    found = _sign(
        texts,
        fill(cause.entities, entities),
        (cause.service,),
        environments,
        failure_mode=cause.failure_mode,
        severity=cause.severity,
    )
    # Factors tell of circumstances, not of the failure: they make no incidents alike.
    return (
        replace(found, has_recent_change=True) if _is_change(cause.contributing_factors) else found
    )


def signature_of_plan(
    plan: Plan,
    analysis: Analysis,
    namespace: str | None,
    environments: Environments = OUR_OWN,
) -> Signature:
    """The signature of the root cause that a plan is for, as `guide` will see it the next time."""
    around = fill(plan.entities, Entities(namespace=namespace))
    causes = analysis.root_cause_analysis
    cause = max(causes, key=lambda cause: _fit(plan, cause), default=None)
    if cause is not None and (len(causes) == 1 or _fit(plan, cause) > 0):
        return signature_of(cause, around, environments)
    for other in causes:
        around = around.with_labels_of(other.entities)
    return _sign(
        (plan.issue, plan.root_cause),
        around,
        (plan.service,),
        environments,
        failure_mode=plan.failure_mode,
        severity=plan.severity,
    )


def fill(known: Entities, otherwise: Entities) -> Entities:
    """`known`, with what it leaves open taken from `otherwise`."""
    missing = {name: value for name, value in otherwise if getattr(known, name) is None}
    return known.with_labels_of(otherwise).model_copy(update=missing)


def tokens_of(texts: Iterable[str], names: Iterable[str]) -> tuple[str, ...]:
    """Words and neighbouring pairs, lower case, without identifiers, the first TOKEN_LIMIT of each."""
    masked = {name.lower() for name in names if name}
    single: list[str] = []
    pairs: list[str] = []
    for text in texts:
        found = [
            token
            for match in _WORD.finditer(text[:TEXT_LIMIT])
            for token in _tokens_of_word(match.group().rstrip("./-"), masked)
        ]
        single += found
        pairs += (f"{first} {second}" for first, second in pairwise(found))
    unique = [*dict.fromkeys(single)][:TOKEN_LIMIT] + [*dict.fromkeys(pairs)][:TOKEN_LIMIT]
    return tuple(unique)


def _fit(plan: Plan, cause: RootCause) -> int:
    """How much a plan shares with a root cause; on a tie the first cause is meant."""
    is_known_mode = cause.failure_mode != "unknown" and plan.failure_mode == cause.failure_mode
    has_same_words = bool(plan.root_cause) and plan.root_cause == cause.root_cause
    return 4 * has_same_words + 2 * is_known_mode + (plan.service == cause.service)


def _sign(
    texts: Sequence[str],
    entities: Entities,
    services: tuple[str, ...],
    environments: Environments,
    *,
    failure_mode: str = "unknown",
    severity: str = "",
) -> Signature:
    objects = entities.model_dump(exclude={"workload_kind", "labels"})
    names = [name for name in objects.values() if name and name != entities.workload_kind]
    tokens = tokens_of(texts, (*names, *services))
    return Signature(
        tokens=tokens,
        failure_mode=failure_mode,
        environment=environments.of(entities.namespace, entities.labels),
        kind=(entities.workload_kind or "").lower(),
        severity=severity,
        has_recent_change=not words().change.isdisjoint(tokens),
    )


def _is_change(texts: Iterable[str]) -> bool:
    return not words().change.isdisjoint(tokens_of(texts, ()))


def _tokens_of_word(word: str, masked: set[str]) -> list[str]:
    """What is left of a word: nothing of a name, an address, a path or a number."""
    lower = word.lower()
    if lower in words().codes:
        return [lower]
    if lower in masked or any(character in word for character in "/@") or _has_digit(word):
        return []
    word = word.rsplit(".", 1)[-1]
    if word in words().domains:
        return []
    if "-" in word and words().joining.isdisjoint(word.lower().split("-")):
        return []
    # `CrashLoopBackOff` and `back-off` as their words, so that they are like `crash loop`.
    parts = [part.lower() for part in _CAMEL.findall(word)]
    return [part for part in parts if len(part) > 2 and part not in words().noise]


def _has_digit(word: str) -> bool:
    return any(character.isdigit() for character in word)
