"""Parameters that follow from others: references, doubled quantities, likely spellings."""

import re
from collections.abc import Iterator, Mapping, Sequence
from difflib import get_close_matches

from app.adapters.reasoning.playbook_diagnosis import Diagnosis
from app.domain.answer import Entities
from app.domain.logbatch import LogBatch

ROLLABLE = frozenset({"deployment", "statefulset", "daemonset"})

_COMMANDS = """
bash sh ash curl wget python python3 node npm npx yarn java nginx sleep cat echo ls cp mv
mkdir chmod chown tar unzip git grep awk sed envsubst psql mysql mongo mongosh redis-cli
redis-server ruby bundle rails php dotnet gunicorn uvicorn celery supervisord tini
dumb-init entrypoint.sh start.sh kubectl busybox httpd apachectl postgres mysqld
"""
COMMON_COMMANDS = tuple(_COMMANDS.split())
"""What images usually start; a near miss is probably a typing mistake."""

OBJECT_KINDS = {"secret": "Secret", "configmap": "ConfigMap", "serviceaccount": "ServiceAccount"}

_QUANTITY = re.compile(r"(\d+)(\.\d+)?\s?([KMGT]i|[kKMGT]|m)?B?")
_CRON_RUN = re.compile(r"([a-z0-9][-a-z0-9.]*)-(\d{7,12})")

Values = Mapping[str, Sequence[str]]
Pairs = Iterator[tuple[str, str]]


def derived(values: Values, entities: Entities, diagnosis: Diagnosis, batch: LogBatch) -> Pairs:
    """Names and values; earlier values of a name stay the better ones."""
    yield from object_parameters(entities)
    yield from _numbers(values, diagnosis, batch)
    yield from _references(values, entities)
    yield from _permissions(values)
    if command := _first(values, "command"):
        name = command.rsplit("/", 1)[-1]
        close = get_close_matches(name, COMMON_COMMANDS, n=1, cutoff=0.8)
        if close and close[0] != name:
            yield "likely_command", close[0]


def _first(values: Values, name: str) -> str | None:
    found = values.get(name)
    return found[0] if found else None


def object_parameters(entities: Entities) -> Pairs:
    """What the objects themselves give: names, references, words for them."""
    for name, value in entities.model_dump(exclude={"workload_kind", "labels"}).items():
        if value:
            yield name, value
    yield "who", described(entities)
    yield "who_pod", described(entities.model_copy(update={"container": None}))
    if entities.pod and entities.workload and entities.workload != entities.pod:
        yield "owned_pod", entities.pod
    kind, workload = entities.workload_kind, entities.workload
    if kind and workload:
        yield "workload_ref", f"{kind}/{workload}"
        if kind in ROLLABLE:
            yield "workload_kind", kind
            yield "rollout_ref", f"{kind}/{workload}"
        if kind == "job":
            yield "job", workload


def described(entities: Entities) -> str:
    """The thing in trouble in words, as exactly as it is known."""
    if entities.pod:
        words = f"pod {entities.pod}"
    elif entities.workload:
        words = f"{entities.workload_kind or 'workload'} {entities.workload}"
    else:
        words = "the workload"
    if entities.container:
        words = f"container {entities.container} of {words}"
    return f"{words} in namespace {entities.namespace}" if entities.namespace else words


def _numbers(values: Values, diagnosis: Diagnosis, batch: LogBatch) -> Pairs:
    lines = len(diagnosis.evidence)
    if lines > 1:
        yield "count", str(lines)
        yield "lines", str(batch.total_lines)
        yield "share", str(round(100 * lines / max(1, batch.total_lines)))
    limit = _first(values, "limit")
    if (size := _first(values, "kernel_limit")) and not limit:
        limit = _kernel_quantity(size)
        yield "limit", limit
    if limit and (doubled := _times(limit, 2)):
        yield "limit_doubled", doubled
    size = _first(values, "size")
    if (disk := _first(values, "disk_size")) and not size:
        size = f"{disk}i"
        yield "size", size
    if size and (grown := _times(size, 2)):
        yield "size_grown", grown
        yield "patch_size", f'\'{{"spec":{{"resources":{{"requests":{{"storage":"{grown}"}}}}}}}}\''


def _kernel_quantity(size: str) -> str:
    """The kernel counts in kB of 1,024 bytes; Kubernetes calls them Ki."""
    count = int(size.removesuffix("kB"))
    return f"{count // 1024}Mi" if count % 1024 == 0 else f"{count}Ki"


def _times(quantity: str, factor: int) -> str | None:
    found = _QUANTITY.fullmatch(quantity)
    if found is None or found.group(2):
        return None
    return f"{int(found.group(1)) * factor}{found.group(3) or ''}"


def _references(values: Values, entities: Entities) -> Pairs:
    kind = OBJECT_KINDS.get((_first(values, "object_kind") or "").lower())
    name = _first(values, "object_name")
    if kind and name:
        yield "object_ref", f"{kind.lower()}/{name}"
    if init := _first(values, "init") or entities.container:
        yield "init_container", init
    job = _first(values, "job") or (entities.workload if entities.workload_kind == "job" else None)
    if job and (run := _CRON_RUN.fullmatch(job)):
        yield "cron_job_run", job
        yield "cronjob", run.group(1)


def _permissions(values: Values) -> Pairs:
    resource, verb = _first(values, "resource"), _first(values, "verb")
    if not (resource and verb):
        return
    group = _first(values, "group")
    yield "resource_full", f"{resource}.{group}" if group else resource
