"""Reasoners: hosted models and the embedded playbook engine."""
