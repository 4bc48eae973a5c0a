"""Measurements: one file per claim; `python -m bench` runs them all."""
