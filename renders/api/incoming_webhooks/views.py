"""Where Remotion posts its deliveries: ``/api/lambda/webhook``."""

from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from renders.api.errors import PayloadTooLarge
from renders.services.incoming_webhooks import receive_delivery

MAX_DELIVERY_BYTES = 1_000_000
"""Remotion's are a few kilobytes."""


class LambdaWebhookView(APIView):
    """Receive Remotion's webhook deliveries, which are authenticated by their signature alone."""

    authentication_classes = ()
    permission_classes = ()

    def post(self, request: Request) -> Response:
        body = request.read(MAX_DELIVERY_BYTES + 1)
        if len(body) > MAX_DELIVERY_BYTES:
            raise PayloadTooLarge(f"The delivery is over {MAX_DELIVERY_BYTES:,} bytes.")
        receive_delivery(headers=request.headers, body=body)
        # Even if it could not be processed: it is stored, so Remotion need not send it again.
        return Response({"success": True})
