"""What the operator runs and watches: the worker, system checks, and what is told when the service is not set up."""
