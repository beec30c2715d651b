"""What the admin of each table has in common."""

from typing import Any

from django.contrib import admin
from django.contrib.admin.views.main import ChangeList
from django.http import HttpRequest

from renders.admin.pagination import CursorChangeList


class ReadOnlyAdmin(admin.ModelAdmin):
    """Rows are written by the service, never by hand. The list asks only what an index answers."""

    sortable_by = ()
    show_facets = admin.ShowFacets.NEVER

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ChangeList]:
        return CursorChangeList

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def is_list(self, request: HttpRequest) -> bool:
        """Return whether the request is for the list, or for an action on it."""
        return request.resolver_match is not None and request.resolver_match.view_name.endswith("_changelist")
