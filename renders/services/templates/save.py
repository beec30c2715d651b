"""Create and change templates: what the API does, and what is done to the chosen ones in the admin."""

from collections.abc import Mapping
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import F, QuerySet
from django.utils import timezone

from renders.models import Template
from renders.services.errors import InvalidTemplate
from renders.services.templates.check import check_template

NAME_TAKEN = "Another template has this name."


def create_template(fields: Mapping[str, Any]) -> Template:
    """Store a template with these fields. Raise InvalidTemplate."""
    return _save(Template(), fields)


def update_template(template: Template, fields: Mapping[str, Any]) -> Template:
    """Change these fields of a template, and no other, as it is stored now. Raise InvalidTemplate."""
    with transaction.atomic():
        return _save(Template.objects.select_for_update(no_key=True).get(pk=template.pk), fields)


def raise_versions(templates: QuerySet[Template]) -> int:
    """Give the templates the next version: their site renders something else now, though nothing here tells it."""
    return templates.update(version=F("version") + 1, updated_at=timezone.now())


def _save(template: Template, fields: Mapping[str, Any]) -> Template:
    for name, value in fields.items():
        setattr(template, name, value)
    if "input_schema" in fields and "input_schema_is_draft" not in fields:
        template.input_schema_is_draft = False  # whoever writes a schema means it
    check_template(template)
    try:
        with transaction.atomic():
            template.save()
    except IntegrityError as err:
        raise InvalidTemplate({"name": NAME_TAKEN}) from err
    return template
