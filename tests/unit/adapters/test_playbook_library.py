"""The playbook files: complete, sound, and refused with a clear sentence when they are not."""

from pathlib import Path

import pytest

from app.adapters.reasoning.playbook_derived import object_parameters
from app.adapters.reasoning.playbook_model import (
    CommandTemplate,
    Library,
    Remedy,
    load_library,
    shipped_library,
)
from app.adapters.reasoning.playbook_text import Parameters, render, render_command
from app.domain.answer import Entities
from app.domain.errors import StartupFailed
from app.domain.plan import SafetyLevel
from app.kubectl.evidence import Evidence
from app.kubectl.guard import judge_text
from app.kubectl.policy import Risk, load_policy

SAMPLE_VALUES = {
    "configmap": "shop-env",
    "init_container": "warm-up",
    "limit": "256Mi",
    "limit_doubled": "512Mi",
    "pvc": "data-shop-0",
    "patch_size": '\'{"spec":{"resources":{"requests":{"storage":"20Gi"}}}}\'',
    "size": "10Gi",
    "size_grown": "20Gi",
    "owned_pod": "shop-0",
    "cron_job_run": "nightly-28999001",
    "cronjob": "nightly",
    "job": "nightly-28999001",
    "object_ref": "configmap/shop-settings",
    "policy": "deny-all",
    "ingress": "front",
    "service": "front",
    "secret": "front-tls",
    "hpa": "shop",
    "what": "limit",
    "resource": "cpu",
    "resource_full": "pods",
    "verb": "get",
    "requested": "900m",
    "limited": "700m",
    "sa": "bot",
    "sa_namespace": "prod",
    "replaceable_pod": "shop-0",
    "scalable_ref": "statefulset/shop",
    "pausable_ref": "deployment/shop",
    "replicas": "3",
    "replicas_more": "4",
    "replicas_fewer": "2",
    "used": "900Mi",
    "cpu_limit": "500m",
    "cpu_doubled": "1000m",
    "patch_readiness": '\'{"spec":{"template":{"spec":{"containers":[{"name":"my-web","readinessProbe":{"timeoutSeconds":5}}]}}}}\'',
    "patch_liveness": '\'{"spec":{"template":{"spec":{"containers":[{"name":"my-web","livenessProbe":{"timeoutSeconds":5}}]}}}}\'',
}

MODES = frozenset(
    [
        "oom_killed",
        "crashloop_app_error",
        "image_pull_not_found",
        "image_pull_auth",
        "image_pull_registry_unreachable",
        "config_or_secret_missing",
        "pvc_unbound",
        "storageclass_invalid",
        "volume_attach_mount_failed",
        "scheduling_insufficient_resources",
        "scheduling_constraints",
        "readiness_probe_failing",
        "liveness_probe_failing",
        "dns_failure",
        "dependency_unreachable",
        "network_policy_blocked",
        "rbac_forbidden",
        "certificate_invalid",
        "quota_exceeded",
        "node_not_ready",
        "node_pressure_eviction",
        "hpa_metrics_unavailable",
        "ingress_or_service_misconfigured",
        "db_connection_exhausted",
        "db_auth_failed",
        "disk_full",
        "rate_limited",
        "cpu_throttling",
        "latency_timeout",
        "config_error",
        "port_conflict",
        "init_container_failed",
        "container_start_error",
        "job_failed",
        "admission_rejected",
        "control_plane_failure",
        "cni_sandbox_failed",
    ]
)


@pytest.fixture(scope="module")
def library() -> Library:
    return shipped_library()


def _known() -> Parameters:
    entities = Entities(
        namespace="prod",
        workload_kind="statefulset",
        workload="shop",
        pod="shop-0",
        container="web",
        image="acme/shop:1",
        node="worker-a",
    )
    values = dict(object_parameters(entities)) | SAMPLE_VALUES
    return Parameters({name: (value,) for name, value in values.items()}, "prod")


