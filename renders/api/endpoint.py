"""What the endpoints of the API have in common: all input is checked, and OPTIONS describes it."""

from collections.abc import Mapping
from typing import Any

from rest_framework.metadata import SimpleMetadata
from rest_framework.request import Request
from rest_framework.serializers import Field, Serializer
from rest_framework.views import APIView

from renders.api.actions import action_of, actions_by_method
from renders.api.errors import LengthRequired
from renders.api.input import BodySerializer, QuerySerializer
from renders.api.openapi.operation import Operation
from renders.api.throttled_view import ThrottledView


class InputMetadata(SimpleMetadata):
    """What OPTIONS answers: fields of the body under ``actions``, where DRF has them, of the query under ``query``."""

    def determine_metadata(self, request: Request, view: APIView) -> dict[str, Any]:
        metadata: dict[str, Any] = super().determine_metadata(request, view)
        if isinstance(view, Endpoint):
            metadata["actions"] = self._described(view, view.body_serializers)
            metadata["query"] = self._described(view, view.query_serializers)
        return metadata

    def _described(self, view: "Endpoint", serializers: Mapping[str, type[Serializer]]) -> dict[str, Any]:
        actions = actions_by_method(view)
        return {
            method: self.get_serializer_info(serializers[action]())
            for method, action in actions.items()
            if action in serializers
        }

    def determine_actions(self, request: Request, view: APIView) -> dict[str, Any]:
        """Return nothing: DRF would describe the serializer of the answer."""
        return {}

    def get_field_info(self, field: Field) -> dict[str, Any]:
        info: dict[str, Any] = super().get_field_info(field)
        return {name: value for name, value in info.items() if name not in ("label", "read_only")}


class Endpoint(ThrottledView):
    """A view that refuses input it does not know: it checks the user, permissions, the query, then the body.

    Serializers are declared by action, which is the name of the method that answers. Without one, no
    name is known: the query or body must be empty.
    """

    body_serializers: Mapping[str, type[BodySerializer]] = {}
    query_serializers: Mapping[str, type[QuerySerializer]] = {}
    operations: Mapping[str, Operation] = {}
    """What OpenAPI says of each action, beside its serializers."""
    metadata_class = InputMetadata

    required_scopes: Mapping[str, str] = {}
    """By action: the scope that an API key with scopes needs. An action without one takes a key without scopes."""

    instead_of_method: Mapping[str, str] = {}
    """What to do in place of a method that this address does not take, where there is more to say."""

    query: dict[str, Any]
    """The validated query."""

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        super().initial(request, *args, **kwargs)
        if "HTTP_TRANSFER_ENCODING" in request.META:
            # A WSGI server would hand over an empty body.
            raise LengthRequired("Send the body with the header `Content-Length`, and not in chunks.")
        self.query = _validated(
            self.query_serializers.get(action_of(self, self.request), QuerySerializer)(data=request.query_params)
        )

    def validated_body(self) -> dict[str, Any]:
        """Return the validated body; raise ParseError, PayloadTooLarge or ValidationError."""
        return _validated(
            self.body_serializers.get(action_of(self, self.request), BodySerializer)(data=self.request.data)
        )


def _validated(serializer: Serializer) -> dict[str, Any]:
    serializer.is_valid(raise_exception=True)
    validated: dict[str, Any] = serializer.validated_data
    return validated
