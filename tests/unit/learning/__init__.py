"""Tests of what is learned from people."""
