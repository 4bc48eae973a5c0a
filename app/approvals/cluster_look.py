"""Looks at the cluster through kubectl: objects, dry runs and logs; it changes nothing."""

import asyncio
import re
from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime

from app.domain.command_result import CommandResult
from app.domain.errors import ClusterFailed, ExternalFailed
from app.domain.ports import CommandRunner
from app.kubectl.cluster_object import ClusterObject, Target, UnreadableObject
from app.kubectl.dry_run import DryRun
from app.security.redaction import redact

VERSIONS = "--output=custom-columns=K:.kind,N:.metadata.name,V:.metadata.resourceVersion"
LONGEST_SENTENCE = 300
LONGEST_LOG = 500_000
"""Of one container, in bytes."""
NO_ANSWER = "The cluster does not answer in time."
_ANSWERED = re.compile(
    r"Error from server \((?!InternalError|ServiceUnavailable|Timeout|ServerTimeout|TooManyRequests)"
    r"|The \S+ \"|The request is invalid|error: (?!You must be logged in|unable to connect"
    r"|Get |Post |couldn't get|the server is currently unable|failed to create \S+: Post )"
)
_OF_THE_CLIENT = re.compile(r"[EWI]\d{4} ")
"""Lines of kubectl's own log."""


class ClusterRefused(ClusterFailed):
    """The cluster answers, and does not take this."""


class ClusterLook:
    """Reads with the same kubectl and the same rights that change."""

    def __init__(self, runner: CommandRunner) -> None:
        """The runner has the time limit and the largest output of one look."""
        self._runner = runner

    async def get(self, target: Target) -> ClusterObject | None:
        """One object, None when it is not there; raises ClusterFailed."""
        found = await self._read(
            "get", target.kind, target.name, *target.place, "--ignore-not-found", "--output=json"
        )
        return _parsed(found) if found.strip() else None

    async def list(self, kind: str, namespace: str, selector: str = "") -> Sequence[ClusterObject]:
        """Objects of a kind; raises ClusterFailed."""
        chosen = (f"--selector={selector}",) if selector else ()
        found = await self._read("get", kind, f"--namespace={namespace}", *chosen, "--output=json")
        return _parsed(found).each()

    async def dry_run(self, question: DryRun) -> tuple[ClusterObject, ...]:
        """The objects as they would be; raises ClusterRefused, or ClusterFailed."""
        answer = await self._read(*question.argv)
        if not question.shows_object:
            return ()
        return _parsed(answer).each()

    async def versions(self, references: Collection[str]) -> Mapping[str, str | None]:
        """Each object's version, None for one that is gone; raises ClusterFailed."""
        places: dict[tuple[str, ...], list[Target]] = defaultdict(list)
        for reference in references:
            target = Target.of_reference(reference)
            places[target.place].append(target)
        found = await asyncio.gather(
            *(self._versions(place, targets) for place, targets in places.items())
        )
        return {reference: version for each in found for reference, version in each.items()}

    async def log_since(self, namespace: str, selector: str, since: datetime) -> str:
        """What the pods wrote since then; raises ClusterFailed."""
        return await self._read(
            "logs",
            f"--namespace={namespace}",
            f"--selector={selector}",
            f"--since-time={since:%Y-%m-%dT%H:%M:%SZ}",
            "--all-containers",
            "--tail=-1",
            f"--limit-bytes={LONGEST_LOG}",
            "--max-log-requests=50",
        )

    async def _versions(
        self, place: Sequence[str], targets: Sequence[Target]
    ) -> Mapping[str, str | None]:
        names = [target.short for target in targets]
        table = await self._read(
            "get", *names, *place, "--ignore-not-found", "--no-headers", VERSIONS
        )
        rows = [line.split() for line in table.splitlines()]
        seen = {(row[0].lower(), row[1]): row[2] for row in rows if len(row) == 3}
        return {
            target.reference: seen.get((target.kind.partition(".")[0], target.name))
            for target in targets
        }

    async def _read(self, *argv: str) -> str:
        try:
            result = await self._runner.run(argv)
        except ClusterFailed:
            raise
        except ExternalFailed as error:
            raise ClusterFailed(str(error)) from error
        if not result.succeeded:
            raise _failure(result)
        return result.output


def _parsed(output: str) -> ClusterObject:
    try:
        return ClusterObject.parse(output)
    except UnreadableObject as error:
        raise ClusterRefused("kubectl's answer cannot be read, or is too long.") from error


def _failure(result: CommandResult) -> ClusterFailed:
    if result.timed_out or result.exit_code is None:
        return ClusterFailed(NO_ANSWER)
    lines = [line for line in result.output.splitlines() if not _OF_THE_CLIENT.match(line)]
    words = redact(" ".join(" ".join(lines).split())[:LONGEST_SENTENCE]).text
    if "You must be logged in" in words:
        return ClusterFailed(f"The cluster does not know this server: {words}")
    if _ANSWERED.search(result.output):
        return ClusterRefused(words)
    return ClusterFailed(f"The cluster cannot be asked: {words}")
