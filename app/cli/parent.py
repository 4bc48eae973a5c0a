"""The end of the process that started this one."""

import os
import signal
import sys
import threading


def stop_with_parent() -> None:
    """Take the end of standard input for SIGTERM: a parent that is killed sends no signal."""

    def watch() -> None:
        while os.read(sys.stdin.fileno(), 4096):
            pass
        signal.raise_signal(signal.SIGTERM)

    threading.Thread(target=watch, name="watch parent", daemon=True).start()
