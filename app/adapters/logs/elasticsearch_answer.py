"""Elasticsearch's answers, parsed once; a part of an answer is no answer."""

from typing import Any, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from app.domain.errors import LogSourceFailed

_LONGEST_REASON = 300


class _Part(BaseModel):
    """Unknown keys of Elasticsearch's answers are dropped."""

    model_config = ConfigDict(frozen=True, extra="ignore")


class View(_Part):
    """A frozen view of the indices (a point in time)."""

    id: str = Field(min_length=1)


class Hit(_Part):
    """One document and its place in the order."""

    source: dict[str, Any] = Field(alias="_source")
    sort: list[Any]


class _Hits(_Part):
    hits: list[Hit]


class _Reason(_Part):
    reason: str | None = None


class _Failure(_Part):
    reason: _Reason = _Reason()


class _Shards(_Part):
    failed: int = 0
    failures: tuple[_Failure, ...] = ()


class Page(_Part):
    """One page of hits."""

    pit_id: str
    timed_out: bool
    shards: _Shards = Field(alias="_shards")
    inner: _Hits = Field(alias="hits")

    @property
    def hits(self) -> list[Hit]:
        """The documents, in order."""
        return self.inner.hits


T = TypeVar("T", bound=_Part)


def to_page(body: object, address: str) -> Page:
    """The page; raises LogSourceFailed for one that is incomplete or unreadable."""
    page = to_part(body, Page, address)
    if page.timed_out:
        raise LogSourceFailed("Elasticsearch stopped the search before it was complete.")
    if page.shards.failed:
        reasons = (failure.reason.reason for failure in page.shards.failures)
        reason = next((reason for reason in reasons if reason), "no reason given")
        raise LogSourceFailed(
            "Elasticsearch could search only a part of the indices: "
            f"{' '.join(reason.split())[:_LONGEST_REASON]}"
        )
    return page


def to_part(body: object, kind: type[T], address: str) -> T:
    """An answer of this kind; raises LogSourceFailed for anything else."""
    try:
        return kind.model_validate(body)
    except ValidationError:
        # From None: the cause would carry log lines into our log.
        raise LogSourceFailed(
            f"The server at {address} answered with something unreadable."
        ) from None
