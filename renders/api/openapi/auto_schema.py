"""Describe an operation from what its view declares: serializers by action, and an ``Operation``."""

import inspect
from collections.abc import Mapping
from typing import Any

import uritemplate
from drf_spectacular.drainage import error
from drf_spectacular.openapi import AutoSchema as SpectacularAutoSchema
from drf_spectacular.utils import OpenApiExample, OpenApiParameter, OpenApiResponse
from rest_framework import serializers

from renders.api.auth.scopes import ANY_KEY
from renders.api.input import BodySerializer
from renders.api.openapi import authentication  # noqa: F401  (its classes register themselves)
from renders.api.openapi.errors import HEADERS, ErrorSerializer, describe, error_codes
from renders.api.openapi.operation import JSON, Operation
from renders.api.throttled_view import ThrottledView

IDEMPOTENCY_KEY = OpenApiParameter(
    "Idempotency-Key",
    str,
    OpenApiParameter.HEADER,
    description="1 to 255 printable ASCII characters: the same request with the same key is carried out once.",
    pattern=r"^[\x20-\x7e]{1,255}$",
)
OF_THE_DATABASE = ("minimum", "maximum", "maxLength", "readOnly")
"""What spectacular tells of a model's field and no answer promises; the ranges are those of the database in use."""


