"""Folds what was said of one approval into its course: a later round voids what was before (pure)."""

from typing import TypeVar

from app.domain.course import Course, Decided, Executed, Expired, Report, Undone, Verified
from app.domain.ids import ApprovalId

R = TypeVar("R", Decided, Executed, Verified, Expired, Undone)


class Reports:
    """Of every kind of report the one that counts, in whatever order they come."""

    __slots__ = ("_approval_id", "_decided", "_executed", "_expired", "_undone", "_verified")

    def __init__(self, approval_id: ApprovalId) -> None:
        """Nothing was said yet."""
        self._approval_id = approval_id
        self._decided: Decided | None = None
        self._executed: dict[int, Executed] = {}
        self._verified: dict[int, Verified] = {}
        self._expired: Expired | None = None
        self._undone: dict[int, Undone] = {}

    def take(self, report: Report) -> None:
        """Note one more."""
        match report:
            case Decided():
                self._decided = newer(self._decided, report)
            case Executed():
                self._executed[report.round] = newer(self._executed.get(report.round), report)
            case Verified():
                self._verified[report.round] = newer(self._verified.get(report.round), report)
            case Expired():
                self._expired = newer(self._expired, report)
            case Undone():
                self._undone[report.round] = newer(self._undone.get(report.round), report)

    def course(self) -> Course:
        """The latest round; a decision in it counts, even where it had expired before."""
        decided, expired = self._decided, self._expired
        if decided is None or (expired is not None and expired.round > decided.round):
            return Course(self._approval_id, expired=expired)
        return Course(
            self._approval_id,
            is_late=expired is not None
            and expired.round == decided.round
            and _place(expired) < _place(decided),
            decided=decided,
            executed=self._executed.get(decided.round),
            verified=self._verified.get(decided.round),
            undone=self._undone.get(decided.round),
        )


def newer(known: R | None, report: R) -> R:
    """The one of the later round; in the same round the last word, whatever order they come in."""
    if known is None or _place(known) < _place(report):
        return report
    return known


def _place(report: Report) -> tuple[object, ...]:
    return (report.round, report.ts, report.id)
