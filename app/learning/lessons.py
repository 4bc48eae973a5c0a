"""Rules mined from decided plans: what people mostly allow or refuse, where, and on which evidence."""

from bisect import insort
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from math import sqrt

from pydantic import TypeAdapter

from app.domain.feedback import Environment, FeedbackRecord, Signature, event_id
from app.domain.guidance import ActionScore, Lesson
from app.domain.housekeeping import LessonSwitched
from app.domain.snapshots import Part, Parts
from app.learning.actions import takes_back
from app.learning.judgement import ACCEPTANCE, judgement_of
from app.learning.parts import from_json, to_json
from app.learning.words import words

WINDOW = 40
"""Only the newest decisions of a kind count: a rule ends when people have changed their minds."""
ONE_SIDED_95 = 1.645
LEAST_SHARE = 0.5
LEAST_DECISIONS = 4
"""A lesson says what most decisions of its kind will be. By the lower end of Wilson's one-sided
95 % interval for their share that is more than half of them with 3 of 3, 6 of 7 or 8 of 10 alike;
3 of 3 come about by chance once in eight, so one more is asked for."""
SHOWN_LIMIT = 8


@dataclass(frozen=True, slots=True, order=True)
class Level:
    """What decisions are counted by."""

    environment: Environment
    verb: str
    target: str
    """A kind, or a group of kinds; empty for verbs that name none."""
    is_group: bool
    when: str = ""
    """Whether a change came shortly before, for verbs that take one back: without one they are
    something else."""


@dataclass(frozen=True, slots=True, order=True)
class Vote:
    """One plan's part in a rule."""

    decided_at: datetime
    plan: int
    is_for: bool
    actions: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Rule:
    """A lesson with its evidence."""

    level: Level
    lesson: Lesson
    is_against: bool
    support: int
    """Decisions that agree with it."""
    contradictions: int
    certainty: float
    """At least this share of such decisions agrees, by the interval above."""
    since: datetime
    """The oldest decision that still counts."""
    supported_at: datetime
    contradicted_at: datetime | None
    plans: frozenset[int]


_VOTES = TypeAdapter(list[tuple[Level, list[Vote]]])


class LessonBook:
    """Follows the ledger and keeps the newest votes of every level."""

    def __init__(self) -> None:
        """No votes yet."""
        self.clear()

    def clear(self) -> None:
        """Forget every vote."""
        self._votes: defaultdict[Level, list[Vote]] = defaultdict(list)
        self._has_voted = bytearray()
        self._mined: dict[Level, Rule | None] = {}
        self._changed: set[Level] = set()
        self._rules: tuple[Rule, ...] = ()

    def update(self, number: int, record: FeedbackRecord) -> None:
        """Take a record's newest state in; out again when it is no example any more."""
        self._has_voted.extend(bytes(max(number + 1 - len(self._has_voted), 0)))
        if self._has_voted[number]:
            self._take_back(number)
        votes = _votes_of(number, record) if record.is_example else {}
        self._has_voted[number] = bool(votes)
        for level, vote in votes.items():
            insort(self._votes[level], vote)
            del self._votes[level][:-WINDOW]
        self._changed |= votes.keys()

    def rules(self) -> tuple[Rule, ...]:
        """Those with enough support, the most certain first; none that another one says as well."""
        if self._changed:
            self._mined |= {level: _mine(level, self._votes[level]) for level in self._changed}
            self._changed.clear()
            kept = _without_repetitions(rule for rule in self._mined.values() if rule is not None)
            self._rules = tuple(sorted(kept, key=lambda rule: (-rule.certainty, rule.level)))
        return self._rules

    def parts(self) -> Parts:
        """Every vote that counts; the rules follow from them."""
        return {"has_voted": self._has_voted, "votes": to_json(_VOTES, [*self._votes.items()])}

    def restore(self, parts: Mapping[str, Part]) -> None:
        """Have the votes of another one."""
        self.clear()
        self._has_voted = bytearray(parts["has_voted"])
        votes = from_json(_VOTES, parts["votes"])
        self._votes.update(votes)
        self._changed = {*self._votes}

    def _take_back(self, number: int) -> None:
        for level, votes in self._votes.items():
            kept = [vote for vote in votes if vote.plan != number]
            if len(kept) < len(votes):
                self._votes[level] = kept
                self._changed.add(level)


def active(rules: Sequence[Rule], switches: Mapping[str, LessonSwitched]) -> list[Rule]:
    """Those that nobody switched off."""
    return [rule for rule in rules if is_active(rule, switches)]


def is_active(rule: Rule, switches: Mapping[str, LessonSwitched]) -> bool:
    """Whether later plans may learn from it."""
    switch = switches.get(rule.lesson.id)
    return switch is None or switch.active


