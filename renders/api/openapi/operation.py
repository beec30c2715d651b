"""What a view says about each of its operations, besides the serializers of what comes in."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from drf_spectacular.utils import OpenApiParameter, PolymorphicProxySerializer
from rest_framework.serializers import BaseSerializer

JSON = "application/json"

LOCATION = {"Location": "The address of what was made."}
REPLAYED = {"Idempotency-Replayed": "`true` if an earlier request with this `Idempotency-Key` is answered."}


@dataclass(frozen=True, kw_only=True)
class Success:
    """An answer that is no error."""

    description: str
    body: type[BaseSerializer] | PolymorphicProxySerializer | Mapping[str, Any] | None = None
    """A serializer, whose objects a list puts into pages, or a JSON Schema; None: there is no body."""
    headers: Mapping[str, str] = field(default_factory=dict)
    """What each header of the answer says."""
    media_type: str = JSON
    example: Any = None
    is_page: bool = False
    """Whether it is a page of objects of ``body``; the action ``list`` always is."""
    also: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    """JSON Schemas by further media types that it can have."""


@dataclass(frozen=True, kw_only=True)
class Example:
    """A request that works."""

    name: str
    summary: str
    body: Mapping[str, Any]


@dataclass(frozen=True, kw_only=True)
class Operation:
    """One method of one address. ``error_answers`` adds the errors that follow from its view."""

    id: str
    """Clients that are generated from the description name their functions after it."""
    summary: str
    description: str
    answers: Mapping[int, Success]
    errors: tuple[type[BaseException], ...] = ()
    """Classes of ``renders.api.errors.ANSWERS`` that it can be answered with."""
    codes: Mapping[int, tuple[str, ...]] = field(default_factory=dict)
    """Further codes by status, of errors that have no class of their own."""
    examples: tuple[Example, ...] = ()
    parameters: tuple[OpenApiParameter, ...] = ()
    """Further ones, such as headers; those of the query are in the view's serializer."""
    is_idempotent: bool = False
    """Whether it reads the header ``Idempotency-Key``."""
    links: Mapping[str, str] = field(default_factory=dict)
    """Ids of operations on the object that it answers with, each with the name of the path's parameter."""
