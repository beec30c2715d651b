from rest_framework.pagination import CursorPagination


class NewestFirstPagination(CursorPagination):
    """Pages by position and not by number: no COUNT, and no row twice while new ones arrive."""

    ordering = ("-created_at", "-id")
    page_size = 50
    page_size_query_param = "pageSize"
    max_page_size = 200
    invalid_cursor_message = "The cursor is not one that this list has given: begin again without it."
