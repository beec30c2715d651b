"""The resource ``/api/renders/``."""

from collections.abc import Callable

from rest_framework import mixins, status, viewsets
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.reverse import reverse
from rest_framework.serializers import BaseSerializer

from renders.api.endpoint import Endpoint
from renders.api.renders.create import REPLAYED, create_from_request
from renders.api.renders.input import CreateQueuedRenderSerializer, RenderListQuerySerializer
from renders.api.renders.output import RenderDetailSerializer, RenderSerializer
from renders.models import Render, RenderQuerySet
from renders.remotion.errors import OutcomeUnknown
from renders.services.cancel import cancel_render
from renders.services.create import Created
from renders.services.errors import StartFailed
from renders.services.refresh.engine import refresh_render
from renders.services.retention import delete_render
from renders.services.retry import retry_render


class RenderViewSet(Endpoint, mixins.RetrieveModelMixin, mixins.ListModelMixin, viewsets.GenericViewSet):
    """The renders that you may see: list, read, create, refresh, cancel, retry, delete."""

    body_serializers = {"create": CreateQueuedRenderSerializer}
    query_serializers = {"list": RenderListQuerySerializer}

    def get_queryset(self) -> RenderQuerySet:
        if self.action != "list":
            # RenderPermission decides whether the user may see it, without a query if it is the user's own.
            return Render.objects.select_related("owner", "refresh_state", "template").prefetch_related("posters")
        renders = Render.objects.visible_to(self.request.user).select_related("owner", "refresh_state", "template")
        if "status" in self.query:
            renders = renders.with_status(self.query["status"])
        return renders.defer("input_props", "errors", "artifacts")

    def get_serializer_class(self) -> type[BaseSerializer]:
        return RenderSerializer if self.action == "list" else RenderDetailSerializer

    def create(self, request: Request) -> Response:
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
