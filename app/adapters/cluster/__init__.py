"""Command runners: what reaches a cluster."""
