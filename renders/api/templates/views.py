"""The resource ``/api/templates/``."""

from collections.abc import Callable, Mapping
from typing import Any

from django.db.models import QuerySet
from rest_framework import mixins, status, viewsets
from rest_framework.exceptions import NotFound, ValidationError
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.reverse import reverse
from rest_framework.serializers import BaseSerializer

from renders.api.auth import VIEW_TEMPLATE, TemplatePermission, may_see_all_templates
from renders.api.endpoint import Endpoint
from renders.api.pagination import ByNamePagination
from renders.api.templates.input import CreateTemplateSerializer, TemplateBodySerializer, TemplateListQuerySerializer
from renders.api.templates.openapi import OPERATIONS
from renders.api.templates.output import TemplateDetailSerializer, TemplateSerializer
from renders.models import Scope, Template
from renders.services.errors import InvalidTemplate, TemplateDisabled, TemplateUnknown
from renders.services.templates.lookup import find_template, resolve
from renders.services.templates.save import create_template, update_template

NAME_OF_FIELD = {field.source: name for name, field in TemplateBodySerializer().fields.items()}


class TemplateViewSet(Endpoint, mixins.ListModelMixin, viewsets.GenericViewSet):
    """What a request may ask for by name: list, read, create, change."""

    permission_classes = [TemplatePermission]
    pagination_class = ByNamePagination
    lookup_field = "name"
    lookup_value_regex = r"[^/]+"
    body_serializers = {"create": CreateTemplateSerializer, "partial_update": TemplateBodySerializer}
    query_serializers = {"list": TemplateListQuerySerializer}
    required_scopes = {"list": Scope.TEMPLATES_READ, "retrieve": Scope.TEMPLATES_READ}
    operations = OPERATIONS
    instead_of_method = {"DELETE": 'renders keep their template, so disable it: PATCH {"enabled": false}.'}

    def get_queryset(self) -> QuerySet[Template]:
        enabled = self.query.get("enabled", "true") == "true"
        if not enabled and not self._may_see_all():
            self.permission_denied(self.request, message=f"You need the permission {VIEW_TEMPLATE} for these.")
        templates = Template.objects.filter(enabled=enabled)
        return templates.defer("default_input_props", "input_schema", "default_options", "synced")

    def get_serializer_class(self) -> type[BaseSerializer]:
        return TemplateSerializer if self.action == "list" else TemplateDetailSerializer

    def get_serializer_context(self) -> dict[str, Any]:
        return {**super().get_serializer_context(), "may_see_all": self._may_see_all()}

    def retrieve(self, request: Request, name: str) -> Response:
        return Response(self.get_serializer(self._template(name)).data)

    def create(self, request: Request) -> Response:
        template = self._saved(create_template)
        location = reverse("template-detail", kwargs={"name": template.name}, request=request)
        data = self.get_serializer(template).data
        return Response(data, status=status.HTTP_201_CREATED, headers={"Location": location})

    def partial_update(self, request: Request, name: str) -> Response:
        template = self._template(name)
        return Response(self.get_serializer(self._saved(lambda fields: update_template(template, fields))).data)

    def _saved(self, save: Callable[[Mapping[str, Any]], Template]) -> Template:
        """Return what ``save`` made of the body. Raise ValidationError under the names of the body."""
        try:
            return save(self.validated_body())
        except InvalidTemplate as err:
            details = {NAME_OF_FIELD.get(name, name): [sentence] for name, sentence in err.errors.items()}
            raise ValidationError(details) from err

    def _template(self, name: str) -> Template:
        try:
            return find_template(name) if self._may_see_all() else resolve(name)
        except (TemplateUnknown, TemplateDisabled) as err:
            raise NotFound(str(err)) from err

    def _may_see_all(self) -> bool:
        return may_see_all_templates(self.request.user)
