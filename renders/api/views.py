from collections.abc import Callable
from typing import Any

from django.shortcuts import get_object_or_404
from rest_framework import mixins, status, viewsets
from rest_framework.decorators import action
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.reverse import reverse
from rest_framework.serializers import BaseSerializer
from rest_framework.views import APIView

from renders import services
from renders.api.parsers import BodyTooLarge
from renders.api.serializers import (
    CreateQueuedRenderSerializer,
    CreateRenderSerializer,
    IdempotencyKeySerializer,
    ProgressRequestSerializer,
    RenderDetailSerializer,
    RenderListQuerySerializer,
    RenderSerializer,
)
from renders.models import Render, RenderQuerySet
from renders.remotion.errors import OutcomeUnknown

REPLAYED = {"Idempotency-Replayed": "true"}
LONGEST_DELIVERY = 1_000_000
"""Bytes. Remotion's are a few kilobytes."""
IN_DOUBT = "It is not known whether the render started. It is looked for, and not started again by itself."
LEAST_PROGRESS = 0.03
"""Remotion's template shows a bar that has begun, from the first answer on."""


def _create(request: Request, serializer: CreateRenderSerializer, *, may_wait: bool) -> services.Created:
    sent = request.headers.get("Idempotency-Key")
    key = IdempotencyKeySerializer(data={} if sent is None else {"key": sent})
    if not key.is_valid():
        raise ValidationError({"Idempotency-Key": key.errors["key"]})
    serializer.is_valid(raise_exception=True)
    return services.create_render(
        owner=request.user if request.user.is_authenticated else None,
        input_props=serializer.validated_data["inputProps"],
        priority=serializer.validated_data.get("priority", 0),
        idempotency_key=key.validated_data.get("key", ""),
        may_wait=may_wait,
    )


class LambdaRenderView(APIView):
    """POST /api/lambda/render: starts a render and answers as ``renderMediaOnLambda()`` does."""

    def post(self, request: Request) -> Response:
        created = _create(request, CreateRenderSerializer(data=request.data), may_wait=False)
        render = created.render
        if not render.render_id:
            # Replayed: what was answered then, as the row has it now.
            is_over = render.is_terminal
            message = render.error or ("The render was cancelled before it started." if is_over else IN_DOUBT)
            code = status.HTTP_502_BAD_GATEWAY if is_over else status.HTTP_504_GATEWAY_TIMEOUT
            return Response({"error": message, "id": str(render.id)}, status=code, headers=REPLAYED)
        return Response(
            {
                "renderId": render.render_id,
                "bucketName": render.bucket_name,
                "cloudWatchLogs": render.cloudwatch_logs,
                "folderInS3Console": render.folder_in_s3_console,
                "id": str(render.id),
            },
            headers=REPLAYED if created.is_replayed else None,
        )


class LambdaProgressView(APIView):
    """POST /api/lambda/progress: refreshes a render and answers as Remotion's template does."""

    def post(self, request: Request) -> Response:
        serializer = ProgressRequestSerializer(data=request.data)
        serializer.is_valid(raise_exception=True)
        asked = serializer.validated_data
        visible = Render.objects.visible_to(request.user)
        render = get_object_or_404(visible, render_id=asked["id"], bucket_name=asked["bucketName"])
        return Response(_progress(services.refresh_render(render)))


class LambdaWebhookView(APIView):
    """POST /api/lambda/webhook: takes Remotion's deliveries. The signature is all that lets one in."""

    authentication_classes = ()
    permission_classes = ()

    def post(self, request: Request) -> Response:
        body = request.read(LONGEST_DELIVERY + 1)
        if len(body) > LONGEST_DELIVERY:
            raise BodyTooLarge(f"The delivery is over {LONGEST_DELIVERY:,} bytes.")
        services.take_delivery(headers=request.headers, body=body)
        # Whatever came of it: it is kept, so Remotion need not wait or send it again.
        return Response({"success": True})


def _progress(render: Render) -> dict[str, Any]:
    if render.status == Render.Status.SUCCEEDED:
        return {"type": "done", "url": services.sign_output(render), "size": render.output_size}
    if render.status == Render.Status.CANCELLED:
        return {"type": "error", "message": "The render was cancelled."}
    if render.status == Render.Status.FAILED:
        return {"type": "error", "message": render.error}
    return {"type": "progress", "progress": max(LEAST_PROGRESS, render.progress)}


class RenderViewSet(mixins.RetrieveModelMixin, mixins.ListModelMixin, viewsets.GenericViewSet):
    """/api/renders/: the renders as rows."""

    def get_queryset(self) -> RenderQuerySet:
        renders = Render.objects.visible_to(self.request.user).select_related("owner", "refresh")
        if self.action != "list":
            return renders.defer("progress_json")
        query = RenderListQuerySerializer(data=self.request.query_params)
        query.is_valid(raise_exception=True)
        return renders.filter(**query.validated_data).defer("progress_json", "input_props", "errors")

    def get_serializer_class(self) -> type[BaseSerializer]:
        return RenderSerializer if self.action == "list" else RenderDetailSerializer

    def create(self, request: Request) -> Response:
        serializer = CreateQueuedRenderSerializer(data=request.data)
        return self._created(lambda: _create(request, serializer, may_wait=True))

    def _created(self, create: Callable[[], services.Created]) -> Response:
        """201 with the row, or 202 where it is queued or its outcome is unknown."""
        headers = {}
        try:
            created = create()
            render = created.render
            headers = REPLAYED if created.is_replayed else {}
        except services.StartFailed as err:
            if not isinstance(err.__cause__, OutcomeUnknown):
                raise
            render = err.render
        is_pending = render.status in (Render.Status.QUEUED, Render.Status.SUBMITTING)
        code = status.HTTP_202_ACCEPTED if is_pending else status.HTTP_201_CREATED
        location = reverse("render-detail", kwargs={"pk": render.pk}, request=self.request)
        return Response(self.get_serializer(render).data, status=code, headers={"Location": location, **headers})

    def destroy(self, request: Request, pk: str) -> Response:
        services.delete_render(self.get_object())
        return Response(status=status.HTTP_204_NO_CONTENT)

    @action(detail=True, methods=["post"])
    def refresh(self, request: Request, pk: str) -> Response:
        render = services.refresh_render(self.get_object())
        return Response(self.get_serializer(render).data)

    @action(detail=True, methods=["post"])
    def cancel(self, request: Request, pk: str) -> Response:
        render = services.cancel_render(self.get_object())
        code = status.HTTP_200_OK if render.is_terminal else status.HTTP_202_ACCEPTED
        return Response(self.get_serializer(render).data, status=code)

    @action(detail=True, methods=["post"])
    def retry(self, request: Request, pk: str) -> Response:
        return self._created(lambda: services.retry_render(self.get_object()))
