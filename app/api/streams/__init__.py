"""The event stream's three doors, and the fan-out behind them."""
