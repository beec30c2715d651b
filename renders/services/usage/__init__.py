"""Usage: what renders have used, what they may still cost, and reports of it."""
