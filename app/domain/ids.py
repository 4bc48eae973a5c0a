"""Identifiers, each its own type, so that one cannot stand in for another."""

from typing import NewType
from uuid import uuid4

WorkflowId = NewType("WorkflowId", str)
"""A UUID in canonical lower-case form."""

ApprovalId = NewType("ApprovalId", str)
"""Opaque: the approval server, ours or a foreign one, chooses it."""

FeedbackId = NewType("FeedbackId", str)
"""Opaque to clients; `<workflow_id>_remediation_<number>`, the number counting plans from 1."""


ProcessId = NewType("ProcessId", str)
"""One start of one of our processes; a restarted process has another."""


def new_process_id() -> ProcessId:
    """A fresh identifier."""
    return ProcessId(uuid4().hex)


def new_workflow_id() -> WorkflowId:
    """A fresh identifier."""
    return WorkflowId(str(uuid4()))
