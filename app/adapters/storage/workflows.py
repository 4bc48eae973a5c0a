"""Workflows, their inputs and their outgoing proposals in SQLite."""

import json
import sqlite3
import zlib
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from app.adapters.storage.sqlite import Database
from app.domain.approval import OutgoingProposal, Proposal
from app.domain.errors import NotFound
from app.domain.ids import ApprovalId, FeedbackId, WorkflowId
from app.domain.workflow import WorkflowInput, WorkflowRecord, WorkflowState


class SqliteWorkflowStore:
    """WorkflowStore on one SQLite file."""

    def __init__(self, database: Database) -> None:
        """Take an open database."""
        self._database = database

    async def create(self, record: WorkflowRecord, log_input: WorkflowInput) -> None:
        """Keep a new workflow and its redacted input."""
        text = zlib.compress(log_input.text.encode(), level=1)

        def insert(connection: sqlite3.Connection) -> None:
            connection.execute(
                "INSERT INTO workflows (workflow_id, state, created_at, title, outcome)"
                " VALUES (?, ?, ?, ?, '')",
                (record.workflow_id, record.state, record.created_at.isoformat(), record.title),
            )
            connection.execute(
                "INSERT INTO inputs VALUES (?, ?, ?)",
                (record.workflow_id, text, json.dumps(dict(log_input.redactions))),
            )

        await self._database.write(insert)

    async def get(self, workflow_id: WorkflowId) -> WorkflowRecord:
        """One record; raises NotFound."""
        rows = await self._rows("SELECT * FROM workflows WHERE workflow_id = ?", workflow_id)
        if not rows:
            raise NotFound(f"Workflow '{workflow_id}' not found")
        return _record(rows[0])

    async def input_of(self, workflow_id: WorkflowId) -> WorkflowInput:
        """The redacted input; raises NotFound."""
        rows = await self._rows(
            "SELECT text, redactions FROM inputs WHERE workflow_id = ?", workflow_id
        )
        if not rows:
            raise NotFound(f"Workflow '{workflow_id}' not found")
        text, redactions = rows[0]
        return WorkflowInput(zlib.decompress(text).decode(), tuple(json.loads(redactions).items()))

    async def begin(self, workflow_id: WorkflowId, title: str) -> None:
        """Note that the workflow runs, and its title."""
        await self._execute(
            "UPDATE workflows SET state = ?, title = ? WHERE workflow_id = ?",
            WorkflowState.RUNNING,
            title,
            workflow_id,
        )

    async def page(
        self, before: int | None, limit: int
    ) -> tuple[Sequence[WorkflowRecord], int | None]:
        """Newest first, and the cursor of the next page, None at the end."""
        rows = await self._rows(
            "SELECT * FROM workflows WHERE ? IS NULL OR position < ?"
            " ORDER BY position DESC LIMIT ?",
            before,
            before,
            limit + 1,
        )
        cursor = rows[limit - 1][0] if len(rows) > limit else None
        return [_record(row) for row in rows[:limit]], cursor

    async def unfinished(self) -> Sequence[WorkflowRecord]:
        """Workflows that a stopped process left, oldest first."""
        rows = await self._rows(
            "SELECT * FROM workflows WHERE finished_at IS NULL ORDER BY position"
        )
        return [_record(row) for row in rows]

    async def _rows(self, statement: str, *values: object) -> list[tuple[Any, ...]]:
        return await self._database.read(
            lambda connection: connection.execute(statement, values).fetchall()
        )

    async def _execute(self, statement: str, *values: object) -> None:
        await self._database.write(lambda connection: connection.execute(statement, values))


class SqliteProposalOutbox:
    """ProposalOutbox on one SQLite file."""

    def __init__(self, database: Database) -> None:
        """Take an open database."""
        self._database = database

    async def put(self, proposal: OutgoingProposal) -> ApprovalId | None:
        """Keep a proposal; one with the same key stays as it was, with the approval it has got."""
        row = (
            proposal.key,
            proposal.workflow_id,
            proposal.feedback_id,
            proposal.proposal.model_dump_json(),
        )

        def insert(connection: sqlite3.Connection) -> str | None:
            connection.execute(
                "INSERT OR IGNORE INTO proposals"
                " (idempotency_key, workflow_id, feedback_id, payload) VALUES (?, ?, ?, ?)",
                row,
            )
            found: tuple[str | None] = connection.execute(
                "SELECT approval_id FROM proposals WHERE idempotency_key = ?", (proposal.key,)
            ).fetchone()
            return found[0]

        approval_id = await self._database.write(insert)
        return None if approval_id is None else ApprovalId(approval_id)

    async def delivered(self, key: str, approval_id: ApprovalId) -> None:
        """Note that the approval server has it."""
        await self._database.write(
            lambda connection: connection.execute(
                "UPDATE proposals SET approval_id = ? WHERE idempotency_key = ?", (approval_id, key)
            )
        )

    async def undelivered(self, limit: int) -> Sequence[OutgoingProposal]:
        """What still has to be sent, oldest first."""
        rows = await self._database.read(
            lambda connection: connection.execute(
                "SELECT idempotency_key, workflow_id, feedback_id, payload FROM proposals"
                " WHERE approval_id IS NULL ORDER BY rowid LIMIT ?",
                (limit,),
            ).fetchall()
        )
        return [
            OutgoingProposal(
                key,
                WorkflowId(workflow_id),
                FeedbackId(feedback_id),
                Proposal.model_validate_json(payload),
            )
            for key, workflow_id, feedback_id, payload in rows
        ]


def _record(row: tuple[Any, ...]) -> WorkflowRecord:
    _, workflow_id, state, created_at, finished_at, title, outcome = row
    return WorkflowRecord(
        WorkflowId(workflow_id),
        WorkflowState(state),
        datetime.fromisoformat(created_at),
        datetime.fromisoformat(finished_at) if finished_at else None,
        title,
        outcome,
    )
