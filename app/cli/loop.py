"""The event loop of a process that serves: uvloop where there is one, for it costs less per event."""

import asyncio
import gc
from asyncio import AbstractEventLoop
from collections.abc import Callable, Coroutine
from importlib import import_module
from importlib.util import find_spec
from typing import Any


def run_in_loop(work: Coroutine[Any, Any, int]) -> int:
    """Run to the end, after which the process has nothing else to do; returns the exit code."""
    with asyncio.Runner(loop_factory=_loop_factory()) as runner:
        code = runner.run(work)
    # The interpreter's last look for garbage would take longer than everything else of a stop.
    gc.freeze()
    return code


def _loop_factory() -> Callable[[], AbstractEventLoop]:
    library = import_module("uvloop" if find_spec("uvloop") else "asyncio")
    factory: Callable[[], AbstractEventLoop] = library.new_event_loop
    return factory
