"""Queues of workflows that outlive processes."""
