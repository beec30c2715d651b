"""Make templates of a site's compositions, and keep them true to it."""

from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass, field
from hashlib import sha256
from itertools import chain
from typing import Any

from django.conf import settings
from django.db import IntegrityError, transaction
from django.utils import timezone

from renders.models import Render, Template
from renders.remotion.compositions import Composition, list_compositions
from renders.remotion.errors import InvalidOptions
from renders.remotion.options import CODEC, validate_options
from renders.remotion.site import configured_site
from renders.remotion.target import LambdaTarget
from renders.services.errors import Conflict
from renders.services.json_schema.values import canonical
from renders.services.templates.check import BAD_SITE, SITE, default_props_problem
from renders.services.templates.draft import LENGTH_PROP, draft_schema
from renders.services.templates.names import free_name

ATTEMPTS = 3
FACTS = ("fps", "width", "height", "duration_in_frames")
"""Facts of a composition: a sync fills them in wherever they are empty."""
LABELS = {
    "default_input_props": "default input props",
    "input_schema": "draft of the schema",
    "default_options": "default options",
    "duration_in_frames": "length in frames",
    "fps": "frames a second",
}


@dataclass
class SyncResult:
    """What a sync changed, by the names of templates."""

    created: list[str] = field(default_factory=list)
    updated: dict[str, list[str]] = field(default_factory=dict)
    """What changed in words, by name."""
    disabled: list[str] = field(default_factory=list)
    unchanged: list[str] = field(default_factory=list)
    """Templates of compositions that the site has, which were as it says already."""
    problems: dict[str, str] = field(default_factory=dict)
    """What staff should look at, in a sentence, by name."""

    @property
    def lines(self) -> list[str]:
        """One line for each change."""
        return [
            *(f"created   {name}" for name in self.created),
            *(f"updated   {name}: {', '.join(changes)}" for name, changes in self.updated.items()),
            *(f"disabled  {name}: the site has its composition no more" for name in self.disabled),
            *(f"look at   {name}: {problem}" for name, problem in self.problems.items()),
        ]

    @property
    def summary(self) -> str:
        return (
            f"{len(self.created)} created, {len(self.updated)} updated, {len(self.disabled)} disabled,"
            f" {len(self.unchanged)} unchanged."
        )


def sync_templates(*, site: str = "") -> SyncResult:
    """Ask the function which compositions a site has, and make or update a template for each.

    ``site`` is a name or URL; empty: the one that the settings name. What a sync may write:

    - A composition without a template gets one, enabled, with the composition's id as title, its size,
      frame rate and length, its default props, and a draft of a schema for them.
    - A later sync overwrites a value only if it is still the one that a sync wrote. What somebody has
      changed by hand is kept for ever, field by field: name, title, input props, schema, options, length.
      A schema that was confirmed is never touched; a draft is drafted anew when the default props change.
    - A template that was made by hand for one of the compositions gets its size, frame rate and length
      if they are empty, and nothing else.
    - The templates of a composition that the site has no more are disabled, and never deleted. If it comes
      back they are enabled again, unless they were disabled by hand.

    Where a change decides what is rendered, the version rises. All is written in one transaction, or nothing.
    Raise RemotionError if the function cannot be asked, Conflict if there can be no such site or it has
    no compositions at all.
    """
    site = stored_site(site)
    target = LambdaTarget.from_settings()
    target.require_credentials()
    compositions = list_compositions(target, serve_url=site or configured_site(), input_props={})
    if not compositions:
        raise Conflict(f"The site {site or configured_site()} has no compositions, so nothing was changed.")
    for _ in range(ATTEMPTS - 1):
        with suppress(IntegrityError):  # another process has taken a name in the meantime
            return _store(compositions, site=site)
    return _store(compositions, site=site)


def stored_site(site: str) -> str:
    """Return a site's name or URL as templates have it: empty for the one that the settings name."""
    if site and not SITE.fullmatch(site):
        raise Conflict(BAD_SITE)
    return "" if site in (settings.REMOTION_SERVE_URL or settings.REMOTION_SITE_NAME, "") else site


@transaction.atomic
def _store(compositions: Iterable[Composition], *, site: str) -> SyncResult:
    result = SyncResult()
    of_composition: dict[str, list[Template]] = {}
    for template in Template.objects.select_for_update(no_key=True).filter(site=site).order_by("name"):
        of_composition.setdefault(template.composition, []).append(template)
    for composition in compositions:
        templates = of_composition.pop(composition.id, [])
        for template in templates:
            _update(template, composition, result)
        if not templates:
            _create(composition, site=site, result=result)
    for template in chain.from_iterable(of_composition.values()):
        _disable(template, result)
    return result


def _create(composition: Composition, *, site: str, result: SyncResult) -> None:
    values = _site_values(composition)
    taken = set(Template.objects.values_list("name", flat=True))
    template = Template.objects.create(
        name=free_name(composition.id, site=site or configured_site(), taken=taken),
        title=composition.id,
        site=site,
        composition=composition.id,
        input_schema_is_draft=True,
        synced={name: _fingerprint(value) for name, value in values.items()},
        **values,
    )
    result.created.append(template.name)


def _update(template: Template, composition: Composition, result: SyncResult) -> None:
    changes = []
    for name, value in _site_values(composition).items():
        if _may_write(template, name) and _fingerprint(getattr(template, name)) != _fingerprint(value):
            setattr(template, name, value)
            template.synced[name] = _fingerprint(value)
            changes.append(LABELS.get(name, name))
    if template.missing_since:
        template.missing_since = None
        template.enabled = True
        changes.append("enabled again")
    if not changes:
        result.unchanged.append(template.name)
        return
    template.save()
    result.updated[template.name] = changes
    if problem := default_props_problem(template):
        result.problems[template.name] = problem


def _disable(template: Template, result: SyncResult) -> None:
    if template.enabled:
        template.enabled, template.missing_since = False, timezone.now()
        template.save()
        result.disabled.append(template.name)


def _may_write(template: Template, name: str) -> bool:
    """Return whether a sync may overwrite the field: nobody has set it by hand."""
    value = getattr(template, name)
    if name in FACTS and value is None:
        return True
    if name == "input_schema" and not template.input_schema_is_draft:
        return False
    return template.synced.get(name) == _fingerprint(value)


def _site_values(composition: Composition) -> dict[str, Any]:
    """Return the fields of a template as the site has them."""
    is_given = LENGTH_PROP in composition.default_props
    return {
        "width": composition.width,
        "height": composition.height,
        "fps": composition.fps,
        "duration_in_frames": composition.duration_in_frames,
        # The function does not tell whether calculateMetadata decides it.
        "length": Template.Length.INPUT_PROPS if is_given else Template.Length.UNKNOWN,
        "default_input_props": composition.default_props,
        "input_schema": draft_schema(composition.default_props),
        "default_options": _default_options(composition),
    }


def _default_options(composition: Composition) -> dict[str, Any]:
    """Return the codec that calculateMetadata prefers, if it is one of ours and not the default."""
    if composition.default_codec in (None, "", CODEC):
        return {}
    try:
        return validate_options({"codec": composition.default_codec}, kind=Render.Kind.VIDEO)
    except InvalidOptions:
        return {}


def _fingerprint(value: Any) -> str:
    return sha256(canonical(value).encode()).hexdigest()[:16]
