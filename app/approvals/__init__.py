"""The human gate: propose, decide once, execute once."""
