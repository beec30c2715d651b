"""Where Remotion posts its deliveries: ``/api/lambda/webhook``."""

from typing import Any

from django.http import Http404, HttpRequest
from django.http.response import HttpResponseBase
from rest_framework.request import Request
from rest_framework.response import Response

from renders.api.errors import PayloadTooLarge
from renders.api.incoming_webhooks.openapi import OPERATIONS
from renders.api.throttled_view import ThrottledView
from renders.api.throttles import WEBHOOK
from renders.remotion.webhook import WebhookSettings
from renders.services.incoming_webhooks import receive_delivery

MAX_DELIVERY_BYTES = 1_000_000
"""Remotion's are a few kilobytes."""


class LambdaWebhookView(ThrottledView):
    """Receive Remotion's webhook deliveries, which are authenticated by their signature alone."""

    rates = {"post": WEBHOOK}
    authentication_classes = ()
    permission_classes = ()
    operations = OPERATIONS

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        """Answer as if the address did not exist where no webhook is configured."""
        if not WebhookSettings.from_settings().is_configured:
            raise Http404
        return super().dispatch(request, *args, **kwargs)

    def post(self, request: Request) -> Response:
        body = request.read(MAX_DELIVERY_BYTES + 1)
        if len(body) > MAX_DELIVERY_BYTES:
            raise PayloadTooLarge(f"The delivery is over {MAX_DELIVERY_BYTES:,} bytes.")
        receive_delivery(headers=request.headers, body=body)
        # Even if it could not be processed: it is stored, so Remotion need not send it again.
        return Response({"success": True})
