"""Plausible answers to the four agents' questions, made from nothing but the request."""

import json
import re
from typing import Any

Json = dict[str, Any]

_FENCED = re.compile(r"<<<([0-9a-f]{16}) (\w+)\n(.*?)\n\2 \1>>>", re.DOTALL)
_LINE = re.compile(r"^(\d+): (.*)$", re.MULTILINE)
_TROUBLE = re.compile(r"\b(error|fatal|critical|panic|oomkilled|back-off|failed|refused)\b", re.I)
_NAMESPACE = re.compile(r"(?:namespace[=:/ ]+\"?|-n )([a-z0-9][a-z0-9-]*)", re.I)
_WORKLOAD = re.compile(r"(?:deployment[./ =]+\"?|deploy/)([a-z0-9][a-z0-9-]*)", re.I)


def plausible_answer(request: Json) -> Json:
    """An answer in the form the request's schema demands."""
    schema = request["generationConfig"].get("responseJsonSchema", {})
    properties = set(schema.get("properties", {}))
    data = {label: text for _, label, text in _FENCED.findall(_text(request))}
    if "errors" in properties:
        return _findings(data)
    if "root_cause_analysis" in properties:
        return _analysis(data)
    if "remediation_plans" in properties:
        return _remediation(data)
    if properties == {"commands"}:
        return {"commands": ["" for _ in data.get("refused", "").splitlines()]}
    return dict.fromkeys(properties, "")


def _text(request: Json) -> str:
    return "".join(part["text"] for content in request["contents"] for part in content["parts"])


def _troubles(data: dict[str, str]) -> list[tuple[int, str]]:
    lines = [(int(number), text) for number, text in _LINE.findall(data.get("logs", ""))]
    return [(number, text) for number, text in lines if _TROUBLE.search(text)]


def _names(data: dict[str, str]) -> tuple[str | None, str | None]:
    logs = data.get("logs", "")
    namespace, workload = _NAMESPACE.search(logs), _WORKLOAD.search(logs)
    return (namespace and namespace.group(1)) or None, (workload and workload.group(1)) or None


def _findings(data: dict[str, str]) -> Json:
    _, workload = _names(data)
    errors = [
        {
            "timestamp": "UNKNOWN",
            "service": workload or "UNKNOWN_SERVICE",
            "severity": "ERROR",
            "priority": "P1",
            "message": text,
            "error_type": "kubernetes",
            "additional_context": {
                "error_code": None,
                "stack_trace": None,
                "occurrence_count": 1,
            },
            "lines": [number],
        }
        for number, text in _troubles(data)[:5]
    ]
    summary = {"total_errors": len(errors), "total_warnings": 0}
    return {"summary": summary, "errors": errors, "warnings": []}


def _analysis(data: dict[str, str]) -> Json:
    namespace, workload = _names(data)
    causes = [
        {
            "timestamp": "UNKNOWN",
            "service": workload or "UNKNOWN_SERVICE",
            "error_message": text,
            "severity": "HIGH",
            "priority": "P1",
            "root_cause": f"The workload fails as line {number} says.",
            "explanation": "The line says so itself.",
            "evidence": [f"line {number}: {text}", "line 1: a sentence that stands nowhere"],
            "failure_mode": "crashloop_app_error",
            "entities": {
                "namespace": namespace,
                "workload_kind": "deployment",
                "workload": workload,
            },
        }
        for number, text in _troubles(data)[:1]
    ]
    return {
        "analysis_summary": {"root_causes_identified": len(causes)},
        "root_cause_analysis": causes,
        "warning_analysis": [],
        "patterns_detected": [],
    }


def _remediation(data: dict[str, str]) -> Json:
    causes = json.loads(data.get("analysis", "{}")).get("root_cause_analysis", [])
    plans = [_plan(cause, *_names(data)) for cause in causes]
    return {
        "remediation_summary": {"total_issues": len(plans)},
        "remediation_plans": plans,
        "execution_order": [
            {"order": 1, "issue_id": plan["service"], "reason": "the only one"} for plan in plans
        ],
    }


def _plan(cause: Json, namespace: str | None, workload: str | None) -> Json:
    target = f"deployment/{workload or cause['service']} -n {namespace or 'default'}"
    return {
        "timestamp": "UNKNOWN",
        "service": cause["service"],
        "issue": cause["error_message"],
        "root_cause": cause["root_cause"],
        "severity": "HIGH",
        "priority": "P1",
        "steps": [
            _step("INVESTIGATE", 1, f"kubectl describe {target}", "SAFE", []),
            _step(
                "REMEDIATE",
                2,
                f"kubectl rollout restart {target}",
                "CAUTION",
                [{"command": f"kubectl rollout undo {target}", "explanation": "go back"}],
            ),
            _step("VERIFY", 3, f"kubectl rollout status {target}", "SAFE", []),
        ],
        "alternative_solutions": [],
        "preventive_measures": ["Alert on restarts."],
        "failure_mode": cause["failure_mode"],
        "entities": cause["entities"],
    }


def _step(phase: str, number: int, command: str, safety: str, rollback: list[Json]) -> Json:
    return {
        "phase": phase,
        "step_number": number,
        "description": f"Step {number}",
        "commands": [
            {"command": command, "explanation": f"{phase.lower()} it", "safety_level": safety}
        ],
        "success_criteria": "The command succeeds.",
        "rollback_commands": rollback,
    }
