"""Does it once more where the log was written anew in the very moment somebody read it."""

from collections.abc import Callable, Coroutine
from functools import wraps
from typing import Any, ParamSpec, TypeVar

from app.domain.errors import FeedbackRewritten

P = ParamSpec("P")
T = TypeVar("T")
Method = Callable[P, Coroutine[Any, Any, T]]


def again_if_rewritten(method: Method[P, T]) -> Method[P, T]:
    """For what may be done twice: some approval servers tell us once, and never again."""

    @wraps(method)
    async def twice(*args: P.args, **kwargs: P.kwargs) -> T:
        try:
            return await method(*args, **kwargs)
        except FeedbackRewritten:
            return await method(*args, **kwargs)

    return twice
