"""The options of a template: its defaults, and what a request may set."""

from collections.abc import Iterable, Mapping
from typing import Any

from renders.models import Template
from renders.remotion.errors import InvalidOptions
from renders.remotion.option_values import value_problem
from renders.remotion.options import combine_options
from renders.services.json_schema.values import listed

MAX_NAME_LENGTH = 100


def merge_options(template: Template, options: Mapping[str, Any], *, kind: str) -> dict[str, Any]:
    """Return the template's default options with those of the request in place of them, as they are stored.

    Defaults that renders of this kind do not take (a codec, of a still) are left out. A null in the
    request takes a default away. Raise InvalidOptions for an option that the template does not allow.
    """
    if refused := _not_allowed(template, options):
        raise InvalidOptions(refused)
    return combine_options(options_of_kind(template.default_options, kind=kind), options, kind=kind)


def options_of_kind(options: Mapping[str, Any], *, kind: str) -> dict[str, Any]:
    """Return the options that renders of this kind take, with values that they take."""
    return {name: value for name, value in options.items() if not value_problem(name, value, kind=kind, trusted=True)}


def _not_allowed(template: Template, options: Iterable[str]) -> dict[str, str]:
    if template.allowed_options is None:
        return {}
    allowed = template.allowed_options
    may = f"a request may set {listed(allowed, last=' and')}." if allowed else "a request may set none."
    sentence = f"The template {template.name} does not let a request set it: {may}"
    return {name[:MAX_NAME_LENGTH]: sentence for name in options if name not in allowed}
