"""What a failing workload says in its own logs, in words that do not change from line to line (pure)."""

import re
from collections.abc import Sequence

from app.domain.incident import ErrorFinding, ErrorType, Findings
from app.domain.plan import Plan

MOST_PATTERNS = 10
SHORTEST, LONGEST = 20, 200

# Redacted values, addresses, and all words with a digit: ids, times, counts.
_VARYING = re.compile(r"\[REDACTED[^\]]*\]|<[^<>]{1,60}>|\S*\d\S*|[\r\n]+")
_EDGES = " \t,;:.=-|\"'()[]{}"


def error_patterns(
    plan: Plan, plans: Sequence[Plan], findings: Findings, text: str
) -> tuple[str, ...]:
    """Distinctive pieces of the messages that a plan is about; each stands in the text literally.

    What Kubernetes itself says does not stand in a container's log, so its absence there is no sign.
    """
    errors = [one for one in findings.errors if one.error_type is not ErrorType.KUBERNETES]
    own = [one for one in errors if _is_about(one, plan)] or (errors if len(plans) == 1 else [])
    pieces = (_distinctive(error.message) for error in own)
    found = dict.fromkeys(piece for piece in pieces if piece and piece in text)
    return tuple(found)[:MOST_PATTERNS]


def _is_about(error: ErrorFinding, plan: Plan) -> bool:
    service = error.service.casefold()
    names = (plan.service, plan.entities.workload, plan.entities.pod)
    return service in {name.casefold() for name in names if name}


def _distinctive(message: str) -> str | None:
    """The longest piece between what varies."""
    pieces = (piece.strip(_EDGES) for piece in _VARYING.split(message))
    longest = max(pieces, key=len)
    return longest[:LONGEST].rstrip() if len(longest) >= SHORTEST else None
