"""A record says when, who and what in many dialects."""

import pytest

from app.intake.anatomy import Anatomy, dissect


@pytest.mark.parametrize(
    ("line", "timestamp", "service", "message"),
    [
        (
            '{"ts":"2024-05-01T10:00:00Z","level":"error","service":"orders","msg":"lost","err":"eof"}',
            "2024-05-01T10:00:00Z",
            "orders",
            "lost: eof",
        ),
        (
            'ts=2024-05-01T10:00:00Z level=error component=cache msg="no room" err="full"',
            "2024-05-01T10:00:00Z",
            "cache",
            "no room: full",
        ),
        (
            "May  1 10:00:00 node-1 kubelet[688]: E0501 10:00:00.123456 688 x.go:1] stuck",
            "May  1 10:00:00",
            "kubelet",
            "stuck",
        ),
        ("[pod/web-1/api] ERROR lost", "UNKNOWN", "api", "lost"),
        ("10:00:00 ERROR orders-api cannot store", "10:00:00", "orders-api", "cannot store"),
        (
            "Error from server (BadRequest): no",
            "UNKNOWN",
            "UNKNOWN_SERVICE",
            "Error from server (BadRequest): no",
        ),
        ("Status:   Pending", "UNKNOWN", "UNKNOWN_SERVICE", "Status: Pending"),
        ("orders_1  | ERROR lost", "UNKNOWN", "orders", "lost"),
        ('E0501 10:00:00.123456 1 x.go:1] "stuck" err="no pod"', "0501 10:00:00.123456",
         "UNKNOWN_SERVICE", "stuck: no pod"),
    ],
)  # fmt: skip
def test_a_record_is_taken_apart(line: str, timestamp: str, service: str, message: str):
    anatomy = dissect(line)

    assert anatomy == Anatomy(timestamp, service, message)
