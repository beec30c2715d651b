"""``/api/schema/``, and two pages that show it: ``/api/docs/`` and ``/api/redoc/``."""

import functools
from collections.abc import Hashable
from typing import Any, cast

from drf_spectacular.renderers import (
    OpenApiJsonRenderer,
    OpenApiJsonRenderer2,
    OpenApiYamlRenderer,
    OpenApiYamlRenderer2,
)
from drf_spectacular.views import SpectacularRedocView, SpectacularSwaggerSplitView
from rest_framework.renderers import BaseRenderer, JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response

from renders.api.endpoint import Endpoint
from renders.api.openapi.generator import description


class RenderedOnce(BaseRenderer):
    """Writes the description in the format of ``inner``, once a process: it costs a second."""

    charset = None
    inner: type[BaseRenderer]

    def render(self, data: Any, accepted_media_type: str | None = None, renderer_context: Any = None) -> Any:
        return rendered(cast("Hashable", self.inner))


@functools.cache
def rendered(renderer: Any) -> bytes:
    """Return the description in the format of a class of renderers."""
    text: bytes = renderer().render(description())
    return text


def rendered_once(inner: type[BaseRenderer]) -> type[RenderedOnce]:
    fields = {"inner": inner, "media_type": inner.media_type, "format": inner.format}
    return type(f"{inner.__name__}Once", (RenderedOnce,), fields)


class SchemaView(Endpoint):
    """The description of this API, open to everybody: YAML, or JSON by the header ``Accept``."""

    schema = None
    authentication_classes = ()
    permission_classes = ()
    renderer_classes = [
        rendered_once(renderer)
        for renderer in (OpenApiYamlRenderer, OpenApiYamlRenderer2, OpenApiJsonRenderer, OpenApiJsonRenderer2)
    ]

    def get(self, request: Request) -> Response:
        return Response({})

    def finalize_response(self, request: Request, response: Any, *args: Any, **kwargs: Any) -> Any:
        """Write errors as JSON, like everywhere in the API."""
        if getattr(response, "exception", False):
            request.accepted_renderer = JSONRenderer()
            request.accepted_media_type = JSONRenderer.media_type
        return super().finalize_response(request, response, *args, **kwargs)


class SwaggerView(SpectacularSwaggerSplitView):
    """Swagger UI: try the API in the browser. Its script is at an address of its own, as the CSP wants it."""

    url_name = "openapi"
    title = "renderhub"


class RedocView(SpectacularRedocView):
    """ReDoc: read the API."""

    template_name = "renders/redoc.html"
    url_name = "openapi"
    title = "renderhub"
