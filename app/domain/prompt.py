"""A question as text, for reasoners that read text."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Prompt:
    """What a language model is given."""

    system: str
    """Who it is and what it must do; our own words alone."""
    user: str
    """The facts; what others wrote is fenced."""
    version: str
    """Changes whenever the prompt's wording does."""
