"""What the words mean: pure types and the ports."""
