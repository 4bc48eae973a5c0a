"""Everything at once: progress on standard error, the table on standard output."""

from bench import first_event, memory, overhead, startup
from bench.figures import table


def main() -> None:
    """A few minutes at most; only this machine is asked."""
    print(
        table(
            [
                *startup.measure(),
                *first_event.measure(),
                *overhead.measure(),
                *memory.measure(),
            ]
        )
    )


if __name__ == "__main__":
    main()
