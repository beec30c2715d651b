"""The resource ``/api/keys/``."""

from django.db.models import QuerySet
from rest_framework import mixins, status, viewsets
from rest_framework.exceptions import NotFound
from rest_framework.permissions import IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response

from renders.api.auth import ANY_KEY, ApiPermission, require_own_or_unlimited_key
from renders.api.endpoint import Endpoint
from renders.api.keys.openapi import OPERATIONS
from renders.api.keys.output import ApiKeySerializer
from renders.api.pagination import NewestFirstPagination, PageQuerySerializer
from renders.models import ApiKey
from renders.services.api_keys import revoke_key


class KeyPagination(NewestFirstPagination):
    ordering = ("-created", "-digest")


class KeyViewSet(Endpoint, mixins.ListModelMixin, viewsets.GenericViewSet):
    """Your own API keys: list, revoke. They are made in the admin, or by a command."""

    permission_classes = [IsAuthenticated, ApiPermission]
    pagination_class = KeyPagination
    serializer_class = ApiKeySerializer
    lookup_field = "token_key"
    lookup_value_regex = r"\w+"
    query_serializers = {"list": PageQuerySerializer}
    required_scopes = {"destroy": ANY_KEY}
    operations = OPERATIONS
    instead_of_method = {"POST": "keys are made in the admin, or by `manage.py create_api_key`."}

    def get_queryset(self) -> QuerySet[ApiKey]:
        return ApiKey.objects.filter(user=self.request.user)

    def destroy(self, request: Request, token_key: str) -> Response:
        key = self.get_queryset().filter(token_key=token_key).first()
        if key is None:
            raise NotFound("You have no such API key.")
        require_own_or_unlimited_key(request, key)
        self.validated_body()
        revoke_key(key)
        return Response(status=status.HTTP_204_NO_CONTENT)
