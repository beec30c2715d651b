"""The seed's two endpoints: ``/api/lambda/render`` and ``/api/lambda/progress``."""

from typing import Any

from django.shortcuts import get_object_or_404
from rest_framework.request import Request
from rest_framework.response import Response

from renders.api.errors import ANSWERS
from renders.api.lambda_endpoints.envelope import EnvelopedEndpoint
from renders.api.lambda_endpoints.openapi import PROGRESS_OPERATIONS, RENDER
from renders.api.lambda_endpoints.serializers import ProgressRequestSerializer, RenderRequestSerializer
from renders.api.renders.create import REPLAYED, create_from_request
from renders.api.renders.dry_run import dry_run_from_request, is_dry_run
from renders.api.throttles import CREATE
from renders.models import Render, Scope
from renders.remotion.errors import OutcomeUnknown, Rejected
from renders.services.outputs import sign_output
from renders.services.refresh.engine import refresh_render

UNCONFIRMED = "It is not known whether the render started: it is being looked for, and is not started again by itself."
MIN_PROGRESS = 0.03
"""Remotion's template shows a bar that has begun, from the first answer on."""


class LambdaRenderView(EnvelopedEndpoint):
    """Start a render and answer as ``renderMediaOnLambda()`` does."""

    body_serializers = {"post": RenderRequestSerializer}
    required_scopes = {"post": Scope.RENDERS_WRITE}
    rates = {"post": CREATE}
    operations = RENDER

    def post(self, request: Request) -> Response:
        if is_dry_run(request):
            return Response(dry_run_from_request(self, request, may_wait=False))
        created = create_from_request(self, request, may_wait=False)
        render = created.render
        if not render.render_id:
            return _replayed_without_render_id(render)
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


class LambdaProgressView(EnvelopedEndpoint):
    """Refresh a render and answer as Remotion's template does."""

    body_serializers = {"post": ProgressRequestSerializer}
    required_scopes = {"post": Scope.RENDERS_READ}
    operations = PROGRESS_OPERATIONS

    def post(self, request: Request) -> Response:
        fields = self.validated_body()
        render_id = fields.pop("render_id", "")
        renders = Render.objects.with_render_id(render_id) if render_id else Render.objects.all()
        render = get_object_or_404(renders, **fields)
        self.check_object_permissions(request, render)
        return Response(_progress(refresh_render(render)))


def _replayed_without_render_id(render: Render) -> Response:
    """Answer the replay of a start that has no renderId (yet), from what the row says now."""
    if render.is_terminal:
        message = render.error or "The render was cancelled before it started."
        status, code = ANSWERS[Rejected].status, render.failure_reason or render.status
    else:
        message = render.error or UNCONFIRMED
        status, code, _ = ANSWERS[OutcomeUnknown]
    return Response({"error": message, "code": code, "id": str(render.id)}, status=status, headers=REPLAYED)


def _progress(render: Render) -> dict[str, Any]:
    if render.status == Render.Status.SUCCEEDED:
        if render.is_expired:
            return {"type": "error", "message": "The files of this render have been deleted: their time has passed."}
        return {"type": "done", "url": sign_output(render), "size": render.output_size}
    if render.status == Render.Status.CANCELLED:
        return {"type": "error", "message": "The render was cancelled."}
    if render.status == Render.Status.FAILED:
        return {"type": "error", "message": render.error}
    return {"type": "progress", "progress": max(MIN_PROGRESS, render.progress)}
