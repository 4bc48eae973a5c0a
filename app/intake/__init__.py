"""Reading logs before anything thinks about them: decode, redact, extract, group."""
