"""Stores: SQLite and files."""
