"""The four specialists: each takes one domain type and returns one."""
