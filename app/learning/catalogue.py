"""Where in the store the events of every plan and approval stand, and whose plan an approval is."""

from array import array
from collections.abc import Mapping, Sequence

from pydantic import TypeAdapter

from app.domain.course import Report
from app.domain.feedback import Linked, PlanEvent
from app.domain.ids import ApprovalId, FeedbackId
from app.domain.snapshots import Part, Parts
from app.learning.directory import Directory, Hashes
from app.learning.fold import Draft, parts_of
from app.learning.parts import columns_of, from_json, named, of, put_columns, to_json

DRAFTS_LIMIT = 100
"""Plans at hand without asking the store: most events are about one of the last."""
_OTHERS = TypeAdapter(dict[int, set[int]])


class Places:
    """By number of a key the positions of its events, as chains through two arrays."""

    def __init__(self, hashes: Hashes) -> None:
        """No events yet."""
        self.keys = Directory(hashes)
        self._last = array("I")
        """The newest link of each chain, one higher than it is; 0 is the end of a chain."""
        self._positions = array("Q")
        self._earlier = array("I")

    def number(self, key: str) -> int:
        """The key's number, given out now when it is new."""
        number = self.keys.number(key)
        if number == len(self._last):
            self._last.append(0)
        return number

    def add(self, number: int, position: int) -> None:
        """Note where another event stands; the parts of one event stand at one place."""
        last = self._last[number]
        if last and self._positions[last - 1] == position:
            return
        self._positions.append(position)
        self._earlier.append(last)
        self._last[number] = len(self._positions)

    def has(self, number: int) -> bool:
        """Whether any event is noted."""
        return bool(self._last[number])

    def of(self, number: int) -> list[int]:
        """The positions, oldest first."""
        found: list[int] = []
        link = self._last[number]
        while link:
            found.append(self._positions[link - 1])
            link = self._earlier[link - 1]
        return found[::-1]

    def parts(self) -> Parts:
        """Everything but the key of the hashes."""
        return columns_of(self) | named("keys", self.keys.parts())

    def restore(self, parts: Mapping[str, Part]) -> None:
        """Have the chains of another one, with hashes under the same key."""
        put_columns(self, parts)
        self.keys.restore(of("keys", parts))


class Catalogue:
    """Files events by what they are about; plans have numbers in the order they are heard of."""

    def __init__(self, hashes: Hashes) -> None:
        """Nothing is filed yet."""
        self.plans = Places(hashes)
        self.approvals = Places(hashes)
        self.drafts: dict[int, Draft] = {}
        """The plans at hand, in the order they were heard of; every other one is in the store only."""
        self._owner = array("I")
        """By number of an approval its first plan, one higher than it is; 0 while there is none."""
        self._others: dict[int, set[int]] = {}
        self._approval_of = array("I")
        """By number of a plan one of its approvals, one higher than it is; 0 while it has none."""

    def file(self, event: PlanEvent, position: int) -> set[int]:
        """Note where an event stands; the plans it is about, those at hand with the event in them."""
        about: set[int] = set()
        for part in parts_of(event):
            changed = self._file(part, position)
            for number in changed & self.drafts.keys():
                self.drafts[number].apply(part)
            about |= changed
        return about

    def owners(self, approval: int) -> set[int]:
        """The plans that stand under an approval: one, unless somebody links it twice."""
        first = self._owner[approval]
        return {first - 1, *self._others.get(approval, ())} if first else set()

    def owners_of(self, approval_id: ApprovalId) -> set[int]:
        """The plans that stand under an approval."""
        approval = self.approvals.keys.find(approval_id)
        return set() if approval is None else self.owners(approval)

    def reports(self, approval_id: ApprovalId) -> list[int]:
        """Where everything stands that was reported of an approval."""
        approval = self.approvals.keys.find(approval_id)
        return [] if approval is None else self.approvals.of(approval)

    def likely_reports(self, plan: int) -> Sequence[int]:
        """Where what was reported of one of its approvals stands: most plans have one."""
        approval = self._approval_of[plan]
        return self.approvals.of(approval - 1) if approval else ()

    def let_go(self) -> dict[int, Draft]:
        """The plans over the limit, which are at hand no longer."""
        surplus = [*self.drafts][: max(len(self.drafts) - DRAFTS_LIMIT, 0)]
        return {number: self.drafts.pop(number) for number in surplus}

    def parts(self) -> Parts:
        """Where everything stands; the plans at hand are left out."""
        places = named("plans", self.plans.parts()) | named("approvals", self.approvals.parts())
        return places | {"owner": self._owner, "others": to_json(_OTHERS, self._others)}

    def restore(self, parts: Mapping[str, Part]) -> None:
        """Know what another one knew, with hashes under the same key."""
        self.plans.restore(of("plans", parts))
        self.approvals.restore(of("approvals", parts))
        approval_of = array("I", [0]) * len(self.plans.keys)
        for approval, owner in enumerate(parts["owner"], start=1):
            if owner:
                approval_of[owner - 1] = approval
        put_columns(self, {"_owner": parts["owner"], "_approval_of": approval_of})
        self._others = from_json(_OTHERS, parts["others"])

    def _file(self, part: PlanEvent, position: int) -> set[int]:
        if not isinstance(part, Report):
            number = self._plan(part.feedback_id)
            self.plans.add(number, position)
            if isinstance(part, Linked):
                self._own(self._approval(part.approval_id), number)
            return {number}
        approval = self._approval(part.approval_id)
        if part.feedback_id is not None:
            number = self._plan(part.feedback_id)
            if self._own(approval, number):
                # So far nothing else says that it is this plan's.
                self.plans.add(number, position)
        self.approvals.add(approval, position)
        return self.owners(approval)

    def _plan(self, feedback_id: FeedbackId) -> int:
        known = len(self.plans.keys)
        number = self.plans.number(feedback_id)
        if number == known:
            self._approval_of.append(0)
            self.drafts[number] = Draft(feedback_id, keeps_texts=False)
        return number

    def _approval(self, approval_id: ApprovalId) -> int:
        number = self.approvals.number(approval_id)
        if number == len(self._owner):
            self._owner.append(0)
        return number

    def _own(self, approval: int, plan: int) -> bool:
        """Whether it was not known to be this plan's."""
        if plan in self.owners(approval):
            return False
        self._approval_of[plan] = approval + 1
        if self._owner[approval]:
            self._others.setdefault(approval, set()).add(plan)
        else:
            self._owner[approval] = plan + 1
        if self.approvals.has(approval):
            # What was reported before is in the store: the draft lacks it.
            self.drafts.pop(plan, None)
        return True
