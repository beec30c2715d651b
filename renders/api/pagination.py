"""Pages of a list."""

import re
from typing import Any

from django.core.exceptions import ValidationError
from rest_framework import exceptions
from rest_framework.exceptions import NotFound
from rest_framework.pagination import CursorPagination
from rest_framework.request import Request


class NewestFirstPagination(CursorPagination):
    """Pages by cursor, newest first: no COUNT, and no row twice while new ones arrive."""

    ordering = ("-created_at", "-id")
    page_size = 50
    page_size_query_param = "pageSize"
    max_page_size = 200
    invalid_cursor_message = "The cursor is not one that this list has given: begin again without it."

    def get_page_size(self, request: Request) -> int:
        sent = request.query_params.get(self.page_size_query_param)
        if sent is None:
            return self.page_size
        if not re.fullmatch(r"[0-9]{1,9}", sent) or not 1 <= int(sent) <= self.max_page_size:
            message = f"Use a whole number from 1 to {self.max_page_size}."
            raise exceptions.ValidationError({self.page_size_query_param: [message]})
        return int(sent)

    def paginate_queryset(self, *args: Any, **kwargs: Any) -> list[Any] | None:
        try:
            return super().paginate_queryset(*args, **kwargs)
        except ValidationError as err:
            # The cursor is well formed, but the position in it is not a time.
            raise NotFound(self.invalid_cursor_message) from err
