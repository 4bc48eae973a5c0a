"""Batches count exactly, point to the right lines and stay small."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.domain.logbatch import LineSeverity, LogBatch
from app.intake.batch import MOST_PATTERNS, read_batch
from app.intake.excerpt import MOST_BYTES, MOST_LINES


def _only(batch: LogBatch):
    assert len(batch.patterns) == 1, [p.message for p in batch.patterns]
    return batch.patterns[0]


def test_repeats_are_one_pattern_with_an_exact_count_and_the_first_samples():
    lines = [f"2024-05-01T10:00:{i % 60:02d}Z ERROR order {i} of pod web-7d9f8b6c5d-x2x9k lost"
             for i in range(1234)]  # fmt: skip

    pattern = _only(read_batch("\n".join(lines)))

    assert pattern.count == 1234
    assert pattern.template == "order <*> of pod web-<*> lost"
    assert pattern.message == "order 0 of pod web-7d9f8b6c5d-x2x9k lost"
    assert pattern.timestamp == "2024-05-01T10:00:00Z"
    assert [sample.number for sample in pattern.samples] == [1, 2, 3, 4, 5]


def test_patterns_come_worst_first_then_by_line():
    batch = read_batch("WARN one\nERROR two\nFATAL three\nERROR four\nWARN five")

    assert [p.message for p in batch.patterns] == ["three", "two", "four", "one", "five"]


def test_status_codes_are_not_masked_together():
    batch = read_batch("level=info msg=done status=500\nlevel=info msg=done status=503\n"
                       "level=info msg=done status=200\nlevel=info msg=done status=500")  # fmt: skip

    assert sum(pattern.count for pattern in batch.patterns) == 3


def test_a_java_trace_belongs_to_its_record():
    text = """INFO before
2024-05-01T10:00:00Z ERROR [exec-1] com.acme.orders.OrderService - cannot store order 7
java.lang.IllegalStateException: no pool
\tat com.acme.Pool.get(Pool.java:12)
\tat com.acme.Orders.store(Orders.java:99)
Caused by: java.net.ConnectException: Connection refused
\tat java.net.Socket.connect(Socket.java:1)
\t... 3 more
INFO after"""

    pattern = _only(read_batch(text))

    assert pattern.message == "cannot store order 7"
    assert pattern.service == "OrderService"
    assert pattern.samples[0].number == 2
    assert pattern.trace is not None
    assert pattern.trace.startswith("2024-05-01T10:00:00Z ERROR")
    assert "Caused by: java.net.ConnectException: Connection refused" in pattern.trace
    assert "INFO after" not in pattern.trace


@pytest.mark.parametrize("prefix", ["", "[pod/web-1/api] ", "2024-05-01T10:00:00.5Z "])
def test_a_python_trace_is_named_by_its_exception(prefix: str):
    lines = [
        "INFO before",
        "Traceback (most recent call last):",
        '  File "/app/main.py", line 3, in <module>',
        "    main()",
        "KeyError: 'DB_URL'",
        "INFO after",
    ]

    pattern = _only(read_batch("\n".join(prefix + line for line in lines)))

    assert pattern.message == "KeyError: 'DB_URL'"
    assert pattern.samples[0].number == 2
    assert "INFO after" not in (pattern.trace or "")


def test_a_go_panic_and_a_node_error_take_their_traces():
    text = """panic: assignment to entry in nil map

