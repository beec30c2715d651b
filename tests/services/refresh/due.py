"""Refresh what is due, and see when it is due next."""

from datetime import datetime

from renders.models import RefreshState
from renders.services.refresh import engine
from renders.services.refresh.apply import Refreshed
from renders.services.refresh.circuit_breaker import CircuitBreaker


def refresh_due() -> list[Refreshed]:
    return engine.refresh_due(CircuitBreaker())


def next_refresh_at() -> datetime:
    return RefreshState.objects.get().next_refresh_at
