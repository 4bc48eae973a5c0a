"""The parts of a record's first line: when, who and what."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass

from app.domain.incident import UNKNOWN_SERVICE, UNKNOWN_TIME

# The end is kept too: long lines often say at the end what went wrong.
_LONGEST_MESSAGE, _MESSAGE_END = 2_000, 500
LONGEST_OBJECT = 1 << 16

_TIME = re.compile(
    r"\d{4}[-/.]\d\d[-/.]\d\d[T _]\d\d[:.]\d\d[:.]\d\d(?:[.,]\d{1,9})?(?:\s?(?:Z|UTC|[+-]\d\d:?\d\d))?"
    r"|\b[IWEF]?(?P<klog>[01]\d[0-3]\d \d\d:\d\d:\d\d\.\d{3,6})"
    r"|\b(?:(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun),? )?(?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec) [ \d]\d \d\d:\d\d:\d\d(?:[.,]\d+)?(?: (?:[A-Z]{3,4} )?\d{4})?"
    r"|\b\d{1,2}[/ -](?:\d\d|Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)[/ -]\d{2,4}[ :]\d\d:\d\d:\d\d(?:[.,]\d+)?(?: [+-]\d{4})?"
    r"|\b\d\d-\d\d \d\d:\d\d:\d\d[.,]\d{3}|\b\d{6} \d{6}\b|\b\d\d:\d\d:\d\d(?:[.,]\d{1,9})?\b"
)
_PREFIX = re.compile(
    r"(?:\[(?:pod/)?(?P<pod>[\w.-]+)/(?P<container>[\w.-]+)\] +|(?P<piped>[\w.-]{1,80}?)(?:[-_]\d+)? +\| )"
)
_SYSLOG = re.compile(
    r"[A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d (?P<host>[\w.-]+) (?P<program>[\w./()-]+)(?:\[\d+\])?: "
)
_KLOG = re.compile(r"(?:^|[\s:])[IWEF]\d{4} \d\d:\d\d:\d\d\.\d+ +\d+ (?P<file>[\w./-]+:\d+)\] ")
_EVENT = re.compile(
    r"(?:^|\s)(?:Warning|Normal)\s+(?P<reason>[A-Z]\w+)\s+(?:(?P<object>[a-z][a-z.]*/[a-z0-9.-]+)|(?P<age>\S+(?: \(x\d+ over \S+\))?)\s+(?P<source>[a-z][\w./-]*(?:, ?[\w.-]+)?))\s+(?P<text>.*)"
)
_LEVEL = re.compile(
    r"^[\s\-:|*]*[\[(<|]?(?:TRACE|DEBUG|INFO|NOTICE|WARN(?:ING)?|ERR(?:OR)?|SEVERE|CRIT(?:ICAL)?|FATAL|ALERT|EMERG|PANIC|WRN|FTL|[IWEF])[\])>|]?(?:\s*[:\-|]+\s+|\s+|:|$)"
    r"|^[\s\-:|*]*[\[(<|]?(?:[Ee]rror|[Ww]arn(?:ing)?|[Ff]atal|[Cc]ritical|fail|crit)(?:[\])>|]\s*[:\-|]?|\s*:)\s+"
)
_LOGGER = re.compile(
    r"^(?:\d+ )?(?:--- )?(?:\[[^\]]{1,120}\] ?){0,3}(?P<logger>(?:[A-Za-z_$][\w$]*[./])+[A-Za-z_$][\w$]*)\s*(?::| -) "
)
# `ERROR orders-api cannot …`: a workload's name by its usual last word, which prose seldom has.
_NAMED = re.compile(
    r"(?P<name>[a-z][a-z0-9-]*-(?:api|app|backend|frontend|service|svc|server|worker|controller|db|gateway|agent|operator|proxy|job|web|cache|queue|consumer|scheduler))[ :]\s*"
)
_FIELD = re.compile(
    r'(?P<key>[A-Za-z_@][\w.@-]{0,60})=(?:"(?P<quoted>(?:[^"\\]|\\.){0,4000})"|(?P<bare>[^\s"]{0,1000}))'
)

_MESSAGE_KEYS = (
    "message",
    "msg",
    "@message",
    "short_message",
    "log",
    "textPayload",
    "event",
    "text",
    "description",
    "MESSAGE",
)
_ERROR_KEYS = (
    "error",
    "err",
    "exception",
    "error.message",
    "error_message",
    "reason",
    "cause",
    "stack_trace",
    "stacktrace",
    "stack",
)
_TIME_KEYS = (
    "timestamp",
    "@timestamp",
    "time",
    "ts",
    "t",
    "datetime",
    "date",
    "eventTime",
    "lastTimestamp",
)
_SERVICE_KEYS = (
    "service",
    "service.name",
    "service_name",
    "serviceName",
    "app",
    "app_name",
    "application",
    "component",
    "container",
    "container_name",
    "source",
    "logger",
    "logger_name",
    "name",
    "controller",
)


@dataclass(frozen=True, slots=True)
class Anatomy:
    """What a record's first line says, apart from its level."""

    timestamp: str
    service: str
    message: str


