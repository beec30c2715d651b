"""Estimate what a render will cost before it runs, from what earlier ones have cost."""

from typing import NamedTuple

from django.db.models import Case, F, IntegerField, Value, When
from django.db.models.functions import Coalesce

from renders.models import Render, RenderQuerySet
from renders.services.render_request import DEFAULT_LENGTH

SAMPLE = 20
"""How many renders an estimate is the mean of."""

NEWEST_ENDED, NEWEST_OF_TEMPLATE = 500, 200
"""How many rows the sample is taken from: the lists' indexes read them, however many renders there are."""

FRAMES = Case(
    When(kind=Render.Kind.STILL, then=Value(1)),
    default=Coalesce(F("duration_in_frames"), F("template__duration_in_frames"), Value(DEFAULT_LENGTH)),
    output_field=IntegerField(),
)
"""Frames for which a render's cost is reckoned."""


class Costing(NamedTuple):
    """What one render has cost."""

    template_id: int | None
    kind: str
    cost: float
    frames: int
    currency: str


class Rates:
    """Cost per frame of the newest renders that succeeded, read from the database once."""

    def __init__(self) -> None:
        ended = Render.objects.filter(finished_at__isnull=False).order_by("-finished_at", "-id")
        self._newest = _costings(ended[:NEWEST_ENDED])
        self._of_template: dict[int, list[Costing]] = {}

    @property
    def currency(self) -> str:
        """The currency of the newest render that has a cost; empty if there is none."""
        return self._newest[0].currency if self._newest else ""

    def per_frame(self, *, template_id: int | None, kind: str) -> float | None:
        """Return the mean cost of a frame of this template and kind, else of this kind; for a still, of one still.

        None if no render of this kind has succeeded lately.
        """
        newest = [costing for costing in self._newest if costing.kind == kind]
        same = [costing for costing in newest if costing.template_id == template_id]
        if not same and template_id is not None:
            same = [costing for costing in self._made_with(template_id) if costing.kind == kind]
        sample = (same or newest)[:SAMPLE]
        frames = sum(costing.frames for costing in sample)
        return sum(costing.cost for costing in sample) / frames if frames else None

    def estimate(self, render: Render) -> float | None:
        """Return what a render, which need not be saved, will probably cost; None if there is nothing to go by."""
        rate = self.per_frame(template_id=render.template_id, kind=render.kind)
        return None if rate is None else rate * _frames(render)

    def _made_with(self, template_id: int) -> list[Costing]:
        if template_id not in self._of_template:
            made = Render.objects.filter(template=template_id).order_by("-created_at", "-id")
            self._of_template[template_id] = _costings(made[:NEWEST_OF_TEMPLATE])
        return self._of_template[template_id]


def _costings(renders: RenderQuerySet) -> list[Costing]:
    rows = renders.annotate(frames=FRAMES).values_list("status", *Costing._fields)
    return [Costing(*row) for status, *row in rows if status == Render.Status.SUCCEEDED and row[2] is not None]


def _frames(render: Render) -> int:
    if render.kind == Render.Kind.STILL:
        return 1
    of_template = render.template.duration_in_frames if render.template else None
    return render.duration_in_frames or of_template or DEFAULT_LENGTH
