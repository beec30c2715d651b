from typing import Any

from django.core.exceptions import ValidationError
from rest_framework.exceptions import NotFound
from rest_framework.pagination import CursorPagination


class NewestFirstPagination(CursorPagination):
    """Pages by position and not by number: no COUNT, and no row twice while new ones arrive."""

    ordering = ("-created_at", "-id")
    page_size = 50
    page_size_query_param = "pageSize"
    max_page_size = 200
    invalid_cursor_message = "The cursor is not one that this list has given: begin again without it."

    def paginate_queryset(self, *args: Any, **kwargs: Any) -> list[Any] | None:
        try:
            return super().paginate_queryset(*args, **kwargs)
        except ValidationError as err:
            # The cursor is well formed, but the position in it is no time.
            raise NotFound(self.invalid_cursor_message) from err
