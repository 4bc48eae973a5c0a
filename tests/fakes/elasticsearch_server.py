"""Elasticsearch's search protocol on a loopback port: views, paging, time range, queries, faults."""

import json
import re
import threading
import time
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from tests.fakes.servers import free_port

Json = dict[str, Any]

_MEDIA_TYPE = re.compile(r"application/vnd\.elasticsearch\+json; compatible-with=8")
_TERM = re.compile(r'(AND|OR|NOT)\b|(?:([\w.@]+):)?(?:"([^"]*)"|([^\s"]+))')


@dataclass(frozen=True)
class Fault:
    """One scripted failure, in the place of an answer."""

    status: int = 503
    body: bytes = b'{"error": {"type": "unavailable", "reason": "busy"}, "status": 503}'
    product: str | None = "Elasticsearch"
    content_type: str = "application/vnd.elasticsearch+json;compatible-with=8"
    is_silent: bool = False
    is_dropped: bool = False


@dataclass(frozen=True)
class Asked:
    """One request as it came."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: Json


@dataclass
class ElasticsearchServer:
    """A running fake; `documents` are (seconds ago, source)."""

    port: int
    documents: list[tuple[float, Json]] = field(default_factory=list)
    authorization: str | None = None
    script: deque[Fault | None] = field(default_factory=deque)
    """What the next requests get; None is a real answer."""
    always: Fault | None = None
    asked: list[Asked] = field(default_factory=list)
    views: dict[str, list[tuple[datetime, Json]]] = field(default_factory=dict)
    stopping: threading.Event = field(default_factory=threading.Event)

    @property
    def url(self) -> str:
        """Its address."""
        return f"http://127.0.0.1:{self.port}"

    def add(self, *messages: str, seconds_ago: float = 5) -> None:
        """Documents that have a message, a millisecond apart, the first the oldest."""
        for position, message in enumerate(messages):
            age = seconds_ago - position / 1000
            self.documents.append((age, {"message": message, "service": {"name": "cart"}}))

    def answer(self, asked: Asked) -> tuple[int, Json]:
        """Status and body for one request."""
        self.asked.append(asked)
        if self.authorization and asked.headers.get("authorization") != self.authorization:
            return 401, _error(401, "security_exception", "unable to authenticate user [elastic]")
        if not _MEDIA_TYPE.fullmatch(asked.headers.get("accept", "")):
            return 406, _error(406, "media_type_header_exception", "Invalid media-type")
        path = asked.path.partition("?")[0]
        if (asked.method, path) == ("DELETE", "/_pit"):
            return self._close(asked.body)
        if asked.method == "POST" and path.endswith("/_pit"):
            return self._open()
        if asked.method == "POST" and path.endswith("/_search"):
            return self._search(asked.body)
        return 400, _error(400, "illegal_argument_exception", f"no handler for {path}")

    def _open(self) -> tuple[int, Json]:
        now = time.time()
        name = f"view-{len(self.asked)}"
        self.views[name] = [
            (datetime.fromtimestamp(now - age, UTC), source) for age, source in self.documents
        ]
        return 200, {"id": name}

    def _close(self, body: Json) -> tuple[int, Json]:
        found = self.views.pop(body["id"], None) is not None
        return (200 if found else 404), {"succeeded": found, "num_freed": int(found)}

    def _search(self, body: Json) -> tuple[int, Json]:
        if "pit" not in body:
            return 200, _page([], None)
        view = self.views.get(body["pit"]["id"])
        if view is None:
            return 404, _error(404, "search_context_missing_exception", "No search context found")
        query = body["query"]["bool"]
        words = query["must"][0].get("query_string", {}).get("query", "*")
        if words.count('"') % 2 or re.search(r"(AND|OR|NOT)\s*$", words):
            reason = f"Failed to parse query [{words}]"
            return 400, _error(400, "query_shard_exception", reason)
        since = _age_limit(query["filter"][0]["range"]["@timestamp"]["gte"])
        ranked = [
            (when, position, source)
            for position, (when, source) in enumerate(view)
            if when >= since and _matches(words, source)
        ]
        [order] = {
            part["order"] if isinstance(part, dict) else part
            for sort in body["sort"]
            for part in sort.values()
        }
        ranked.sort(key=lambda row: row[:2], reverse=order == "desc")
        if (after := body.get("search_after")) is not None:
            ranked = [row for row in ranked if _key(row) < (after[0], after[1])]
        return 200, _page(ranked[: body["size"]], body["pit"]["id"])


def _key(row: tuple[datetime, int, Json]) -> tuple[str, int]:
    return row[0].isoformat(), row[1]


def _page(rows: Sequence[tuple[datetime, int, Json]], view: str | None) -> Json:
    hits = [
        {"_source": source | {"@timestamp": when.isoformat()}, "sort": [when.isoformat(), position]}
        for when, position, source in rows
    ]
    shards = {"total": 1, "successful": 1, "failed": 0}
    return {"pit_id": view, "timed_out": False, "_shards": shards, "hits": {"hits": hits}}


def _error(status: int, kind: str, reason: str) -> Json:
    cause = {"type": kind, "reason": reason}
    return {"error": {"root_cause": [cause], **cause}, "status": status}


def _age_limit(gte: str) -> datetime:
    seconds = int(gte.removeprefix("now-").removesuffix("s"))
    return datetime.fromtimestamp(time.time() - seconds, UTC)


def _matches(words: str, source: Json) -> bool:
    """`OR` of `AND`s of terms, each with an optional field, quotes, `*` and `NOT`."""
    alternatives: list[list[bool]] = [[]]
    is_wanted, joins = True, False
    for operator, name, quoted, word in _TERM.findall(words):
        if operator == "NOT":
            is_wanted = False
        elif operator:
            joins = operator == "AND"
        else:
            holds = _term_holds(source, name, quoted or word) is is_wanted
            if alternatives[-1] and not joins:
                alternatives.append([])
            alternatives[-1].append(holds)
            is_wanted, joins = True, False
    return any(all(terms) and bool(terms) for terms in alternatives)


def _term_holds(source: Json, name: str, term: str) -> bool:
    if term == "*":
        return True
    value: Any = source
    for part in name.split(".") if name else ():
        value = value.get(part, {}) if isinstance(value, dict) else {}
    pattern = re.escape(term.lower()).replace(r"\*", r"\w*")
    return re.search(rf"\b{pattern}\b", json.dumps(value).lower()) is not None


class _Exchange(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def __init__(self, server: ElasticsearchServer, *args: Any) -> None:
        self.fake = server
        super().__init__(*args)

    def do_POST(self) -> None:
        text = self.rfile.read(int(self.headers.get("content-length", 0)))
        headers = {name.lower(): value for name, value in self.headers.items()}
        body = json.loads(text) if text else {}
        asked = Asked(self.command, self.path, headers, body)
        fault = self.fake.script.popleft() if self.fake.script else self.fake.always
        if fault is None:
            status, answer = self.fake.answer(asked)
            fault = Fault(status, json.dumps(answer).encode())
        else:
            self.fake.asked.append(asked)
        self._send(fault)

    def do_DELETE(self) -> None:
        self.do_POST()

    def _send(self, fault: Fault) -> None:
        if fault.is_silent:
            self.fake.stopping.wait()
            return
        self.send_response(fault.status)
        if fault.product:
            self.send_header("x-elastic-product", fault.product)
        self.send_header("content-type", fault.content_type)
        self.send_header("content-length", str(len(fault.body)))
        self.end_headers()
        self.wfile.write(fault.body[: len(fault.body) // 2] if fault.is_dropped else fault.body)
        self.close_connection = self.close_connection or fault.is_dropped

    def log_message(self, *_: object) -> None:
        """Keep the test output quiet."""


@contextmanager
def running_elasticsearch(authorization: str | None = None) -> Iterator[ElasticsearchServer]:
    """A fake on a free port, gone after the block."""
    server = ElasticsearchServer(free_port(), authorization=authorization)
    http = ThreadingHTTPServer(("127.0.0.1", server.port), partial(_Exchange, server))
    http.daemon_threads = True
    thread = threading.Thread(target=http.serve_forever, args=(0.05,))
    thread.start()
    try:
        yield server
    finally:
        server.stopping.set()
        http.shutdown()
        thread.join()
        http.server_close()
