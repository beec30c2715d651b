"""The admin's lists in pages by cursor: a COUNT of a large table takes longer than the page itself."""

from urllib.parse import urlsplit

from django.contrib.admin.options import IncorrectLookupParameters
from django.contrib.admin.views.main import PAGE_VAR, ChangeList
from django.core.exceptions import ValidationError
from django.http import HttpRequest
from rest_framework.exceptions import NotFound
from rest_framework.pagination import CursorPagination
from rest_framework.request import Request


class RenderPages(CursorPagination):
    """Newest first; the cursor is in the admin's page parameter."""

    ordering = ("-created_at", "-id")
    page_size = 50
    cursor_query_param = PAGE_VAR


class RenderChangeList(ChangeList):
    """A list that knows whether there are older rows, and not how many."""

    def get_results(self, request: HttpRequest) -> None:
        pages = RenderPages()
        try:
            self.result_list = pages.paginate_queryset(self.queryset, Request(request)) or []
        except (NotFound, ValidationError) as err:
            raise IncorrectLookupParameters from err
        self.newer, self.older = _query(pages.get_previous_link()), _query(pages.get_next_link())
        # Only the rows of the page are counted, so that nothing offers "all" of an unknown number.
        self.result_count = self.full_result_count = len(self.result_list)
        self.show_full_result_count = self.can_show_all = self.multi_page = False
        self.show_admin_actions = True


def _query(address: str | None) -> str:
    return f"?{urlsplit(address).query}" if address else ""
