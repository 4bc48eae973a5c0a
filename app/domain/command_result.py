"""What came of one command on the cluster."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class CommandResult:
    """What came of one command on the cluster; not redacted."""

    exit_code: int | None
    """None when the command was stopped before it ended."""
    output: str
    """Both outputs in the order they came, cut at the runner's limit."""
    timed_out: bool

    @property
    def succeeded(self) -> bool:
        """Whether the command ended by itself and says that it worked."""
        return self.exit_code == 0 and not self.timed_out
