"""Our records in the earlier system's form: one whole object per plan (contract section 4)."""

from app.domain.feedback import FeedbackRecord, PlanStatus


def to_object(record: FeedbackRecord) -> dict[str, object]:
    """One line of the export; `import` of it into either system gives the same figures."""
    is_decided = record.is_decided or record.status is PlanStatus.PENDING
    status = record.status if is_decided else None
    return {
        "feedback_id": record.feedback_id,
        "workflow_id": record.workflow_id,
        "timestamp": record.proposed_at.isoformat(),
        "input_data": record.input_data,
        "output_data": record.output_data,
        "approval_status": status,
        "approval_id": next(iter(record.approval_ids), None),
        "approval_ids": list(record.approval_ids),
        "rejection_reason": record.rejection_reason,
        "approved_commands_count": record.approved_count,
        "rejected_commands_count": record.rejected_count,
        "rating": record.rating.rating,
        "was_helpful": record.rating.was_helpful,
        "feedback_comments": record.rating.comments,
        "improvements_suggested": record.rating.improvements,
        "reward_score": record.reward,
    }