def dissect(line: str) -> Anatomy:
    """The parts of a clean line; what it does not say is UNKNOWN."""
    prefix = _PREFIX.match(line)
    rest = line[prefix.end() :] if prefix else line
    service = (prefix["container"] or prefix["piped"]) if prefix else None
    fields = _fields(rest)
    anatomy = _from_fields(fields, rest) if fields is not None else _from_text(rest)
    if service and anatomy.service == UNKNOWN_SERVICE:
        return Anatomy(anatomy.timestamp, service, anatomy.message)
    return anatomy


def _fields(text: str) -> Mapping[str, object] | None:
    start = text.find("{")
    if 0 <= start < 120 and len(text) <= LONGEST_OBJECT and not text[:start].strip().endswith("="):
        try:
            parsed = json.loads(text[start:])
        except (ValueError, RecursionError):
            parsed = None
        if isinstance(parsed, dict) and _first(parsed, (*_MESSAGE_KEYS, *_ERROR_KEYS)):
            return parsed
    if "=" not in text:
        return None
    found = {m["key"]: m["quoted"] or m["bare"] or "" for m in _FIELD.finditer(text[:8_000])}
    if _first(found, ("msg", "message", "err", "error", "Error")) and (
        "level" in found or "ts" in found or "time" in found or "lvl" in found
    ):
        return found
    return None


def _from_fields(fields: Mapping[str, object], text: str) -> Anatomy:
    inner = fields.get("log") if isinstance(fields.get("log"), dict) else None
    message = _first(fields, _MESSAGE_KEYS)
    error = _first(fields, _ERROR_KEYS) or _first(fields, ("Error",))
    parts = [message, error if error and error not in message else ""]
    time = _first(fields, _TIME_KEYS)
    service = _first(fields, _SERVICE_KEYS) or (
        _first(inner, ("logger",)) if isinstance(inner, dict) else ""
    )
    return Anatomy(
        timestamp=time or _time(text),
        service=service or UNKNOWN_SERVICE,
        message=_one_line(": ".join(part.rstrip(": ") for part in parts if part)),
    )


def _first(fields: Mapping[str, object], keys: tuple[str, ...]) -> str:
    for key in keys:
        value = fields.get(key)
        if isinstance(value, dict):
            value = (
                value.get("message") or value.get("msg") or value.get("name") or value.get("type")
            )
        if isinstance(value, str) and value.strip():
            return value.strip()
        if isinstance(value, int | float) and not isinstance(value, bool) and key in _TIME_KEYS:
            return str(value)
    return ""


def _time(text: str) -> str:
    found = _TIME.search(text[:200])
    return (found["klog"] or found.group().strip()) if found else UNKNOWN_TIME


def _from_text(text: str) -> Anatomy:
    is_event = "Warning" in text or "Normal" in text
    if is_event and (event := _EVENT.search(text[:4_000])):
        about = event["object"] or ""
        source = (event["source"] or "").split(",")[0]
        return Anatomy(
            timestamp=_time(text[: event.start("text")]),
            service=about.partition("/")[2] or source or UNKNOWN_SERVICE,
            message=_one_line(f"{event['reason']}: {event['text'] or text[event.start('text') :]}"),
        )
    service = UNKNOWN_SERVICE
    rest = text
    if syslog := _SYSLOG.match(rest):
        service, rest = syslog["program"], rest[syslog.end() :]
    if klog := _KLOG.search(rest[:300]):
        return Anatomy(_time(text), service, _one_line(_structured_klog(rest[klog.end() :])))
    rest = _without_head(rest)
    if logger := _LOGGER.match(rest):
        if service == UNKNOWN_SERVICE:
            service = re.split(r"[./]", logger["logger"])[-1]
        rest = rest[logger.end() :]
    elif service == UNKNOWN_SERVICE and rest != text and (named := _NAMED.match(rest)):
        service, rest = named["name"], rest[named.end() :]
    return Anatomy(_time(text), service, _one_line(rest) or _one_line(text))


def _without_head(text: str) -> str:
    """Without timestamps and level, wherever they stand at the beginning."""
    for _ in range(4):
        before = text
        time = _TIME.search(text[:80])
        if time and not text[: time.start()].strip("[(<- \t"):
            text = text[time.end() :].lstrip("])>,:- \t")
        level = _LEVEL.match(text)
        if level and level.end() < len(text):
            text = text[level.end() :]
        if text == before:
            break
    return text


def _structured_klog(text: str) -> str:
    """`"message" key="value" err="…"` as message and error."""
    quoted = re.match(r'"((?:[^"\\]|\\.){0,2000})"(.*)', text)
    if not quoted:
        return text
    error = re.search(r'\berr(?:or)?="?((?:[^"\\]|\\.){1,2000})', quoted[2])
    return f"{quoted[1]}: {error[1]}" if error else quoted[1] + quoted[2]


def _one_line(text: str) -> str:
    line = " ".join(text.split())
    if len(line) <= _LONGEST_MESSAGE:
        return line
    return f"{line[: _LONGEST_MESSAGE - _MESSAGE_END]} … {line[-_MESSAGE_END:]}"
