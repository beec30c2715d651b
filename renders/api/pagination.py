"""Pages of a list."""

from typing import Any

from django.core.exceptions import ValidationError
from rest_framework import exceptions, serializers
from rest_framework.pagination import CursorPagination
from rest_framework.request import Request

from renders.api.input import QuerySerializer

MAX_PAGE_SIZE = 200


class NewestFirstPagination(CursorPagination):
    """Pages by cursor, newest first: no COUNT, and no row twice while new ones arrive.

    The view's query serializer, a ``PageQuerySerializer``, has checked the page's size.
    """

    ordering: tuple[str, ...] = ("-created_at", "-id")
    page_size = 50
    page_size_query_param = "pageSize"
    max_page_size = MAX_PAGE_SIZE
    invalid_cursor_message = "This list has not given such a cursor: begin again without it."

    def get_paginated_response_schema(self, schema: dict[str, Any]) -> dict[str, Any]:
        """Return the JSON Schema of a page, whose results have this one."""
        link = {"type": ["string", "null"], "format": "uri"}
        return {
            "type": "object",
            "required": ["next", "previous", "results"],
            "properties": {
                "next": {**link, "description": "The address of the next page; null: this is the last."},
                "previous": {**link, "description": "The address of the page before; null: this is the first."},
                "results": schema,
            },
        }

    def paginate_queryset(self, *args: Any, **kwargs: Any) -> list[Any] | None:
        try:
            return super().paginate_queryset(*args, **kwargs)
        except (exceptions.NotFound, ValidationError) as err:
            # ValidationError: the cursor is well formed, but the position in it is not a time.
            raise exceptions.ValidationError({"cursor": [self.invalid_cursor_message]}) from err


class ByNamePagination(NewestFirstPagination):
    """The same pages in the order of the names."""

    ordering = ("name",)

    def decode_cursor(self, request: Request) -> Any:
        cursor = super().decode_cursor(request)
        if cursor and "\0" in str(cursor.position):  # PostgreSQL cannot compare it
            raise exceptions.NotFound
        return cursor


class PageSizeField(serializers.IntegerField):
    default_error_messages = {"invalid": f"Use a whole number from 1 to {MAX_PAGE_SIZE}."}

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.min_value, self.max_value = 1, MAX_PAGE_SIZE

    def to_internal_value(self, data: Any) -> int:
        if not (data.isascii() and data.isdigit() and len(data) < 10 and 1 <= int(data) <= MAX_PAGE_SIZE):
            self.fail("invalid")
        return int(data)


class PageQuerySerializer(QuerySerializer):
    """The parameters of every list."""

    pageSize = PageSizeField(required=False)  # noqa: N815
    cursor = serializers.CharField(required=False, help_text="From the links `next` and `previous`.")
