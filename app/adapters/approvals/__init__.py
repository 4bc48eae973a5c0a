"""Approval gates: clients of an approval server."""
