"""What is known of every plan, in columns: enough to count, rank and find it, and no text."""

from array import array
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from heapq import nsmallest
from math import isnan, nan

from pydantic import TypeAdapter

from app.domain.approval import CommandDecision
from app.domain.feedback import Environment, FeedbackRecord, PlanStatus
from app.domain.snapshots import Part, Parts
from app.learning.columns import Names, Shown
from app.learning.directory import Hashes
from app.learning.parts import columns_of, from_json, named, of, put_columns, to_json

ENVIRONMENTS = tuple(Environment)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_NEVER = -(1 << 63)
_MOST = (1 << 32) - 1
_MOST_CHANGES = (1 << 16) - 1
_NAMES = TypeAdapter(list[str])


class Entries:
    """A row per plan, by its number; a plan whose proposal is not known counts for nothing."""

    def __init__(self, hashes: Hashes | None = None) -> None:
        """No plans yet."""
        self._hashes = hashes or Hashes()
        self.is_known, self.is_pending, self.is_decided = bytearray(), bytearray(), bytearray()
        self.is_example = bytearray()
        self.is_rated = bytearray()
        self.is_unsigned = bytearray()
        """Whether it was decided, and nobody signed that."""
        self.is_late = bytearray()
        """Whether it was decided when it had expired."""
        self.is_held_out = bytearray()
        self.is_randomised = bytearray()
        """Whether chance decided what it was shown."""
        self.shares = array("d")
        """How likely it was to be held out."""
        self.modes = array("H")
        self.mode_names = Names()
        self.environments = bytearray()
        """Places in ENVIRONMENTS."""
        self.shown = Shown(self._hashes)
        self.approved, self.rejected = array("I"), array("I")
        """Commands, not plans."""
        self.changes, self.refusals = array("H"), array("f")
        """Decided commands that change something, and how many of them were rejected: a fraction
        where counts alone do not say which."""
        self._rewards = array("d")
        self._proposed_at, self.decided_times = array("q"), array("q")
        """Microseconds; `decided_at` gives the time."""
        self.workflows = array("Q")
        """Hashes."""
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
            self.changes.append(0)
            self.refusals.append(0.0)
            self._rewards.append(nan)
            self._proposed_at.append(_NEVER)
            self.decided_times.append(_NEVER)
            self.workflows.append(0)
            self._said.append(0)
            self.shares.append(0.0)
            self.modes.append(0)
            self.environments.append(0)
            self.shown.append()

    def put(self, number: int, record: FeedbackRecord) -> None:
        """Keep the newest state of a plan."""
        self.reach(number)
        self.is_known[number] = True
        self.is_pending[number] = record.status is PlanStatus.PENDING
        self.is_decided[number] = record.is_decided
        self.is_example[number] = record.is_example
        self.is_rated[number] = record.rating.is_given
        self.is_unsigned[number] = record.is_decided and not record.is_signed
        self.approved[number] = min(record.approved_count, _MOST)
        self.rejected[number] = min(record.rejected_count, _MOST)
        changes = [one for one in record.credits if one.command.is_change]
        self.changes[number] = min(len(changes), _MOST_CHANGES)
        self.refusals[number] = min(sum(one.rejected for one in changes), _MOST_CHANGES)
        self._rewards[number] = nan if record.reward is None else record.reward
        self._proposed_at[number] = microseconds(record.proposed_at)
        self.decided_times[number] = microseconds(record.decided_at)
        self.workflows[number] = self._hashes.of(record.workflow_id)
        self.is_late[number] = record.is_late
        self.is_held_out[number] = bool(record.is_held_out)
        self.is_randomised[number] = record.is_randomised
        self.shares[number] = record.holdout_share or 0.0
        self.modes[number] = self.mode_names.number(record.signature.failure_mode)
        self.environments[number] = ENVIRONMENTS.index(record.signature.environment)
        self.shown.put(number, record.shown)
        said = suggestions_of(record)
        self._said[number] = self._hashes.of("\0".join(said)) or 1 if said else 0

    def reward(self, number: int) -> float | None:
        """A plan's reward."""
        found = self._rewards[number]
        return None if isnan(found) else found

    def share(self, number: int) -> float | None:
        """The approved share of a plan's commands; None where none was counted."""
        counted = self.approved[number] + self.rejected[number]
        return self.approved[number] / counted if counted else None

    def accepted_changes(self, number: int) -> float:
        """The changing commands of a plan that were not rejected; an edit is no rejection."""
        return self.changes[number] - self.refusals[number]

    def rewards(self) -> list[float]:
        """Every reward there is."""
        return [reward for reward in self._rewards if not isnan(reward)]

    def decided_at(self, number: int) -> datetime:
        """When a decided plan was decided."""
        return _EPOCH + self.decided_times[number] * _MICROSECOND

    def decided(self) -> list[int]:
        """The decided plans in the order of decisions."""
        numbers = (number for number, is_so in enumerate(self.is_decided) if is_so)
        return sorted(numbers, key=self.decided_times.__getitem__)

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
        wanted = self._hashes.of(workflow_id)
        return [number for number, found in enumerate(self.workflows) if found == wanted]

    def copy(self) -> "Entries":
        """The same columns, to be read while these go on changing."""
        copied = Entries(self._hashes)
        put_columns(copied, {name: column[:] for name, column in columns_of(self).items()})
        copied.mode_names, copied.shown = self.mode_names.copy(), self.shown.copy()
        return copied

    def parts(self) -> Parts:
        """Everything but the key of the hashes."""
        names = to_json(_NAMES, self.mode_names.all())
        return columns_of(self) | {"names": names} | named("shown", self.shown.parts())

    def restore(self, parts: Mapping[str, Part]) -> None:
        """Have the rows of another one, with hashes under the same key."""
        put_columns(self, parts)
        names = from_json(_NAMES, parts["names"])
        self.mode_names = Names(names)
        self.shown.restore(of("shown", parts))

    def _last_touched(self, number: int) -> int:
        decided_at = self.decided_times[number]
        return self._proposed_at[number] if decided_at == _NEVER else decided_at

    def _flags(self) -> tuple[bytearray, ...]:
        return (
            self.is_known,
            self.is_pending,
            self.is_decided,
            self.is_example,
            self.is_rated,
            self.is_unsigned,
            self.is_late,
            self.is_held_out,
            self.is_randomised,
        )


def suggestions_of(record: FeedbackRecord) -> tuple[str, ...]:
    """What people want avoided or better."""
    own = [verdict.reason for verdict in record.verdicts if verdict.reason]
    of_edits = {
        verdict.reason for verdict in record.verdicts if verdict.decision is CommandDecision.EDITED
    }
    is_joined = record.rejection_reason == "; ".join(dict.fromkeys(own))
    reasons = own if is_joined else [record.rejection_reason, *own]
    refused = (reason for reason in reasons if reason and reason not in of_edits)
    avoid = [f"Avoid: {reason.strip()}" for reason in refused if reason.strip()]
    better = (record.rating.improvements or "").strip()
    return (*avoid, better) if better else tuple(avoid)


def microseconds(time: datetime | None) -> int:
    """An exact number that sorts like the time; without one, before all."""
    return _NEVER if time is None else (time - _EPOCH) // _MICROSECOND
