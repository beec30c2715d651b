"""How many requests an owner may send: the rates of the settings, and the requests a minute of a quota.

Requests are counted in windows of the clock: in each minute, hour or day (UTC). All processes count
together, exactly.
"""

import hashlib
import logging
import time
from typing import Any, NamedTuple

from django.conf import settings
from django.core.cache import cache
from django.db import Error as DatabaseError
from redis.exceptions import RedisError
from rest_framework.request import Request
from rest_framework.throttling import BaseThrottle

from renders.api.actions import action_of
from renders.api.auth import SessionAuthentication
from renders.models import ApiKey, Quota
from renders.services.log_throttle import LogThrottle

log_throttle = LogThrottle(logging.getLogger(__name__))

CREATE, READ, WEBHOOK = "create", "read", "webhook"
ACCOUNT = "account"
"""Name of the rate that is the quota's."""

KEPT_SECONDS = 60
"""How long a count outlives its window, since caches round times, and clocks of machines differ."""

SECONDS = {"second": 1, "minute": 60, "hour": 3600, "day": 86_400}


class Rate(NamedTuple):
    """So many requests in so many seconds."""

    name: str
    limit: int
    seconds: int


class Count(NamedTuple):
    """How a request was counted."""

    rate: Rate
    remaining: int
    seconds_left: int
    """Until the window is over."""
    is_refused: bool


class CountingThrottle(BaseThrottle):
    """Count the requests of one owner, or of one address where there is none."""

    count: Count | None = None

    def rate_of(self, request: Request, view: Any) -> Rate | None:
        raise NotImplementedError

    def allow_request(self, request: Request, view: Any) -> bool:
        rate = self.rate_of(request, view)
        if rate is None:
            return True
        try:
            self.count = _count(rate, self._who(request))
        except (RedisError, DatabaseError) as err:
            log_throttle.log(logging.WARNING, f"Requests are not counted, the cache cannot be used: {err}", key="cache")
            return True
        view.counts = [*getattr(view, "counts", []), self.count]
        return not self.count.is_refused

    def wait(self) -> float | None:
        return self.count.seconds_left if self.count else None

    def _who(self, request: Request) -> str:
        if request.user.is_authenticated:
            return f"user-{request.user.pk}"
        return hashlib.sha256(str(self.get_ident(request)).encode()).hexdigest()


class ScopeThrottle(CountingThrottle):
    """The rate that the view declares for the action; ``read`` without one."""

    def rate_of(self, request: Request, view: Any) -> Rate | None:
        name = getattr(view, "rates", {}).get(action_of(view, request), READ)
        setting: str = getattr(settings, f"API_RATE_{name.upper()}")
        if not setting:
            return None
        limit, _, unit = setting.partition("/")
        return Rate(name, int(limit), SECONDS[unit])


class QuotaThrottle(CountingThrottle):
    """The requests a minute of the owner's quota. Authenticating a key has read it already."""

    def rate_of(self, request: Request, view: Any) -> Rate | None:
        limit = None
        if isinstance(request.auth, ApiKey):
            limit = request.auth.requests_per_minute
        elif isinstance(request.successful_authenticator, SessionAuthentication):
            limit = Quota.objects.requests_per_minute(request.user).first()
        return None if limit is None else Rate(ACCOUNT, limit, SECONDS["minute"])


def _count(rate: Rate, who: str) -> Count:
    """Count a request in the window of now."""
    number, elapsed = divmod(int(time.time()), rate.seconds)
    seconds_left = rate.seconds - elapsed
    used = _add_one(f"rate:{rate.name}:{who}:{number}", timeout=seconds_left + KEPT_SECONDS)
    return Count(rate, max(0, rate.limit - used), seconds_left, used > rate.limit)


def _add_one(key: str, *, timeout: int) -> int:
    """Return how many there are with this one. Each step is atomic, in all caches."""
    try:
        return cache.incr(key)
    except ValueError:
        return 1 if cache.add(key, 1, timeout=timeout) else cache.incr(key)
