"""The resource ``/api/webhook-endpoints/``."""
