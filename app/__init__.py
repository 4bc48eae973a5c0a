"""Agentic observability for Kubernetes: logs in, a reviewed remediation plan out."""

__version__ = "0.1.0"
