"""The process that started this one: what it reads of us, and its end."""

import os
import signal
import sys
import threading
from contextlib import suppress
from pathlib import Path


def end_output() -> None:
    """Let whoever reads standard output come to its end; what is written from now on is lost."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def keep_inheritance() -> None:
    """Let no child of ours have what we were started with.

    uvloop hands every inheritable descriptor on. A program that outlives us would keep our parent's
    pipes open, and our parent would not notice that we are gone.
    """
    with suppress(OSError):  # a system without the list
        for given in Path("/dev/fd").iterdir():
            with suppress(OSError):  # the list's own
                os.set_inheritable(int(given.name), int(given.name) <= sys.stderr.fileno())


def stop_with_parent() -> None:
    """Take the end of standard input for SIGTERM: a parent that is killed sends no signal."""

    def watch() -> None:
        while os.read(sys.stdin.fileno(), 4096):
            pass
        signal.raise_signal(signal.SIGTERM)

    threading.Thread(target=watch, name="watch parent", daemon=True).start()
