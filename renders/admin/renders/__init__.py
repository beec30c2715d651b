"""Renders in the admin."""