def _remedies(library: Library) -> list[Remedy]:
    own = [remedy for book in library.playbooks for remedy in library.remedies_of(book)]
    return [*own, *library.background.remedies.values()]


def _templates(library: Library) -> list[CommandTemplate]:
    templates = list(library.background.commands.values())
    for book in library.playbooks:
        for reference in (*book.investigate, *book.verify):
            templates.append(library.command(reference))
    for remedy in _remedies(library):
        templates += [*remedy.commands, *remedy.rollback]
    return templates


def test_every_failure_mode_has_a_playbook(library: Library):
    assert {book.mode for book in library.playbooks} == MODES


def test_every_command_of_every_playbook_is_one_the_policy_allows(library: Library):
    policy = load_policy()

    for template in _templates(library):
        command = render_command(template, _known())
        assert command is not None, template.run
        _, verdict = judge_text(command.command, policy, Evidence.unknown())
        assert verdict.risk is not Risk.FORBIDDEN, (command.command, verdict.reasons)


def test_only_reads_are_called_safe(library: Library):
    writes = {
        "rollout undo",
        "rollout restart",
        "rollout pause",
        "rollout resume",
        "scale",
        "set resources",
        "cordon",
        "drain",
        "uncordon",
        "delete",
        "patch",
    }

    for template in _templates(library):
        command = render_command(template, _known())
        assert command is not None
        is_write = any(template.run.startswith(write) for write in writes)
        assert (command.safety_level is SafetyLevel.SAFE) is not is_write, template.run


def test_every_playbook_can_speak_without_knowing_any_name(library: Library):
    nothing = Parameters({"who": ("the workload",)})

    for book in library.playbooks:
        assert render(book.cause[-1], nothing), book.mode
        assert render(book.manual[-1], nothing), book.mode
        assert any(render(sentence, nothing) for sentence in book.explanation), book.mode


def test_a_command_with_an_unknown_or_unsafe_argument_is_not_made():
    template = CommandTemplate(run="describe pod {pod}", why="Look.")

    assert render_command(template, Parameters({}, "prod")) is None
    assert render_command(template, Parameters({"pod": ("a; rm -r /",)}, "prod")) is None
    assert render_command(template, Parameters({"pod": ("--all",)}, "prod")) is None


def test_a_write_without_a_namespace_is_not_made():
    template = CommandTemplate(run="rollout restart {rollout_ref}", why="Start anew.")
    known = Parameters({"rollout_ref": ("deployment/shop",)})

    assert render_command(template, known) is None


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ("playbooks: [", "not YAML"),
        ("- a list", "must hold a mapping"),
        ("books: []", "no list named playbooks"),
        ("playbooks: [{mode: x, titel: y}]", "cannot be used"),
        (
            "playbooks: [{mode: x, title: y, symptoms: [{see: '('}], cause: [a],"
            " explanation: [b], manual: [c]}]",
            "not a regular expression",
        ),
        (
            "playbooks: [{mode: x, title: y, symptoms: [{see: a}], cause: [a],"
            " explanation: [b], manual: [c], investigate: [no_such_command]}]",
            "names no known command",
        ),
        (
            "playbooks: [{mode: x, title: y, symptoms: [{see: a}], cause: [a],"
            " explanation: [b], manual: [c], remedies: [no_such_remedy]}]",
            "names no known remedy",
        ),
        (
            "playbooks: [{mode: x, title: y, symptoms: [{see: a}], cause: [a],"
            " explanation: [b], manual: [c], follows: [nobody]}]",
            "which nobody describes",
        ),
    ],
)
def test_a_bad_file_stops_the_start_with_its_name_and_reason(
    tmp_path: Path, content: str, reason: str
):
    (tmp_path / "broken.yaml").write_text(content, encoding="utf-8")
    (tmp_path / "shared.yaml").write_text(
        "{harmless: [], orders: [], quiet: [], resolved: [], recovered: [], commands: {}}",
        encoding="utf-8",
    )

    with pytest.raises(StartupFailed, match=reason):
        load_library(tmp_path)
