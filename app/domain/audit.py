"""The audit trail: entries of which each is chained to all before it by a hash."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Self

from pydantic import JsonValue

from app.domain.ids import ApprovalId

FIRST_HASH = "0" * 64
"""What the first entry is chained to."""
HASH_KEY = ', "hash": "'
TAIL_LENGTH = len(HASH_KEY) + len(FIRST_HASH) + len('"}')


class AuditType(StrEnum):
    """What an entry tells."""

    PROPOSED = "proposed"
    DECIDED = "decided"
    DECISION_VOID = "decision_void"
    EXPIRED = "expired"
    EXECUTION_STARTED = "execution_started"
    EXECUTION_ENDED = "execution_ended"
    VERIFIED = "verified"
    UNDO_BEGUN = "undo_begun"
    UNDO_STARTED = "undo_started"
    UNDO_ENDED = "undo_ended"
    READ_STARTED = "read_started"
    """A command that only reads and that nobody had to approve."""
    READ_ENDED = "read_ended"
    PROPOSAL_REFUSED = "proposal_refused"
    """The policy refuses all of it, so nobody was asked."""


@dataclass(frozen=True, slots=True)
class AuditFact:
    """What is to be entered."""

    type: AuditType
    approval_id: ApprovalId | None
    """None for what is part of no request."""
    by: str | None
    """A reviewer, or an agent; a server for what runs; None when nobody gave a name."""
    facts: Mapping[str, JsonValue]


@dataclass(frozen=True, slots=True)
class AuditEntry:
    """One line as it is kept."""

    seq: int
    line: str
    """JSON, with the hash of the entry before."""
    hash: str

    @property
    def prev(self) -> str:
        """The hash of the entry before."""
        return str(json.loads(self.line)["prev"])

    @property
    def at(self) -> datetime:
        """When it happened."""
        return datetime.fromisoformat(json.loads(self.line)["at"])

    @classmethod
    def after(cls, seq: int, prev: str, fact: AuditFact, at: datetime) -> Self:
        """The entry that follows on number `seq`, whose hash is `prev`."""
        body = {
            "seq": seq + 1,
            "at": at.isoformat(timespec="milliseconds"),
            "type": fact.type,
            "approval_id": fact.approval_id,
            "by": fact.by,
            **fact.facts,
            "prev": prev,
        }
        text = json.dumps(body, ensure_ascii=False).encode("utf-8", "replace").decode()
        return cls(seq + 1, text, chained(prev, text))

    @classmethod
    def from_line(cls, line: bytes) -> Self | None:
        """The entry of a line of the file; None when it is damaged."""
        try:
            text = line.decode()
            kept, tail = f"{text[:-TAIL_LENGTH]}}}", text[-TAIL_LENGTH:]
            body = json.loads(kept)
            entry = cls(body["seq"], kept, chained(body["prev"], kept))
        except (ValueError, KeyError, TypeError):
            return None
        return entry if tail == f'{HASH_KEY}{entry.hash}"}}' else None

    def to_line(self) -> bytes:
        """The line of the file, which carries its own hash at the end."""
        return f'{self.line[:-1]}{HASH_KEY}{self.hash}"}}\n'.encode()


def chained(prev: str, line: str) -> str:
    """The hash of an entry."""
    return hashlib.sha256(f"{prev}{line}".encode()).hexdigest()
