"""One incident, from signal to outcome."""
