"""How far approved commands may go."""

from enum import StrEnum


class CommandMode(StrEnum):
    """What may be executed at all; every mode shows and judges the same commands."""

    SUGGEST = "suggest"
    """Nothing."""
    READ_ONLY = "read-only"
    """Only what the guard calls SAFE."""
    APPROVE = "approve"
    """What a person has approved."""
