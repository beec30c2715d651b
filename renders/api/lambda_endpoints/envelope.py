"""What the routes of Remotion's Next.js template wrap their answers in, with LAMBDA_API_ENVELOPE=remotion.

https://www.remotion.dev/docs/lambda/templates
"""

from typing import Any

from django.conf import settings
from rest_framework.request import Request
from rest_framework.response import Response

from renders.api.endpoint import Endpoint


class EnvelopedEndpoint(Endpoint):
    """``{"type": "success", "data": …}`` or ``{"type": "error", "message": …}`` with 500, if the setting says so."""

    def finalize_response(self, request: Request, response: Response, *args: Any, **kwargs: Any) -> Response:
        response = super().finalize_response(request, response, *args, **kwargs)
        if settings.LAMBDA_API_ENVELOPE != "remotion" or request.method == "OPTIONS":
            return response
        if response.status_code < 400:
            response.data = {"type": "success", "data": response.data}
        else:
            # Django logs an answer with 500 as a fault of ours, which a refusal is not.
            response._has_been_logged = response.status_code < 500  # type: ignore[attr-defined]
            response.data = {"type": "error", "message": response.data["error"]}
            response.status_code = 500
        return response
