"""Commands, imported when they are asked for."""

import gc
from importlib import import_module
from types import ModuleType


def load(name: str) -> ModuleType:
    """A module of this package.

    Importing makes no garbage, and what it makes stays: looking for it would be a quarter of the
    time to import a server, and would go on for as long as it runs.
    """
    gc.disable()
    try:
        return import_module(f"app.cli.{name}")
    finally:
        gc.freeze()
        gc.enable()
