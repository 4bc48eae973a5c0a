"""Pure parts of the adapters."""
