"""``GET /api/options/``: the options of a render, and the codecs."""

from rest_framework.request import Request
from rest_framework.response import Response

from renders.api.auth import ANY_KEY
from renders.api.endpoint import Endpoint
from renders.api.options.openapi import OPERATIONS
from renders.api.options.output import described_codec, described_option, described_still
from renders.remotion.codecs import CODECS, STILL_EXTENSIONS
from renders.remotion.option_table import OPTIONS


class OptionsView(Endpoint):
    """What ``options`` may hold when a render is created."""

    required_scopes = {"get": ANY_KEY}
    operations = OPERATIONS

    def get(self, request: Request) -> Response:
        return Response(
            {
                "options": [described_option(option) for option in OPTIONS],
                "codecs": [described_codec(name) for name in CODECS],
                "stills": [described_still(image_format) for image_format in STILL_EXTENSIONS],
            }
        )
