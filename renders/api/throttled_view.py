"""What a view answers that counts requests."""

import logging
from collections.abc import Mapping
from typing import Any, NoReturn

from django.http import HttpResponse
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from renders.api.errors import RateLimited
from renders.api.streams.postponed import POSTPONED
from renders.api.throttles import Count
from renders.services.log_throttle import LogThrottle

log_throttle = LogThrottle(logging.getLogger(__name__))

PER = {1: "a second", 60: "a minute", 3600: "an hour", 86_400: "a day"}


class ThrottledView(APIView):
    """A view whose answers tell how the request was counted.

    https://datatracker.ietf.org/doc/draft-ietf-httpapi-ratelimit-headers/
    """

    rates: Mapping[str, str] = {}
    """By action: the rate that it counts for, if that is not ``read``."""

    counts: list[Count]
    """How the throttles counted the request."""

    def check_throttles(self, request: Request) -> None:
        """Count the request, but once only if it comes here again because it was postponed."""
        if POSTPONED not in request.META:
            super().check_throttles(request)

    def throttled(self, request: Request, wait: float) -> NoReturn:
        refused = max((count for count in self.counts if count.is_refused), key=lambda count: count.seconds_left)
        rate = refused.rate
        per, left = PER[rate.seconds], refused.seconds_left
        limit = f"{rate.limit:,} {'request' if rate.limit == 1 else 'requests'} {per}"
        again = f"send this one again in {left} {'second' if left == 1 else 'seconds'}."
        log_throttle.log(logging.WARNING, f"Requests over a limit are refused: {limit} ({rate.name}).", key=rate)
        raise RateLimited(f"You may send {limit} ({rate.name}): {again}", retry_after=left)

    def finalize_response(self, request: Request, response: Response, *args: Any, **kwargs: Any) -> Response:
        response = super().finalize_response(request, response, *args, **kwargs)
        if counts := getattr(self, "counts", None):
            # Django would log a line for each refusal.
            response._has_been_logged = any(count.is_refused for count in counts)  # type: ignore[attr-defined]
            response["RateLimit-Policy"] = ", ".join(
                f'"{each.name}";q={each.limit};w={each.seconds}' for each, *_ in counts
            )
            response["RateLimit"] = ", ".join(f'"{rate.name}";r={left};t={reset}' for rate, left, reset, _ in counts)
        for name, value in request.META.get(POSTPONED, HttpResponse()).items():
            if name.startswith("RateLimit"):
                response[name] = value
        return response
