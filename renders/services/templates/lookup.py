"""The template that a request names."""

from difflib import get_close_matches

from renders.models import Template
from renders.services.errors import TemplateDisabled, TemplateUnknown
from renders.services.json_schema.values import listed, shortened

MAX_NAME_LENGTH = 100
MAX_NAMES_COMPARED = 1000


def resolve(name: str) -> Template:
    """Return the enabled template of this name. Raise TemplateUnknown or TemplateDisabled, with near names."""
    template = find_template(name)
    if not template.enabled:
        raise TemplateDisabled(f"The template {name} is disabled: nothing is rendered with it now.{_hint(name)}")
    return template


def find_for_composition(name: str) -> Template | None:
    """Return the enabled template of this name, or else one that renders this composition: the settings' site first."""
    enabled = Template.objects.filter(enabled=True)
    return enabled.filter(name=name).first() or enabled.filter(composition=name).order_by("site", "name").first()


def find_template(name: str) -> Template:
    """Return the template of this name, enabled or not. Raise TemplateUnknown, with near names."""
    is_possible = len(name) <= MAX_NAME_LENGTH and "\0" not in name
    template = Template.objects.filter(name=name).first() if is_possible else None
    if template is None:
        raise TemplateUnknown(f"There is no template {shortened(name)}.{_hint(name)}")
    return template


def _hint(name: str) -> str:
    """Return a sentence with the enabled templates of a name like this one; empty if there are none."""
    names = Template.objects.filter(enabled=True).values_list("name", flat=True)[:MAX_NAMES_COMPARED]
    by_lower = {known.lower(): known for known in names}
    near = [by_lower[found] for found in get_close_matches(name[:MAX_NAME_LENGTH].lower(), by_lower, n=3)]
    return f" Did you mean {listed(near, last=' or')}?" if near else ""