class AutoSchema(SpectacularAutoSchema):
    """The ``DEFAULT_SCHEMA_CLASS`` of the API's views.

    A serializer of an answer may show an example of it as ``openapi_example``.
    """

    @property
    def operation(self) -> Operation:
        action = self._action()
        operations: Mapping[str, Operation] = getattr(self.view, "operations", {})
        if action not in operations:
            error(f"{type(self.view).__name__}.operations lacks {action!r}")
            return Operation(id=action, summary="", description="", answers={})
        return operations[action]

    def _action(self) -> str:
        return getattr(self.view, "action", None) or self.method.lower()

    def get_operation_id(self) -> str:
        return self.operation.id

    def get_summary(self) -> str:
        return self.operation.summary

    def get_description(self) -> str:  # type: ignore[override]
        if not self.view.get_authenticators() or (scope := self._scope()) == ANY_KEY:
            return self.operation.description
        needs = f"An API key with scopes needs `{scope}`." if scope else "It takes an API key without scopes."
        return f"{self.operation.description}\n\n{needs}"

    def _scope(self) -> str | None:
        """Return the scope that a key with scopes needs; None if no key with scopes may, empty if each may."""
        return getattr(self.view, "required_scopes", {}).get(self._action())

    def get_request_serializer(self) -> Any:
        return getattr(self.view, "body_serializers", {}).get(self._action())

    def get_override_parameters(self) -> list[Any]:
        query = getattr(self.view, "query_serializers", {}).get(self._action())
        key = [IDEMPOTENCY_KEY] if self.operation.is_idempotent else []
        return [*([query] if query else []), *self.operation.parameters, *key]

    def _get_filter_parameters(self) -> list[Any]:
        return []

    def _get_pagination_parameters(self) -> list[Any]:
        return []  # the query serializer has them

    def _is_list_view(self, serializer: Any = None) -> bool:
        return self._action() == "list" or any(success.is_page for success in self.operation.answers.values())

    def get_paginated_name(self, serializer_name: str) -> str:
        return f"{serializer_name.removesuffix('InList')}Page"

    def get_examples(self) -> list[OpenApiExample]:
        return [
            OpenApiExample(example.name, summary=example.summary, value=example.body, request_only=True)
            for example in self.operation.examples
        ]

    def get_response_serializers(self) -> Any:
        answers: dict[Any, OpenApiResponse] = {
            (str(status), success.media_type): OpenApiResponse(success.body, success.description)
            for status, success in self.operation.answers.items()
        }
        for status, success in self.operation.answers.items():
            for media_type, schema in success.also.items():
                answers[str(status), media_type] = OpenApiResponse(schema, success.description)
        for status, codes in self._error_codes().items():
            answers[str(status), JSON] = OpenApiResponse(ErrorSerializer, describe(codes))
        return answers

    def _error_codes(self) -> dict[int, list[str]]:
        return error_codes(
            method=self.method,
            is_signed_in=bool(self.view.get_authenticators()),
            is_throttled=isinstance(self.view, ThrottledView),
            has_parameters=bool(uritemplate.variables(self.path)),
            classes=self.operation.errors,
            codes=self.operation.codes,
        )

    def _get_response_for_code(
        self, serializer: Any, status_code: str, media_types: Any = None, direction: str = "response"
    ) -> dict[str, Any]:
        response: dict[str, Any] = super()._get_response_for_code(serializer, status_code, media_types, direction)
        status = int(status_code)
        if status in self.operation.answers:
            success = self.operation.answers[status]
            if links := self._links(status):
                response["links"] = links
            if success.example is not None and success.media_type in response["content"]:
                response["content"][success.media_type]["example"] = success.example
        else:
            response["x-codes"] = self._error_codes()[status]
        return response

    def _links(self, status: int) -> dict[str, Any]:
        answer = self.operation.answers[status]
        if answer.body is None:
            return {}
        return {
            target: {"operationId": target, "parameters": {name: f"$response.body#/{name}"}}
            for target, name in self.operation.links.items()
        }

    def _get_response_headers_for_code(self, status_code: str, direction: str = "response") -> dict[str, Any]:
        status = int(status_code)
        answer = self.operation.answers.get(status)
        headers = answer.headers if answer else HEADERS.get(status, {})
        return {
            name: {"description": description, "schema": {"type": "string"}} for name, description in headers.items()
        }

    def _get_serializer_field_meta(self, field: Any, direction: str) -> dict[str, Any]:
        meta: dict[str, Any] = super()._get_serializer_field_meta(field, direction)
        if direction == "response":
            meta.pop("default", None)
            if _can_be_null(field):
                meta["nullable"] = True
        return meta

    def _map_serializer_field(self, field: Any, direction: str, bypass_extensions: bool = False) -> Any:
        schema = super()._map_serializer_field(field, direction, bypass_extensions)
        return _without_null(schema) if isinstance(schema, dict) else schema

    def _postprocess_serializer_schema(self, schema: Any, serializer: Any, direction: str) -> Any:
        schema = super()._postprocess_serializer_schema(schema, serializer, direction)
        properties = schema.get("properties", {})
        schema.pop("description", None)
        if doc := type(serializer).__doc__:  # its own, none that it inherits
            schema["description"] = inspect.cleandoc(doc).replace("``", "`")
        if isinstance(serializer, BodySerializer):
            schema["additionalProperties"] = False  # BodySerializer refuses them
        elif direction == "response":
            for inner in properties.values():
                for name in OF_THE_DATABASE:
                    inner.pop(name, None)
            if example := getattr(serializer, "openapi_example", None):
                schema["examples"] = [example]
            schema["required"] = sorted(name for name in properties if _is_always_sent(serializer.fields[name]))
        return schema


def _without_null(schema: dict[str, Any]) -> dict[str, Any]:
    """Return the schema of a field that takes any value without spectacular's choice between that and null."""
    return {name: value for name, value in schema.items() if (name, value) != ("oneOf", [{}, {"type": "null"}])}


def _is_always_sent(field: serializers.Field) -> bool:
    return field.required or field.read_only or field.default is not serializers.empty


def _can_be_null(field: Any) -> bool:
    """Return whether a field of an answer can be null: as its column can, or by its default."""
    if getattr(field, "default", serializers.empty) is None:
        return True
    model = getattr(getattr(field.parent, "Meta", None), "model", None) if hasattr(field, "parent") else None
    if model is None or "." in (field.source or ""):
        return False
    columns = {name: column for column in model._meta.concrete_fields for name in (column.name, column.attname)}
    return field.source in columns and columns[field.source].null