def lessons_for(
    signature: Signature, scores: Sequence[ActionScore], rules: Sequence[Rule]
) -> tuple[Lesson, ...]:
    """What the rules of this environment say on such a workload or on what was tried there."""
    tried = {line.action for line in scores}
    group = group_of(signature.kind)
    fitting = [
        rule
        for rule in rules
        if rule.level.environment is signature.environment
        and rule.level.when in {"", _when(signature)}
        and (rule.level.target in {signature.kind, group} or tried & {*rule.lesson.actions})
    ]
    return tuple(rule.lesson for rule in fitting[:SHOWN_LIMIT])


def group_of(kind: str) -> str:
    """The group of workloads that a kind is of; empty for anything else."""
    if kind in words().stateful:
        return "stateful workloads"
    return "stateless workloads" if kind in words().stateless else ""


def lower_bound(agreeing: int, total: int) -> float:
    """Wilson's: at least this share agrees, with 95 % confidence."""
    share, square = agreeing / total, ONE_SIDED_95**2
    middle = share + square / (2 * total)
    margin = ONE_SIDED_95 * sqrt(share * (1 - share) / total + square / (4 * total**2))
    return (middle - margin) / (1 + square / total)


def _votes_of(number: int, record: FeedbackRecord) -> dict[Level, Vote]:
    """One vote per level, however many commands of the plan are of its kind."""
    credits_: defaultdict[Level, dict[str, float]] = defaultdict(dict)
    for evidence in judgement_of(record).evidence:
        for level in _levels(record.signature, evidence.action):
            credits_[level][evidence.action] = evidence.credit
    assert record.decided_at is not None
    return {
        level: Vote(
            record.decided_at, number, sum(found.values()) >= ACCEPTANCE * len(found), tuple(found)
        )
        for level, found in credits_.items()
    }


def _levels(signature: Signature, action: str) -> Iterator[Level]:
    verb, _, kind = action.partition("/")
    when = _when(signature) if takes_back(action) else ""
    yield Level(signature.environment, verb, kind, is_group=False, when=when)
    # A pod is what its workload is.
    owner = signature.kind if kind == "pod" and signature.kind else kind
    if group := group_of(owner):
        yield Level(signature.environment, verb, group, is_group=True, when=when)


def _when(signature: Signature) -> str:
    return "after a change" if signature.has_recent_change else "without a change before"


def _mine(level: Level, votes: Sequence[Vote]) -> Rule | None:
    in_favour = sum(vote.is_for for vote in votes)
    is_against = 2 * in_favour < len(votes)
    support = len(votes) - in_favour if is_against else in_favour
    if len(votes) < LEAST_DECISIONS or lower_bound(support, len(votes)) <= LEAST_SHARE:
        return None
    agreeing = [vote for vote in votes if vote.is_for is not is_against]
    opposed = [vote for vote in votes if vote.is_for is is_against]
    return Rule(
        level=level,
        lesson=_lesson(level, votes, agreeing, is_against=is_against),
        is_against=is_against,
        support=support,
        contradictions=len(opposed),
        certainty=lower_bound(support, len(votes)),
        since=votes[0].decided_at,
        supported_at=agreeing[-1].decided_at,
        contradicted_at=opposed[-1].decided_at if opposed else None,
        plans=frozenset(vote.plan for vote in votes),
    )


def _lesson(
    level: Level, votes: Sequence[Vote], agreeing: Sequence[Vote], *, is_against: bool
) -> Lesson:
    said = "rejected" if is_against else "approved"
    share = len(agreeing) / len(votes)
    what = " ".join(filter(None, [_what(level), level.when]))
    return Lesson(
        id=event_id("lesson", *_values(level), said)[:16],
        sentence=f"{_place(level)}, {what} was {said} {len(agreeing)} of {len(votes)} times.",
        actions=tuple(sorted({action for vote in votes for action in vote.actions})),
        acceptance=1 - share if is_against else share,
    )


def _values(level: Level) -> tuple[object, ...]:
    known = (level.environment, level.verb, level.target, level.is_group)
    return (*known, level.when) if level.when else known


def _place(level: Level) -> str:
    if level.environment is Environment.UNKNOWN:
        return "Where the environment is unknown"
    return f"In {level.environment}"


def _what(level: Level) -> str:
    if not level.target:
        return level.verb
    article = "" if level.is_group else "an " if level.target[0] in "aeiou" else "a "
    return f"{level.verb} of {article}{level.target}"


def _without_repetitions(rules: Iterable[Rule]) -> Iterator[Rule]:
    """Only rules of the same mind on the same verb can say the same."""
    alike: defaultdict[tuple[Environment, str, str, bool], list[Rule]] = defaultdict(list)
    for rule in rules:
        level = rule.level
        alike[level.environment, level.verb, level.when, rule.is_against].append(rule)
    for group in alike.values():
        yield from (rule for rule in group if not any(_says_more(one, rule) for one in group))


def _says_more(other: Rule, rule: Rule) -> bool:
    """Whether a rule that is alike rests on the same decisions and more, or names the kind."""
    if other.level == rule.level:
        return False
    return other.plans > rule.plans or (other.plans == rule.plans and rule.level.is_group)
