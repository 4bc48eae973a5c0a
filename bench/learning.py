"""Does it learn? Simulated incidents, people and plan engine; the product's own ledger and selector.

`python -m bench.learning [--seeds N] [--quick] [--plot FILE]`: progress on standard error, a table
on standard output. The world is in `learning_world`, its people in `learning_people`, and how a plan
engine uses guidance in `learning_engine`. Approval is what an honest reviewer is expected to say to
a plan's changes, in ratio to the best plan there is. Nobody is held out, so that it is the approval
of the plans that were made with what was learned. No design was chosen by these seeds: designs are
compared on those from 1000 on.
"""

import argparse
import asyncio
import logging
from collections.abc import Mapping, Sequence
from pathlib import Path

from bench.figures import say
from bench.learning_course import Course
from bench.learning_measures import Mean, Measures, mean, measure, median_heard
from bench.learning_people import scenarios
from bench.learning_plot import plot
from bench.learning_selectors import SELECTORS

FIRST_SEED = 4000
SEEDS = 20
INCIDENTS = 2000
QUICK_SEEDS = 2
QUICK_SELECTORS = ("none", "similarity x reward", "ours", "ceiling")
COMPARED = ("base", "drift")
"""Scenarios that every selector goes through; the others are about ours."""
PANELS = ("base", "drift")

Results = Mapping[str, Mapping[str, Sequence[Measures]]]
"""By scenario and selector, per seed."""


def main(arguments: Sequence[str] | None = None) -> None:
    """About twelve minutes of one core; `--quick` takes less than one and shows only the base world."""
    parser = argparse.ArgumentParser(prog="python -m bench.learning", description=__doc__)
    parser.add_argument("--seeds", type=int, help=f"how many worlds; {SEEDS}")
    parser.add_argument(
        "--quick", action="store_true", help="two seeds, few selectors, one scenario"
    )
    parser.add_argument("--plot", type=Path, help="write the learning curves there (SVG)")
    options = parser.parse_args(arguments)
    logging.disable(logging.WARNING)
    seeds = options.seeds or (QUICK_SEEDS if options.quick else SEEDS)
    results = _results(seeds, is_quick=options.quick)
    print(table(results, seeds))
    if options.plot:
        plot({name: _curves(results[name]) for name in PANELS if name in results}, options.plot)


def table(results: Results, seeds: int) -> str:
    """Two Markdown tables: the scenarios, then what else matters in the base world."""
    names = [*results]
    head = f"approval ÷ oracle, last 500 of {INCIDENTS:,}; {seeds} seeds, 95 %"
    lines = [_row(head, *names), "|---" * (len(names) + 1) + "|"]
    for selector in results[names[0]]:
        cells = [_late(results[name].get(selector)) for name in names]
        lines.append(_row(selector, *cells))
    return "\n".join([*lines, "", *_details(results)])


def _details(results: Results) -> list[str]:
    lines = [
        "| | feedbacks to .8 | rightly rejected just before, again | any rejected just before,"
        " again without a word why | read-only plans | first 500 after drift |",
        "|---|---|---|---|---|---|",
    ]
    drift = results.get("drift", {})
    for selector, measures in results["base"].items():
        turned = drift.get(selector)
        cells = [
            median_heard(measures),
            str(mean([one.repeats for one in measures])),
            str(mean([one.unexplained for one in measures])),
            str(mean([one.reads_alone for one in measures])),
            str(mean([one.turning for one in turned])) if turned else "",
        ]
        lines.append(_row(selector, *cells))
    return lines


def _results(seeds: int, *, is_quick: bool) -> Results:
    results: dict[str, dict[str, list[Measures]]] = {}
    for scenario in scenarios():
        if is_quick and scenario != "base":
            continue
        results[scenario] = {}
        for selector in QUICK_SELECTORS if is_quick else SELECTORS:
            if scenario in COMPARED or selector == "ours":
                results[scenario][selector] = [
                    _course(scenario, selector, FIRST_SEED + place) for place in range(seeds)
                ]
                say(f"{scenario}, {selector}: {_late(results[scenario][selector])}")
    return results


def _course(scenario: str, selector: str, seed: int) -> Measures:
    crowd, has_drift = scenarios()[scenario]
    course = Course(seed, selector, crowd)
    return measure(asyncio.run(course.run(INCIDENTS, INCIDENTS // 2 if has_drift else None)))


def _row(*cells: str) -> str:
    return f"| {' | '.join(cells)} |"


def _late(measures: Sequence[Measures] | None) -> str:
    return str(mean([one.late for one in measures])) if measures else ""


def _curves(results: Mapping[str, Sequence[Measures]]) -> Mapping[str, Sequence[Mean]]:
    return {
        selector: [mean(values) for values in zip(*(one.curve for one in measures), strict=True)]
        for selector, measures in results.items()
    }


if __name__ == "__main__":
    main()
