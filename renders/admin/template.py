"""Templates in the admin: find, read, change."""

from typing import Any

from django.contrib import admin
from django.db.models import BooleanField, ExpressionWrapper, Q, QuerySet
from django.http import HttpRequest
from django.utils.safestring import SafeString

from renders.admin.display import NOTHING, as_json, moment, preformatted
from renders.admin.labels import label
from renders.admin.links import list_link
from renders.admin.template_actions import TemplateActions
from renders.admin.template_form import TemplateForm
from renders.models import Template
from renders.services.json_schema.values import counted
from renders.services.templates.examples import example_body


@admin.register(Template)
class TemplateAdmin(TemplateActions):
    """What a request may ask for by name. One that renders were made with is disabled, never deleted."""

    form = TemplateForm
    list_display = (
        "name",
        "title",
        "state",
        "composition",
        "size",
        "length_shown",
        "schema_shown",
        "version",
        "renders_link",
    )
    list_filter = ("enabled", "input_schema_is_draft", "length")
    search_fields = ("name", "title", "composition")
    search_help_text = "A part of the name, title or composition"
    readonly_fields = ("version", "missing_since", "created_at", "updated_at", "renders_link", "example")
    warn_unsaved_form = True
    fieldsets = (
        (None, {"fields": ("name", "title", "enabled")}),
        (
            "What is rendered",
            {"fields": ("site", "composition", ("width", "height", "fps"), ("length", "duration_in_frames"))},
        ),
        (
            "Input",
            {
                "fields": ("default_input_props", "input_schema", "input_schema_is_draft"),
                "description": "A request's input props are laid over the default ones, and must fit the schema.",
            },
        ),
        ("Options", {"fields": ("default_options", "allowed_options", "reuse")}),
        (
            "State",
            {
                "fields": (
                    "renders_link",
                    "version",
                    "missing_since",
                    ("created_at", "updated_at"),
                    "example",
                )
            },
        ),
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[Template]:
        templates = Template.objects.all()
        if not self.is_list(request):
            return templates
        has_schema = ExpressionWrapper(Q(input_schema__isnull=False), output_field=BooleanField())
        return templates.defer(
            "default_input_props", "input_schema", "default_options", "allowed_options", "synced"
        ).annotate(has_schema=has_schema)

    def has_delete_permission(self, request: HttpRequest, obj: Template | None = None) -> bool:
        """Only one that no render was made with can be deleted, and each by itself."""
        return obj is not None and super().has_delete_permission(request, obj) and not obj.renders.exists()

    def get_fieldsets(self, request: HttpRequest, obj: Template | None = None) -> Any:
        """Leave out what a new template does not have yet."""
        if obj is None:
            return self.fieldsets[:-1]
        hidden = ("opened_version",) if self.has_change_permission(request, obj) else ()
        return [*self.fieldsets, (None, {"fields": hidden})]

    @admin.display(description="State")
    def state(self, template: Template) -> SafeString:
        if template.missing_since:
            since = moment(template.missing_since)
            return label("Gone", "danger", title=f"A sync has not found its composition since {since}.")
        return label("Enabled", "success") if template.enabled else label("Disabled", title="It cannot be rendered.")

    @admin.display(description="Size")
    def size(self, template: Template) -> str:
        pixels = f"{template.width}×{template.height}" if template.width and template.height else NOTHING
        return f"{pixels}, {template.fps:g}\N{NO-BREAK SPACE}fps" if template.fps else pixels

    @admin.display(description="Length")
    def length_shown(self, template: Template) -> str:
        if template.length == Template.Length.FIXED:
            return counted(template.duration_in_frames or 0, "frame")
        return "by inputProps" if template.length == Template.Length.INPUT_PROPS else "unknown"

    @admin.display(description="Schema")
    def schema_shown(self, template: Template) -> SafeString:
        if not template.has_schema:  # type: ignore[attr-defined]
            return label("Any object", title="There is none, so nothing is refused.")
        if template.input_schema_is_draft:
            return label("Draft", "warning", title="It refuses nothing: correct and confirm it.")
        return label("Confirmed", "success", title="Requests must fit it.")

    @admin.display(description="Renders")
    def renders_link(self, template: Template) -> SafeString:
        return list_link("Renders", "render", template__id__exact=template.pk)

    @admin.display(description="Example: POST /api/renders/")
    def example(self, template: Template) -> SafeString:
        # Of what is stored: a form with mistakes has changed this instance.
        return preformatted(as_json(example_body(Template.objects.get(pk=template.pk))))
