"""What to do about an error that no playbook knows: look, and tell a person."""

from app.adapters.reasoning.playbook_model import Playbook, Symptom


def unknown_playbook() -> Playbook:
    """A playbook of reads alone."""
    return Playbook(
        mode="unknown",
        title="Unexplained error",
        symptoms=(Symptom(see="error", weight=0),),
        cause=("The cause is not known.",),
        explanation=("No playbook explains this error.",),
        investigate=("describe_pod", "logs_previous", "workload_logs", "pods", "events"),
        verify=("pods", "events"),
        manual=("Read the log around the first error and find out what it needs.",),
    )
