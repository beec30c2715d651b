"""The resource ``/api/webhook-endpoints/``: your endpoints, and the messages that were sent to them."""

import re
import uuid

from django.db.models import QuerySet
from rest_framework import status, viewsets
from rest_framework.decorators import action
from rest_framework.exceptions import NotFound
from rest_framework.permissions import IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.reverse import reverse

from renders.api.auth import ApiPermission
from renders.api.endpoint import Endpoint
from renders.api.pagination import NewestFirstPagination, PageQuerySerializer
from renders.api.throttles import WEBHOOK
from renders.api.webhook_endpoints.input import (
    CreateEndpointSerializer,
    MessageListQuerySerializer,
    ReplayFailedSerializer,
    UpdateEndpointSerializer,
)
from renders.api.webhook_endpoints.openapi import OPERATIONS
from renders.api.webhook_endpoints.output import EndpointSerializer, EndpointWithSecretSerializer, MessageSerializer
from renders.models import Scope, WebhookEndpoint, WebhookMessage, WebhookMessageQuerySet
from renders.services.webhooks.endpoints import create_endpoint, delete_endpoint, rotate_secret, update_endpoint
from renders.services.webhooks.replay import ping, replay, replay_failed
from renders.services.webhooks.secrets import secret_of

NOT_KEPT = {"Cache-Control": "no-store"}
"""Headers of an answer with a secret in it."""

NO_SUCH_ENDPOINT = "You have no such webhook endpoint."
NO_SUCH_MESSAGE = "This webhook endpoint has no such message."
ACTIONS = (
    "list", "create", "retrieve", "partial_update", "destroy", "ping", "rotate_secret", "secret", "messages",
    "message", "replay", "replay_failed",
)  # fmt: skip


class MessagePagination(NewestFirstPagination):
    ordering = ("-id",)


class WebhookEndpointViewSet(Endpoint, viewsets.GenericViewSet):
    """Your webhook endpoints: list, read, create, change, delete, ping; their secrets and their messages."""

    permission_classes = [IsAuthenticated, ApiPermission]
    lookup_value_regex = r"[0-9a-fA-F-]{36}"
    serializer_class = EndpointSerializer
    required_scopes = dict.fromkeys(ACTIONS, Scope.WEBHOOKS_WRITE)
    rates = dict.fromkeys(("ping", "replay", "replay_failed"), WEBHOOK)
    operations = OPERATIONS
    body_serializers = {
        "create": CreateEndpointSerializer,
        "partial_update": UpdateEndpointSerializer,
        "replay_failed": ReplayFailedSerializer,
    }
    query_serializers = {"list": PageQuerySerializer, "messages": MessageListQuerySerializer}

    def get_queryset(self) -> QuerySet[WebhookEndpoint]:
        return WebhookEndpoint.objects.filter(owner=self.request.user.pk)

    def list(self, request: Request) -> Response:
        page = self.paginate_queryset(self.get_queryset())
        return self.get_paginated_response(self.get_serializer(page, many=True).data)

    def create(self, request: Request) -> Response:
        endpoint = create_endpoint(owner=request.user, **self.validated_body())
        location = reverse("webhook-endpoint-detail", kwargs={"pk": endpoint.pk}, request=request)
        body = EndpointWithSecretSerializer(endpoint).data
        return Response(body, status=status.HTTP_201_CREATED, headers={"Location": location, **NOT_KEPT})

    def retrieve(self, request: Request, pk: str) -> Response:
        return Response(self.get_serializer(self._endpoint()).data)

    def partial_update(self, request: Request, pk: str) -> Response:
        endpoint = self._endpoint()
        return Response(self.get_serializer(update_endpoint(endpoint, **self.validated_body())).data)

    def destroy(self, request: Request, pk: str) -> Response:
        endpoint = self._endpoint()
        self.validated_body()
        delete_endpoint(endpoint)
        return Response(status=status.HTTP_204_NO_CONTENT)

    @action(detail=True, methods=["get"])
    def secret(self, request: Request, pk: str) -> Response:
        """The secret with which messages are signed."""
        return Response({"secret": secret_of(self._endpoint())}, headers=NOT_KEPT)

    @action(detail=True, methods=["post"], url_path="rotate-secret")
    def rotate_secret(self, request: Request, pk: str) -> Response:
        """Make a new secret; for 24 hours messages are signed with the previous one too."""
        endpoint = self._endpoint()
        self.validated_body()
        return Response(EndpointWithSecretSerializer(rotate_secret(endpoint)).data, headers=NOT_KEPT)

    @action(detail=True, methods=["post"])
    def ping(self, request: Request, pk: str) -> Response:
        """Send a message of the type `ping`."""
        endpoint = self._endpoint()
        self.validated_body()
        return Response(MessageSerializer(ping(endpoint)).data, status=status.HTTP_202_ACCEPTED)

    @action(detail=True, methods=["get"])
    def messages(self, request: Request, pk: str) -> Response:
        """The messages of the endpoint, the newest first, each with its attempts."""
        messages = self._messages(self._endpoint())
        if "status" in self.query:
            messages = messages.filter(status=self.query["status"])
        pages = MessagePagination()
        page = pages.paginate_queryset(messages, request, self)
        return pages.get_paginated_response(MessageSerializer(page, many=True).data)

    @action(detail=True, methods=["get"], url_path=r"messages/(?P<message_id>[^/]+)")
    def message(self, request: Request, pk: str, message_id: str) -> Response:
        """One message, with its attempts."""
        return Response(MessageSerializer(self._message(message_id)).data)

    @action(detail=True, methods=["post"], url_path=r"messages/(?P<message_id>[^/]+)/replay")
    def replay(self, request: Request, pk: str, message_id: str) -> Response:
        """Send a message again that was delivered or has failed."""
        message = self._message(message_id)
        self.validated_body()
        return Response(MessageSerializer(replay(message)).data, status=status.HTTP_202_ACCEPTED)

    @action(detail=True, methods=["post"], url_path="replay-failed")
    def replay_failed(self, request: Request, pk: str) -> Response:
        """Send all messages again that were made since then and have failed."""
        endpoint = self._endpoint()
        count = replay_failed(endpoint, since=self.validated_body()["since"])
        return Response({"replayed": count}, status=status.HTTP_202_ACCEPTED)

    def _endpoint(self) -> WebhookEndpoint:
        """Return the user's endpoint that the address names. Raise NotFound."""
        try:
            endpoint = self.get_queryset().filter(pk=uuid.UUID(self.kwargs["pk"])).first()
        except ValueError:
            endpoint = None
        if endpoint is None:
            raise NotFound(NO_SUCH_ENDPOINT)
        return endpoint

    def _message(self, message_id: str) -> WebhookMessage:
        endpoint = self._endpoint()
        number = re.fullmatch(r"msg_(\d{1,18})", message_id, re.ASCII)
        message = self._messages(endpoint).filter(pk=int(number[1])).first() if number else None
        if message is None:
            raise NotFound(NO_SUCH_MESSAGE)
        return message

    def _messages(self, endpoint: WebhookEndpoint) -> WebhookMessageQuerySet:
        messages = WebhookMessage.objects.filter(endpoint=endpoint)
        return messages.select_related("event").prefetch_related("attempts")
