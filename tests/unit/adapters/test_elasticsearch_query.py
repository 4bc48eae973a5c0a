"""What is asked of Elasticsearch, and which part of a hit is the message."""

from typing import Any

import pytest

from app.adapters.logs.elasticsearch_query import message_of, promote_operators


@pytest.mark.parametrize(
    ("query", "promoted"),
    [
        ("a and b or not c", "a AND b OR NOT c"),
        ("(a Or b)and c", "(a OR b)AND c"),
        ('"this and that" and x', '"this and that" AND x'),
        (r'"a \" and b" or c', r'"a \" and b" OR c'),
        ('"open and', '"open and'),
        ("/a and b/ and c", "/a and b/ AND c"),
        ("band order nothing", "band order nothing"),
        ("field:and", "field:and"),
        ("path:/var/log and x", "path:/var/log AND x"),
        ("http/1 or x", "http/1 OR x"),
        ("", ""),
    ],
)
def test_lower_case_operators_count_outside_quotes(query: str, promoted: str):
    assert promote_operators(query) == promoted


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ({"message": "a", "log": "b"}, "a"),
        ({"message": "", "log": "b"}, "b"),
        ({"log": "plain"}, "plain"),
        ({"log": {"original": "nested", "level": "x"}}, "nested"),
        ({"event": {"original": "event"}}, "event"),
        ({"event.original": "dotted"}, "dotted"),
        ({"message": ["a"], "x": "é"}, '{"message": ["a"], "x": "é"}'),
        ({"message": "two\nlines"}, "two\nlines"),
        ({}, "{}"),
    ],
)
def test_the_message_is_where_shippers_put_it(source: dict[str, Any], message: str):
    assert message_of(source) == message
