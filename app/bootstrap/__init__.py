"""Assembly: builds everything in order and closes it in reverse; the only place that names adapters."""
