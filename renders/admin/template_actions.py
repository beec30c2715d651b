"""Actions on templates: sync them from their sites, confirm schemas, raise versions."""

from collections.abc import Iterable
from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed, HttpResponseRedirect
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html, format_html_join

from renders.admin.read_only import TableAdmin
from renders.models import Template
from renders.remotion.errors import RemotionError
from renders.services.errors import InvalidTemplate, Refused
from renders.services.templates.draft import draft_schema
from renders.services.templates.save import raise_versions, update_template
from renders.services.templates.sync import SyncResult, sync_templates


class TemplateActions(TableAdmin):
    """Each says what it changed, and writes it into the history of the template."""

    actions = ("sync_sites", "draft_schemas", "confirm_schemas", "raise_versions")

    def get_urls(self) -> list[URLPattern]:
        sync = self.admin_site.admin_view(self.sync_view)
        return [path("sync/", sync, name="renders_template_sync"), *super().get_urls()]

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        context = {**(extra_context or {}), "may_sync": self.has_change_permission(request)}
        return super().changelist_view(request, context)

    def sync_view(self, request: HttpRequest) -> HttpResponse:
        """Sync the site that the settings name, and go back to the list."""
        if not self.has_change_permission(request):
            raise PermissionDenied
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])
        self._sync(request, [""])
        return HttpResponseRedirect(reverse("admin:renders_template_changelist"))

    @admin.action(description="Sync from their sites", permissions=["change"])
    def sync_sites(self, request: HttpRequest, queryset: QuerySet[Template]) -> None:
        self._sync(request, queryset.order_by("site").values_list("site", flat=True).distinct())

    @admin.action(description="Draft schemas where there is none", permissions=["change"])
    def draft_schemas(self, request: HttpRequest, queryset: QuerySet[Template]) -> None:
        count = 0
        for template in queryset.filter(input_schema__isnull=True):
            drafted = {"input_schema": draft_schema(template.default_input_props), "input_schema_is_draft": True}
            count += self._changed(request, template, drafted, "Drafted a schema.")
        self.tell(request, f"{count} drafted: correct and confirm them.")

    @admin.action(description="Confirm the drafted schemas", permissions=["change"])
    def confirm_schemas(self, request: HttpRequest, queryset: QuerySet[Template]) -> None:
        count = 0
        for template in queryset.filter(input_schema_is_draft=True, input_schema__isnull=False):
            count += self._changed(request, template, {"input_schema_is_draft": False}, "Confirmed the schema.")
        self.tell(request, f"{count} confirmed: requests must fit the schema from now on.")

    @admin.action(description="Raise the version (the site was deployed anew)", permissions=["change"])
    def raise_versions(self, request: HttpRequest, queryset: QuerySet[Template]) -> None:
        for template in queryset:
            self.log_change(request, template, "Raised the version.")
        count = raise_versions(queryset)
        self.tell(request, f"{count} raised: no earlier render of these is used again.")

    def _changed(self, request: HttpRequest, template: Template, fields: dict[str, Any], message: str) -> bool:
        """Change the fields, or tell why not. Return whether they are changed."""
        try:
            update_template(template, fields)
        except InvalidTemplate as err:
            self.tell_errors(request, [(template, next(iter(err.errors.values())))])
            return False
        self.log_change(request, template, message)
        return True

    def _sync(self, request: HttpRequest, sites: Iterable[str]) -> None:
        for site in sites:
            try:
                result = sync_templates(site=site)
            except (RemotionError, Refused) as err:
                self.message_user(request, str(err), messages.ERROR)
            else:
                self._tell_result(request, result)

    def _tell_result(self, request: HttpRequest, result: SyncResult) -> None:
        said = format_html_join("", "<br>{}", ((line,) for line in result.lines))
        level = messages.WARNING if result.problems else messages.SUCCESS
        self.message_user(request, format_html("{}{}", result.summary, said), level)
        for name in result.created:
            self.log_addition(request, Template.objects.get(name=name), "Made by a sync.")
        for name, changes in result.updated.items():
            self.log_change(request, Template.objects.get(name=name), f"Sync: {', '.join(changes)}.")
        for name in result.disabled:
            self.log_change(request, Template.objects.get(name=name), "Sync: disabled, the composition is gone.")
