"""An interval for a mean that holds however often one looks, and whenever one stops (pure).

An ordinary 95 % interval holds for one look at a number of observations that was fixed before. Who
looks after every new observation and stops when it excludes zero finds a difference that is not
there in four of ten cases. A confidence sequence holds at all times at once.
"""

from functools import lru_cache
from math import exp, log

ALPHA = 0.05
"""At most this share of all sequences ever misses the truth, at any time."""
STEPS = 20
LARGEST, RATIO = 0.9, 0.75
"""The mixture's rates in units of 1/scale: good from V of about 1 to about 10⁵ times scale²."""
HALVINGS = 50


def anytime_radius(variation: float, scale: float, alpha: float = ALPHA) -> float:
    """How far the sum of observations minus their means may be from 0, at any time.

    `variation` is V, the sum of (Xᵢ - X̂ᵢ)², where X̂ᵢ is a guess made before Xᵢ was seen, and
    |Xᵢ - X̂ᵢ| ≤ `scale`; all three in the observations' unit or its square. For each rate λ in
    [0, 1/scale), exp(λ·S - ψ(λ)·V) is a supermartingale that begins at 1, with
    ψ(λ) = (-ln(1 - scale·λ) - scale·λ)/scale²; so is a mixture of them, and by Ville's inequality
    it ever reaches 2/alpha with a probability of alpha/2 at most, on each side. The result is the S
    at which the mixture is 2/alpha. Howard, Ramdas, McAuliffe and Sekhon, Time-uniform, nonparametric,
    nonasymptotic confidence sequences, Annals of Statistics 49 (2021) 1055, Theorem 4, with a
    discrete mixture. It needs neither equal means nor a number of observations that is large.
    """
    variation /= scale * scale
    limit = log(2 / alpha)
    low, high = 0.0, 1.0
    while _log_mixture(high, variation) < limit:
        high *= 2
    for _ in range(HALVINGS):
        middle = (low + high) / 2
        if _log_mixture(middle, variation) < limit:
            low = middle
        else:
            high = middle
    return high * scale


def _log_mixture(total: float, variation: float) -> float:
    """The logarithm of the mixture, for observations of scale 1."""
    exponents = [rate * total - penalty * variation for rate, penalty in _rates()]
    largest = max(exponents)
    return largest + log(sum(exp(one - largest) for one in exponents) / STEPS)


@lru_cache(maxsize=1)
def _rates() -> tuple[tuple[float, float], ...]:
    """Pairs of λ and ψ(λ)."""
    rates = [LARGEST * RATIO**step for step in range(STEPS)]
    return tuple((rate, -log(1 - rate) - rate) for rate in rates)
