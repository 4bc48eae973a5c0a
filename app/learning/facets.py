"""The circumstances of an incident beside its words, and how much they matter (pure)."""

from app.domain.feedback import Environment, Signature
from app.learning.words import words


def facet_factor(one: Signature, other: Signature) -> float:
    """How far a decision carries over where the circumstances differ."""
    factor = 1.0
    if one.environment is not other.environment:
        is_unknown = Environment.UNKNOWN in {one.environment, other.environment}
        factor *= 0.8 if is_unknown else 0.45
    if is_stateful(one) is not is_stateful(other):
        factor *= 0.6
    elif one.kind and other.kind and one.kind != other.kind:
        factor *= 0.85
    if one.has_recent_change is not other.has_recent_change:
        factor *= 0.9
    return factor * (1.0 if one.severity == other.severity else 0.95)


def is_stateful(signature: Signature) -> bool:
    """Whether the workload keeps data."""
    return signature.kind in words().stateful
