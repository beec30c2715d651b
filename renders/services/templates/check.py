"""Is a template complete and sound? Asked by the admin and the API before they save one."""

import json
import math
import re
from collections.abc import Iterator
from typing import Any

from django.core.exceptions import ValidationError

from renders.models import Render, Template
from renders.remotion.errors import InvalidOptions
from renders.remotion.json import parse_json
from renders.remotion.option_table import MAX_FPS, MAX_FRAMES, MAX_PIXELS, OPTIONS
from renders.remotion.option_values import value_problem
from renders.remotion.options import validate_options
from renders.services.errors import InvalidTemplate
from renders.services.json_schema.allowed import InvalidSchema, check_schema
from renders.services.json_schema.validator import CannotValidate, find_errors
from renders.services.json_schema.values import listed, shortened
from renders.services.templates.input_props import json_path
from renders.services.templates.options import options_of_kind

SITE = re.compile(r"https?://[^\s/]+\S*|[0-9A-Za-z!_.*'()-]+")
COMPOSITION = re.compile(r"[a-zA-Z0-9\u4E00-\u9FFF-]+")
"""https://www.remotion.dev/docs/composition#id"""
MAX_SITE_LENGTH = 2000
MAX_PROPS_LENGTH = 1_000_000

NO_OBJECT = "Use a JSON object."
BAD_SITE = "Use the name of a site in Remotion's bucket, a URL that begins with https:// or http://, or nothing."
BAD_COMPOSITION = "Use the composition's id in Remotion: letters, digits and hyphens."
NO_LENGTH = "A fixed length needs the number of frames."

Problems = Iterator[tuple[str, str]]


def check_template(template: Template) -> None:
    """Raise InvalidTemplate with a sentence for each field that must change."""
    errors: dict[str, str] = {}
    try:
        template.full_clean()
    except ValidationError as err:
        errors |= {name: sentences[0] for name, sentences in err.message_dict.items()}
    for check in (_place, _input_props, _schema, _options, _size):
        for name, sentence in check(template):
            errors.setdefault(name, sentence)
    if errors:
        raise InvalidTemplate(errors)


def default_props_problem(template: Template) -> str:
    """Return which of the default input props the template's own schema refuses; empty if none.

    A required prop without a default is none of them: the request must send it.
    """
    if template.input_schema is None or template.input_schema_is_draft:
        return ""
    try:
        found = find_errors(template.input_schema, template.default_input_props)
    except CannotValidate:
        return "The default input props cannot be checked against the schema: it takes too long."
    for path, sentence in found:
        if path and path[0] in template.default_input_props:
            return shortened(f"The schema refuses {json_path(path)} of the default input props: {sentence}", limit=300)
    return ""


def _place(template: Template) -> Problems:
    site = template.site
    if site and (len(site) > MAX_SITE_LENGTH or not SITE.fullmatch(site)):
        yield "site", BAD_SITE
    if not COMPOSITION.fullmatch(template.composition):
        yield "composition", BAD_COMPOSITION


def _input_props(template: Template) -> Problems:
    if problem := _object_problem(template.default_input_props):
        yield "default_input_props", problem
    elif len(json.dumps(template.default_input_props, ensure_ascii=False)) > MAX_PROPS_LENGTH:
        yield "default_input_props", f"They have at most {MAX_PROPS_LENGTH:,} characters as JSON: use URLs, not data."


def _schema(template: Template) -> Problems:
    if template.input_schema is None:
        return
    if problem := _object_problem(template.input_schema):
        yield "input_schema", problem
        return
    try:
        check_schema(template.input_schema)
    except InvalidSchema as err:
        yield "input_schema", str(err)
        return
    if isinstance(template.default_input_props, dict) and (problem := default_props_problem(template)):
        yield "default_input_props", problem


def _options(template: Template) -> Problems:
    if problem := _object_problem(template.default_options) or _default_options_problem(template.default_options):
        yield "default_options", problem
    allowed, known = template.allowed_options, {option.name for option in OPTIONS}
    if allowed is None:
        return
    if not isinstance(allowed, list) or not all(isinstance(name, str) for name in allowed):
        yield "allowed_options", 'Use a list of names, such as ["codec", "scale"], [] for none, or null for all.'
    elif unknown := [name for name in allowed if name not in known]:
        yield "allowed_options", f"There is no option {listed(map(shortened, unknown), last=' or')}."
    elif len(set(allowed)) < len(allowed):
        yield "allowed_options", "Name each option once."


def _default_options_problem(options: dict[str, Any]) -> str:
    """Return why the options cannot be the defaults of a video or of a still; empty if they can."""
    for name, value in options.items():
        problems = [value_problem(name, value, kind=kind, trusted=True) for kind in Render.Kind.values]
        if all(problems):
            return f"{shortened(name)}: {problems[0]}"
    for kind in Render.Kind.values:
        try:
            validate_options(options_of_kind(options, kind=kind), kind=kind, trusted=True)
        except InvalidOptions as err:
            return str(err)
    return ""


def _size(template: Template) -> Problems:
    if template.length == Template.Length.FIXED and not template.duration_in_frames:
        yield "duration_in_frames", NO_LENGTH
    for name, most in (("duration_in_frames", MAX_FRAMES), ("width", MAX_PIXELS), ("height", MAX_PIXELS)):
        value = getattr(template, name)
        if isinstance(value, int) and not 1 <= value <= most:
            yield name, f"Use a whole number from 1 to {most:,}."
    fps = template.fps
    if isinstance(fps, int | float) and not (math.isfinite(fps) and 0 < fps <= MAX_FPS):
        yield "fps", f"Use a number over 0 and up to {MAX_FPS}."


def _object_problem(value: Any) -> str:
    """Return why the value is no JSON object that every database can store; empty if it is one."""
    if not isinstance(value, dict):
        return NO_OBJECT
    try:
        parse_json(json.dumps(value).encode(), replace=False)
    except (ValueError, RecursionError) as err:
        return shortened(f"This JSON cannot be stored: {err}.", limit=300)
    return ""
