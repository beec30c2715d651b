from typing import Any

from django.shortcuts import get_object_or_404
from rest_framework import status
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from renders.api.lambda_endpoints.serializers import ProgressRequestSerializer
from renders.api.renders.create import REPLAYED, create_from_request
from renders.api.renders.input import CreateRenderSerializer
from renders.models import Render
from renders.services.outputs import sign_output
from renders.services.refresh.engine import refresh_render

UNCONFIRMED = "It is not known whether the render started. It is looked for, and not started again by itself."
MIN_PROGRESS = 0.03
"""Remotion's template shows a bar that has begun, from the first answer on."""


class LambdaRenderView(APIView):
    """POST /api/lambda/render: start a render and answer as ``renderMediaOnLambda()`` does."""

    def post(self, request: Request) -> Response:
        created = create_from_request(request, CreateRenderSerializer(data=request.data), may_wait=False)
        render = created.render
        if not render.render_id:
            # A replay: the first answer again, from what the row says now.
            is_over = render.is_terminal
            message = render.error or ("The render was cancelled before it started." if is_over else UNCONFIRMED)
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
    """POST /api/lambda/progress: refresh a render and answer as Remotion's template does."""

    def post(self, request: Request) -> Response:
        serializer = ProgressRequestSerializer(data=request.data)
        serializer.is_valid(raise_exception=True)
        asked = serializer.validated_data
        visible = Render.objects.visible_to(request.user)
        render = get_object_or_404(visible, render_id=asked["id"], bucket_name=asked["bucketName"])
        return Response(_progress(refresh_render(render)))


def _progress(render: Render) -> dict[str, Any]:
    if render.status == Render.Status.SUCCEEDED:
        return {"type": "done", "url": sign_output(render), "size": render.output_size}
    if render.status == Render.Status.CANCELLED:
        return {"type": "error", "message": "The render was cancelled."}
    if render.status == Render.Status.FAILED:
        return {"type": "error", "message": render.error}
    return {"type": "progress", "progress": max(MIN_PROGRESS, render.progress)}
