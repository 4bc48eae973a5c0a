"""What people decided, and what later plans make of it."""
