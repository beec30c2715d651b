"""What the admin of each table has in common."""

from collections import defaultdict
from collections.abc import Iterable
from typing import Any

from django.contrib import admin, messages
from django.contrib.admin.views.main import ERROR_FLAG, ChangeList
from django.http import HttpRequest, HttpResponse

from renders.admin.pagination import CursorChangeList
from renders.admin.theme import ModelAdmin

UNKNOWN_FILTER = "The address had a filter that is not known: all {} are shown."


class TableAdmin(ModelAdmin):
    """The list asks only what an index answers, and comes in pages by cursor."""

    sortable_by = ()
    show_facets = admin.ShowFacets.NEVER

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ChangeList]:
        return CursorChangeList

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """Say so if Django has led here from an address that it does not understand."""
        if ERROR_FLAG in request.GET and request.method == "GET":
            self.message_user(request, UNKNOWN_FILTER.format(self.opts.verbose_name_plural), messages.WARNING)
        return super().changelist_view(request, extra_context)

    def is_list(self, request: HttpRequest) -> bool:
        """Return whether the request is for the list, or for an action on it."""
        return request.resolver_match is not None and request.resolver_match.view_name.endswith("_changelist")

    def tell(self, request: HttpRequest, *sentences: str) -> None:
        """Show the sentences that are not empty as one message."""
        self.message_user(request, " ".join(filter(None, sentences)), messages.INFO)

    def tell_errors(self, request: HttpRequest, errors: Iterable[tuple[object, object]]) -> None:
        """Show each error once, after the names of the rows that have it. ``errors`` are names and errors."""
        names_of = defaultdict(list)
        for name, error in errors:
            names_of[str(error)].append(str(name))
        for error, names in names_of.items():
            noun = str(self.opts.verbose_name if len(names) == 1 else self.opts.verbose_name_plural).capitalize()
            self.message_user(request, f"{noun} {', '.join(names)}: {error}", messages.ERROR)


class ReadOnlyAdmin(TableAdmin):
    """Rows are written by the service, never by hand."""

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False
