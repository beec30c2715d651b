"""What the operator runs and watches: system checks, the worker."""