goroutine 1 [running]:
main.main()
\t/app/main.go:17 +0x1d
exit status 2
{"level":"info","msg":"restarted"}
Error: connect ECONNREFUSED 10.0.0.5:5432
    at TCPConnectWrap.afterConnect [as oncomplete] (node:net:1555:16) {
  errno: -111,
  code: 'ECONNREFUSED'
}
ready"""

    batch = read_batch(text)

    assert [(p.severity, p.samples[0].number) for p in batch.patterns] == [
        (LineSeverity.CRITICAL, 1),
        (LineSeverity.ERROR, 8),
    ]
    assert "/app/main.go:17" in (batch.patterns[0].trace or "")
    assert "errno: -111" in (batch.patterns[1].trace or "")


def test_a_trace_at_any_place_of_a_large_input_stays_with_its_record():
    record = (
        "ERROR pool is gone\njava.lang.Exception: gone\n" + "\tat a.b.Pool.get(Pool.java:1)\n" * 9
    )

    batch = read_batch(("INFO fine\n" * 7 + record) * 8000)

    assert _only(batch).count == 8000


def test_a_long_trace_is_folded_to_both_ends():
    frames = "".join(f"\tat a.b.C.m{i}(C.java:{i})\n" for i in range(300))

    trace = _only(read_batch(f"ERROR deep\n{frames}INFO ok\n")).trace or ""

    assert "m0(" in trace
    assert "m299(" in trace
    assert "276 more lines" in trace
    assert "m150(" not in trace


def test_events_of_a_description_are_records_of_their_own():
    text = """Events:
  Type     Reason     Age                From               Message
  ----     ------     ----               ----               -------
  Normal   Scheduled  3m                 default-scheduler  Successfully assigned shop/web-1
  Warning  Failed     2m (x4 over 3m)    kubelet            Failed to pull image "web:9"
  Warning  BackOff    1m (x6 over 3m)    kubelet            Back-off restarting failed container"""

    batch = read_batch(text)

    assert [(p.severity, p.message, p.samples[0].number) for p in batch.patterns] == [
        (LineSeverity.CRITICAL, "BackOff: Back-off restarting failed container", 6),
        (LineSeverity.ERROR, 'Failed: Failed to pull image "web:9"', 5),
    ]


def test_colours_and_carriage_returns_are_no_part_of_a_line():
    batch = read_batch("\x1b[31mERROR\x1b[0m lost\r\n\x1b[32mINFO\x1b[0m fine\r\n")

    assert _only(batch).message == "lost"
    assert [line.text for line in batch.excerpt] == ["ERROR lost", "INFO fine"]
    assert batch.total_lines == 2


def test_other_line_separators_do_not_shift_line_numbers():
    batch = read_batch("a\u2028b\x0bc\x85d\nERROR lost\n")

    assert _only(batch).samples[0].number == 2
    assert batch.total_lines == 2


def test_a_small_input_is_complete():
    batch = read_batch("a\n\nb", redactions=(("password", 2),))

    assert batch.is_complete
    assert [(line.number, line.text) for line in batch.excerpt] == [(1, "a"), (2, ""), (3, "b")]
    assert (batch.total_lines, batch.total_bytes) == (3, 4)
    assert batch.redactions == (("password", 2),)


def test_a_large_input_keeps_problems_with_neighbours_head_and_tail():
    lines = [f"INFO fine {i}" for i in range(1, 60_001)]
    lines[29_999] = "ERROR needle"

    batch = read_batch("\n".join(lines))

    numbers = [line.number for line in batch.excerpt]
    assert not batch.is_complete
    assert batch.total_lines == 60_000
    assert {1, 29_998, 30_000, 30_004, 60_000} <= set(numbers)
    assert numbers == sorted(numbers)
    assert len(numbers) <= MOST_LINES
    assert all(lines[line.number - 1] == line.text for line in batch.excerpt)


def test_an_error_at_the_end_of_one_enormous_line_is_seen_and_shown():
    batch = read_batch("x " * 2_500_000 + "ERROR needle")

    pattern = _only(batch)
    assert pattern.message.endswith("ERROR needle")
    assert "bytes cut" in batch.excerpt[0].text
    assert batch.excerpt[0].text.endswith("ERROR needle")
    assert len(batch.excerpt[0].text) < 9_000


def test_more_shapes_than_room_are_counted():
    letters = "ghijklmnop"
    names = ["".join(letters[int(digit)] for digit in f"{i:05d}") for i in range(12_000)]

    batch = read_batch("\n".join(f"WARN about {name}" for name in names) + "\nFATAL needle")

    assert len(batch.patterns) == MOST_PATTERNS
    assert batch.patterns_left_out == 12_001 - MOST_PATTERNS
    assert batch.patterns[0].message == "needle"


@pytest.mark.parametrize(
    ("text", "lines", "count"),
    [
        ("\n" * 3_000_000, 3_000_000, 0),
        ("\0" * 1_000_000 + "\nERROR \0 x", 2, 1),
        ("ERROR same\n" * 100_000, 100_000, 100_000),
        ("ERROR x\r\n" * 10_000, 10_000, 10_000),
        ("ERROR 😀\n" * 10_000, 10_000, 10_000),
        (" " * 3_000_000 + "ERROR x", 1, 1),
        ('{"level":"error","a":' * 50_000, 1, 1),
        ("\x1b[" * 500_000, 1, 0),
    ],
)
def test_hostile_inputs_are_counted_exactly_in_bounded_size(text: str, lines: int, count: int):
    batch = read_batch(text)

    assert batch.total_lines == lines
    assert sum(pattern.count for pattern in batch.patterns) == count
    assert len(batch.excerpt) <= MOST_LINES
    assert sum(len(line.text) for line in batch.excerpt) <= MOST_BYTES


_LINE = st.one_of(
    st.text(max_size=60),
    st.sampled_from(
        ["ERROR lost", "Traceback (most recent call last):", "  File \"x.py\", line 1", "ValueError: x",
         "\tat a.b(C.java:1)", "Caused by: x", "", "}", "panic: x", "  Warning  Failed  1m  kubelet  x",
         '{"level":"error","msg":"x"}', "E0501 10:00:00.123456 1 x.go:1] y", "\x1b[31mERROR\x1b[0m"]
    ),
)  # fmt: skip


@settings(max_examples=300, deadline=None)
@given(st.lists(_LINE, max_size=30).map("\n".join))
def test_any_text_is_read_and_every_number_points_to_its_line(text: str):
    batch = read_batch(text)

    raw = text.split("\n")
    for line in [*batch.excerpt, *(s for p in batch.patterns for s in p.samples)]:
        expected = raw[line.number - 1].removesuffix("\r")
        assert line.text == expected.encode("utf-8", "replace").decode() or "\x1b" in expected
    assert sum(p.count for p in batch.patterns) <= batch.total_lines
