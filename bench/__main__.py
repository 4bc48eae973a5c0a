"""Everything at once: progress on standard error, the table on standard output.

`python -m bench stream` measures the event stream beside other servers.
"""

import sys

from bench import commands, first_event, memory, overhead, startup, stream
from bench.figures import table


def main(arguments: list[str]) -> None:
    """A few minutes at most; only this machine is asked."""
    if arguments[:1] == ["stream"]:
        stream.run(arguments[1:])
        return
    print(
        table(
            [
                *startup.measure(),
                *first_event.measure(),
                *commands.measure(),
                *overhead.measure(),
                *memory.measure(),
            ]
        )
    )


if __name__ == "__main__":
    main(sys.argv[1:])
