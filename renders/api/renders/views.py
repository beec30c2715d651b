"""The resource ``/api/renders/``."""

from collections.abc import Callable
from typing import Any

from django.http.response import HttpResponseBase
from rest_framework import mixins, status, viewsets
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.reverse import reverse
from rest_framework.serializers import BaseSerializer

from renders.api.endpoint import Endpoint
from renders.api.renders.create import REPLAYED, create_from_request
from renders.api.renders.dry_run import dry_run_from_request, is_dry_run
from renders.api.renders.filters import RenderPagination, renders_of_list
from renders.api.renders.input import CreateQueuedRenderSerializer, DownloadQuerySerializer
from renders.api.renders.list_query import RenderListQuerySerializer
from renders.api.renders.openapi import OPERATIONS
from renders.api.renders.output import RenderDetailSerializer, RenderSerializer
from renders.api.streams.wait import WaitQuerySerializer, wait_for_end
from renders.api.throttles import CREATE
from renders.models import Render, Scope
from renders.remotion.errors import OutcomeUnknown
from renders.services.cancel import cancel_render
from renders.services.create import Created
from renders.services.errors import StartFailed
from renders.services.outputs import link_to_output
from renders.services.refresh.engine import refresh_render
from renders.services.retention import delete_render
from renders.services.retry import retry_render

NOT_STORED = {"Cache-Control": "no-store"}


class RenderViewSet(Endpoint, mixins.ListModelMixin, viewsets.GenericViewSet):
    """The renders that you may see: list, read, create, refresh, cancel, retry, delete."""

    body_serializers = {"create": CreateQueuedRenderSerializer}
    query_serializers = {
        "list": RenderListQuerySerializer,
        "retrieve": WaitQuerySerializer,
        "download": DownloadQuerySerializer,
    }
    pagination_class = RenderPagination
    rates = {"create": CREATE, "retry": CREATE}
    required_scopes = {
        **dict.fromkeys(("list", "retrieve", "refresh", "download"), Scope.RENDERS_READ),
        **dict.fromkeys(("create", "cancel", "retry", "destroy"), Scope.RENDERS_WRITE),
    }
    operations = OPERATIONS

    def get_queryset(self) -> Any:
        if self.action == "list":
            return renders_of_list(self, self.request)
        # RenderPermission decides whether the user may see it, without a query if it is the user's own.
        return Render.objects.select_related("owner", "refresh_state", "template").prefetch_related("posters")

    def get_serializer_class(self) -> type[BaseSerializer]:
        return RenderSerializer if self.action == "list" else RenderDetailSerializer

    def retrieve(self, request: Request, pk: str) -> HttpResponseBase:
        """With ``?wait=20``, answer when the render has ended, or after so many seconds."""
        render: Render = self.get_object()
        postponed = wait_for_end(request, render, seconds=self.query.get("wait"))
        return postponed or Response(self.get_serializer(render).data)

    def create(self, request: Request) -> Response:
        if is_dry_run(request):
            return Response(dry_run_from_request(self, request, may_wait=True))
        return self._created(lambda: create_from_request(self, request, may_wait=True))

    def _created(self, create: Callable[[], Created]) -> Response:
        """Answer 201 with the row, 202 if it is queued or its outcome is unknown, 200 if an earlier one is reused."""
        headers, is_reused = {}, False
        try:
            created = create()
            render, is_reused = created.render, created.is_reused
            headers = REPLAYED if created.is_replayed else {}
        except StartFailed as err:
            if not isinstance(err.__cause__, OutcomeUnknown):
                raise
            render = err.render
        is_pending = render.status in (Render.Status.QUEUED, Render.Status.SUBMITTING)
        code: int = status.HTTP_202_ACCEPTED if is_pending else status.HTTP_201_CREATED
        body = self.get_serializer(render).data
        if is_reused:
            body["reused"] = True
            code = status.HTTP_202_ACCEPTED if is_pending else status.HTTP_200_OK
        location = reverse("render-detail", kwargs={"pk": render.pk}, request=self.request)
        return Response(body, status=code, headers={"Location": location, **headers})

    def destroy(self, request: Request, pk: str) -> Response:
        delete_render(self._render())
        return Response(status=status.HTTP_204_NO_CONTENT)

    @action(detail=True, methods=["get"])
    def download(self, request: Request, pk: str) -> Response:
        """Lead to the output by an address that works for an hour; with ``json``, answer that address."""
        link = link_to_output(self._render())
        if "json" in self.query:
            return Response({"url": link.url, "expiresAt": link.expires_at}, headers=NOT_STORED)
        return Response(status=status.HTTP_302_FOUND, headers={"Location": link.url, **NOT_STORED})

    @action(detail=True, methods=["post"])
    def refresh(self, request: Request, pk: str) -> Response:
        """Read the render anew from S3, once a second at most."""
        render = refresh_render(self._render())
        return Response(self.get_serializer(render).data)

    @action(detail=True, methods=["post"])
    def cancel(self, request: Request, pk: str) -> Response:
        """End a queued render at once: 200; ask Remotion to stop any other: 202."""
        render = cancel_render(self._render())
        code = status.HTTP_200_OK if render.is_terminal else status.HTTP_202_ACCEPTED
        return Response(self.get_serializer(render).data, status=code)

    @action(detail=True, methods=["post"])
    def retry(self, request: Request, pk: str) -> Response:
        """Create a new render with the same input, owner and priority, of one that failed or was cancelled."""
        render = self._render()
        return self._created(lambda: retry_render(render))

    def _render(self) -> Render:
        """Return the render that the address names, after the checks of permission and body."""
        render: Render = self.get_object()
        self.validated_body()
        return render
