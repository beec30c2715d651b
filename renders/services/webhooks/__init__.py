"""Webhooks out: events, sent to the endpoints of their owners by Standard Webhooks."""
