"""Lines short enough to show."""

LONGEST_LINE = 8 << 10
_TAIL = 2 << 10


def cut_line(line: bytes) -> str:
    """The line as text; a longer one keeps its beginning and end, with a mark between them."""
    if len(line) <= LONGEST_LINE:
        return line.decode("utf-8", "replace")
    head = line[: LONGEST_LINE - _TAIL].decode("utf-8", "ignore")
    tail = line[-_TAIL:].decode("utf-8", "ignore")
    return f"{head} […{len(line) - LONGEST_LINE} bytes cut…] {tail}"
