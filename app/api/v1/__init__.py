"""Version 1 of the HTTP surface, one module a noun."""
