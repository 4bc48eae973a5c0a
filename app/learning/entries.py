"""What is known of every plan, in columns: enough to count, rank and find it, and no text."""

from array import array
from datetime import UTC, datetime, timedelta
from heapq import nsmallest
from math import isnan, nan

from app.domain.feedback import FeedbackRecord, PlanStatus
from app.learning.directory import hash_of

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_NEVER = -(1 << 63)


class Entries:
    """A row per plan, by its number; a plan whose proposal is not known counts for nothing."""

    def __init__(self) -> None:
        """No plans yet."""
        self.is_known = bytearray()
        self.is_pending = bytearray()
        self.is_decided = bytearray()
        self.is_example = bytearray()
        self.is_rated = bytearray()
        self.is_unsigned = bytearray()
        """Whether it was decided, and nobody signed that."""
        self.approved: list[int] = []
        """Commands, not plans; lists, because small numbers cost nothing and large ones fit."""
        self.rejected: list[int] = []
        self._rewards = array("d")
        self._proposed_at = array("q")
        self._decided_at = array("q")
        self._workflows = array("Q")
        self._said = array("Q")
        """What people want avoided or better, as a hash; 0 when they said nothing."""

    def __len__(self) -> int:
        """How many plans were heard of."""
        return len(self.is_known)

    def reach(self, number: int) -> None:
        """Have a row for every plan up to this one."""
        while len(self) <= number:
            for flags in self._flags():
                flags.append(False)
            self.approved.append(0)
            self.rejected.append(0)
            self._rewards.append(nan)
            self._proposed_at.append(_NEVER)
            self._decided_at.append(_NEVER)
            self._workflows.append(0)
            self._said.append(0)

    def put(self, number: int, record: FeedbackRecord) -> None:
        """Keep the newest state of a plan."""
        self.reach(number)
        self.is_known[number] = True
        self.is_pending[number] = record.status is PlanStatus.PENDING
        self.is_decided[number] = record.is_decided
        self.is_example[number] = record.is_example
        self.is_rated[number] = record.rating.is_given
        self.is_unsigned[number] = record.is_decided and not record.is_signed
        self.approved[number] = record.approved_count
        self.rejected[number] = record.rejected_count
        self._rewards[number] = nan if record.reward is None else record.reward
        self._proposed_at[number] = microseconds(record.proposed_at)
        self._decided_at[number] = microseconds(record.decided_at)
        self._workflows[number] = hash_of(record.workflow_id)
        said = suggestions_of(record)
        self._said[number] = hash_of(said) or 1 if said else 0

    def reward(self, number: int) -> float | None:
        """A plan's reward."""
        found = self._rewards[number]
        return None if isnan(found) else found

    def rewards(self) -> list[float]:
        """Every reward there is."""
        return [reward for reward in self._rewards if not isnan(reward)]

    def decided_at(self, number: int) -> datetime:
        """When a decided plan was decided."""
        return _EPOCH + self._decided_at[number] * _MICROSECOND

    def decided(self) -> list[int]:
        """The decided plans in the order of decisions."""
        numbers = (number for number, is_so in enumerate(self.is_decided) if is_so)
        return sorted(numbers, key=self._decided_at.__getitem__)

    def best(self, limit: int, min_reward: float) -> list[int]:
        """Examples with at least this reward, the best first, newer ones before older ones."""
        found = (
            (-self._rewards[number], -self._proposed_at[number], number)
            for number, is_so in enumerate(self.is_example)
            if is_so and self._rewards[number] >= min_reward
        )
        return [number for _, _, number in nsmallest(limit, found)]

    def newest_said(self) -> list[int]:
        """Plans about which people said something, the latest first; one where they said the same."""
        numbers = [number for number, said in enumerate(self._said) if said]
        newest: dict[int, int] = {}
        for number in sorted(numbers, key=self._last_touched, reverse=True):
            newest.setdefault(self._said[number], number)
        return [*newest.values()]

    def of_workflow(self, workflow_id: str) -> list[int]:
        """A workflow's plans."""
        wanted = hash_of(workflow_id)
        return [number for number, found in enumerate(self._workflows) if found == wanted]

    def _last_touched(self, number: int) -> int:
        decided_at = self._decided_at[number]
        return self._proposed_at[number] if decided_at == _NEVER else decided_at

    def _flags(self) -> tuple[bytearray, ...]:
        return (
            self.is_known,
            self.is_pending,
            self.is_decided,
            self.is_example,
            self.is_rated,
            self.is_unsigned,
        )


def suggestions_of(record: FeedbackRecord) -> tuple[str, ...]:
    """What people want avoided or better."""
    own = [verdict.reason for verdict in record.verdicts if verdict.reason]
    is_joined = record.rejection_reason == "; ".join(dict.fromkeys(own))
    reasons = own if is_joined else [record.rejection_reason, *own]
    avoid = [f"Avoid: {reason.strip()}" for reason in reasons if reason and reason.strip()]
    better = (record.rating.improvements or "").strip()
    return (*avoid, better) if better else tuple(avoid)


def microseconds(time: datetime | None) -> int:
    """An exact number that sorts like the time; without one, before all."""
    return _NEVER if time is None else (time - _EPOCH) // _MICROSECOND
