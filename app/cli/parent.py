"""The end of the process that started this one."""

import asyncio
import os
import sys
import threading
from collections.abc import Callable
from contextlib import suppress


def when_parent_is_gone(call: Callable[[], object]) -> None:
    """Call in this event loop once standard input closes: a parent that is killed sends no signal."""
    loop = asyncio.get_running_loop()

    def watch() -> None:
        while os.read(sys.stdin.fileno(), 4096):
            pass
        with suppress(RuntimeError):  # the loop is closed already
            loop.call_soon_threadsafe(call)

    threading.Thread(target=watch, name="watch parent", daemon=True).start()
