"""The human gate."""
