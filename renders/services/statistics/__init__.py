"""Statistics: how it is now, and what has happened in a period, from counts that are kept up to date."""
