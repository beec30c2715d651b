"""The admin's lists in pages by cursor: a COUNT of a large table takes longer than the page itself."""

from typing import Any
from urllib.parse import urlsplit

from django.contrib.admin.options import IncorrectLookupParameters
from django.contrib.admin.views.main import PAGE_VAR, ChangeList
from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from django.http import HttpRequest
from rest_framework.exceptions import NotFound
from rest_framework.pagination import CursorPagination
from rest_framework.request import Request


class CursorPages(CursorPagination):
    """Pages in the order of the list; the cursor is in the admin's page parameter."""

    page_size = 50
    cursor_query_param = PAGE_VAR

    def get_ordering(self, request: Request, queryset: QuerySet, view: Any) -> tuple[str, ...]:
        return tuple(view.ordering or queryset.model._meta.ordering)


class CursorChangeList(ChangeList):
    """A list that knows whether there are older rows, and not how many."""

    def rows(self) -> Any:
        """Return what is shown in pages."""
        return self.queryset

    def get_results(self, request: HttpRequest) -> None:
        pages = CursorPages()
        try:
            view: Any = self.model_admin
            rows: list[Any] = pages.paginate_queryset(self.rows(), Request(request), view) or []
        except (NotFound, ValidationError) as err:
            raise IncorrectLookupParameters from err
        self.newer, self.older = _query(pages.get_previous_link()), _query(pages.get_next_link())
        self.show_rows(rows)

    def show_rows(self, rows: list[Any]) -> None:
        """Make these the rows of the page."""
        self.result_list = rows
        # Only the rows of the page are counted, so that nothing offers "all" of an unknown number.
        self.result_count = self.full_result_count = len(rows)
        self.show_full_result_count = self.can_show_all = self.multi_page = False
        self.show_admin_actions = True


def _query(address: str | None) -> str:
    return f"?{urlsplit(address).query}" if address else ""
