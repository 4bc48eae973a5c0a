"""How sure the figures are and what learning gains, as the statistics answer it."""

from typing import Self

from pydantic import BaseModel, ConfigDict

from app.learning.evaluation import Evaluation, Rates, Worth
from app.learning.evaluator import Evaluated, UsedExample
from app.learning.lift import Lift, Verdict
from app.learning.lift_words import explanation_of, sentence_of


class FromFacts(BaseModel):
    """An answer read off a domain value's attributes."""

    model_config = ConfigDict(from_attributes=True)


class IntervalAnswer(FromFacts):
    """A 95 % interval in the unit of what it is about."""

    low: float
    high: float


class RateAnswer(FromFacts):
    """How a group's commands were decided; the interval is Wilson's.

    `effective_commands` is what they are worth, as those of one plan are decided together.
    """

    name: str
    plans: int
    approved_commands: int
    rejected_commands: int
    approval_rate: float
    interval: IntervalAnswer
    effective_commands: float


class RatesAnswer(FromFacts):
    """The approval rate by group; weeks are ISO 8601 weeks of the decisions, in UTC."""

    failure_mode: list[RateAnswer]
    environment: list[RateAnswer]
    week: list[RateAnswer]

    @classmethod
    def of(cls, rates: Rates) -> Self:
        """Under the contract's names."""
        return cls(
            failure_mode=[RateAnswer.model_validate(rate) for rate in rates.failure_modes],
            environment=[RateAnswer.model_validate(rate) for rate in rates.environments],
            week=[RateAnswer.model_validate(rate) for rate in rates.weeks],
        )


class ArmAnswer(FromFacts):
    """One side of the experiment: decided workflows, and the mean of their values."""

    workflows: int
    mean: float | None


class LiftAnswer(FromFacts):
    """What guidance gains against the holdout, -1 to 1; the interval holds at every look.

    `difference` is adjusted for which incidents each side happened to get (augmented inverse
    probability weighting), so it differs from `plain_difference`, that of the two means. While a
    side has too few workflows it is null, as is the interval. `explanation` says this in words.
    """

    guided: ArmAnswer
    held_out: ArmAnswer
    difference: float | None
    plain_difference: float | None
    interval: IntervalAnswer | None
    verdict: Verdict
    sentence: str = ""
    explanation: str = ""

    @classmethod
    def of(cls, lift: Lift, measure: str) -> Self:
        """With the sentences that say it."""
        said = {"sentence": sentence_of(lift, measure), "explanation": explanation_of(lift)}
        return cls.model_validate(lift).model_copy(update=said)


class EstimateAnswer(FromFacts):
    """A policy's value, 0 to 1; the interval holds for one look, and is null for too few."""

    value: float
    interval: IntervalAnswer | None


class PolicyAnswer(FromFacts):
    """One policy, evaluated on what was recorded."""

    matching: int
    effective_sample_size: float
    self_normalised: EstimateAnswer | None
    doubly_robust: EstimateAnswer | None


class OffPolicyAnswer(FromFacts):
    """Always guided, and never, on the same recorded workflows."""

    workflows: int
    guided: PolicyAnswer
    held_out: PolicyAnswer


class WorthAnswer(BaseModel):
    """What guidance gains by one measure."""

    lift: LiftAnswer
    off_policy: OffPolicyAnswer

    @classmethod
    def of(cls, worth: Worth, measure: str) -> Self:
        """Under the contract's names."""
        return cls(
            lift=LiftAnswer.of(worth.lift, measure),
            off_policy=OffPolicyAnswer.model_validate(worth.off_policy),
        )


class HoldoutAnswer(BaseModel):
    """The experiment: workflows with what was learned against some without, chosen by chance.

    Plans that nobody has decided are in neither side's figures.
    """

    approval: WorthAnswer
    reward: WorthAnswer
    undecided_plans_guided: int
    undecided_plans_held_out: int

    @classmethod
    def of(cls, evaluation: Evaluation) -> Self:
        """Both measures."""
        return cls(
            approval=WorthAnswer.of(evaluation.approval, "approval"),
            reward=WorthAnswer.of(evaluation.reward, "the reward"),
            undecided_plans_guided=evaluation.undecided_guided,
            undecided_plans_held_out=evaluation.undecided_held_out,
        )


class UsedExampleAnswer(BaseModel):
    """An earlier plan that later ones were shown, and how those fared."""

    feedback_id: str
    issue: str
    followed_count: int
    avoided_count: int
    decided_plans: int
    approval_rate: float | None
    interval: IntervalAnswer
    average_reward: float | None

    @classmethod
    def of(cls, example: UsedExample) -> Self:
        """Without a rate while none of those plans is decided."""
        use = example.use
        return cls(
            feedback_id=example.feedback_id,
            issue=example.issue,
            followed_count=use.followed,
            avoided_count=use.avoided,
            decided_plans=use.rate.plans,
            approval_rate=use.rate.approval_rate if use.rate.plans else None,
            interval=IntervalAnswer.model_validate(use.rate.interval),
            average_reward=use.average_reward,
        )


class EvaluationAnswer(BaseModel):
    """What the statistics have beside the contract's own fields."""

    approval_interval: IntervalAnswer
    approval_by: RatesAnswer
    holdout: HoldoutAnswer
    examples_used: list[UsedExampleAnswer]

    @classmethod
    def of(cls, evaluated: Evaluated) -> Self:
        """All of it."""
        evaluation = evaluated.evaluation
        return cls(
            approval_interval=IntervalAnswer.model_validate(evaluation.rates.total.interval),
            approval_by=RatesAnswer.of(evaluation.rates),
            holdout=HoldoutAnswer.of(evaluation),
            examples_used=[UsedExampleAnswer.of(example) for example in evaluated.examples],
        )
