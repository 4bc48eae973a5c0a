"""Reading and judging kubectl commands: no shell, deny by default."""
