"""Does the running product learn? Logs in by HTTP, decisions by its doors, on a server of its own.

`python -m bench.learning_door [--incidents N] [--doors …] [--seed N] [--drift]`: progress on standard
error, a table on standard output. Every course begins with an empty data folder and sees the same
incidents and the same team; in `nobody decides` the plans get no answer, which is the engine's habit.
Acceptance is what the team is expected to say to a plan's changes, its reviewers' errors included.
"""

import argparse
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from random import Random

from bench.figures import say
from bench.learning_door_client import DOORS, DoorClient
from bench.learning_door_measures import Step, Watcher, table
from bench.learning_door_people import Team
from bench.learning_door_texts import draw
from tests.fakes.servers import running_product

NOBODY = "nobody decides"
MIXED = "mixed"
INCIDENTS = 400
LIMIT_SECONDS = 280.0
"""For everything: a course ends early rather than late."""
EVERY = 50


def main(arguments: Sequence[str] | None = None) -> None:
    """Some four minutes of one core."""
    parser = argparse.ArgumentParser(prog="python -m bench.learning_door", description=__doc__)
    parser.add_argument("--incidents", type=int, default=INCIDENTS)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument(
        "--doors",
        nargs="+",
        choices=(NOBODY, MIXED, *DOORS),
        default=[NOBODY, MIXED],
        help="a course for each: how decisions come back",
    )
    parser.add_argument("--drift", action="store_true", help="a change of mind in the middle")
    parser.add_argument("--holdout", default="0.1", help="HOLDOUT_SHARE of the server")
    options = parser.parse_args(arguments)
    limit = LIMIT_SECONDS / len(options.doors)
    courses = {door: _course(options, door, limit) for door in options.doors}
    print(table(courses, Team(Random(options.seed)).error))


def _course(options: argparse.Namespace, door: str, limit: float) -> list[Step]:
    chance, team = Random(options.seed + 1000), Team(Random(options.seed))
    watcher, steps, until = Watcher(team), [], time.monotonic() + limit
    with (
        tempfile.TemporaryDirectory() as folder,
        running_product(Path(folder), HOLDOUT_SHARE=options.holdout) as product,
    ):
        client = DoorClient(product.url, product.approval_url)
        for number in range(options.incidents):
            if options.drift and number == options.incidents // 2:
                team.drift()
            steps += _one(client, watcher, team, chance, door)
            if number % EVERY == EVERY - 1:
                late = steps[-EVERY:]
                accepted = sum(step.acceptance for step in late) / len(late)
                say(f"{door}: {number + 1} incidents, {accepted:.2f} of the last {EVERY} accepted")
            if time.monotonic() > until:
                say(f"{door}: stopped after {number + 1} incidents, as time is up")
                break
    return steps


def _one(client: DoorClient, watcher: Watcher, team: Team, chance: Random, door: str) -> list[Step]:
    incident = draw(chance)
    steps = []
    for plan in client.investigate(incident.text):
        steps.append(watcher.look(incident.situation, plan))
        if door != NOBODY:
            word = team.decide(incident.situation, plan.judged)
            client.decide(plan, word, team.chance.choice(DOORS) if door == MIXED else door)
            watcher.note(incident.situation, plan, word)
    return steps


if __name__ == "__main__":
    main()
