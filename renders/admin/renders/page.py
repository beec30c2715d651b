"""A render's page: its output, how it is and why, what happened to it, and all that is known of it."""

from typing import Any

from django.contrib import admin
from django.contrib.admin.utils import display_for_value
from django.http import HttpRequest, HttpResponse

from renders.admin.display import NOTHING, money
from renders.admin.highlight import highlight_code, highlight_json
from renders.admin.renders.buttons import buttons_of
from renders.admin.renders.errors import errors_of
from renders.admin.renders.facts import facts_of, links_of
from renders.admin.renders.live import live_markup, live_states
from renders.admin.renders.presses import RenderPresses
from renders.admin.renders.timeline import shown_timeline, who_cancelled
from renders.models import RefreshState, Render
from renders.remotion.codecs import media_type
from renders.remotion.errors import RemotionError
from renders.services.explain import explain
from renders.services.outputs import sign_output
from renders.services.retry_chain import retry_chain
from renders.services.usage.reckoning import reckoning


class RenderPage(RenderPresses):
    """What people ask is on top; each field of the row is below, folded."""

    fieldsets = (
        (
            "Request",
            {
                "fields": (
                    ("kind", "composition", "frame"),
                    ("codec", "width", "height"),
                    ("priority", "retry_of", "poster_of"),
                    ("external_id", "webhook_url"),
                )
            },
        ),
        (
            "Remotion Lambda",
            {
                "fields": (
                    ("render_id", "bucket_name"),
                    ("function_name", "function_timeout"),
                    ("region", "remotion_version"),
                    ("frames_per_lambda", "concurrency", "slots_needed"),
                    "serve_url",
                )
            },
        ),
        (
            "Result",
            {
                "fields": (
                    ("status", "failure_reason", "frames_rendered"),
                    "error",
                    ("output_bucket", "output_key", "output_size"),
                )
            },
        ),
        (
            "Times",
            {
                "fields": (
                    ("created_at", "submitted_at", "first_frame_at"),
                    ("progressed_at", "last_refresh_shown", "next_refresh_shown"),
                    ("cancel_requested_at", "deadline_at", "finished_at"),
                )
            },
        ),
    )

    def render_change_form(
        self,
        request: HttpRequest,
        context: dict[str, Any],
        add: bool = False,
        change: bool = False,
        form_url: str = "",
        obj: Render | None = None,
    ) -> HttpResponse:
        if obj is not None:
            context |= {"page": _page(request, obj), "render": obj}
        return super().render_change_form(request, context, add, change, form_url, obj)

    @admin.display(description="Last refresh")
    def last_refresh_shown(self, render: Render) -> str:
        return display_for_value(render.last_read_at, NOTHING)

    @admin.display(description="Next refresh")
    def next_refresh_shown(self, render: Render) -> str:
        state: RefreshState | None = getattr(render, "refresh_state", None)
        return display_for_value(state and state.next_refresh_at, NOTHING)


def _page(request: HttpRequest, render: Render) -> dict[str, Any]:
    """Return what the template shows."""
    chain = retry_chain(render)
    happened = shown_timeline(request, render)
    states = live_states(chain)
    state = states[render.pk]
    input_props = dict(render.input_props)
    code = input_props.pop("code") if isinstance(input_props.get("code"), str) else None
    return {
        "state": state,
        "live": live_markup(render, {**state, "note": state["note"] if render.status == Render.Status.QUEUED else ""}),
        "explanation": explain(render, cancelled_by=who_cancelled(happened)),
        "buttons": buttons_of(request, render),
        "output": _output(render),
        "facts": facts_of(request, render),
        "links": links_of(request, render),
        "timeline": happened,
        "cost": money(render.cost, render.currency),
        "reckoning": [(line, f"{line.amount:,.6f}") for line in reckoning(render)],
        "chain": [(row, states[row.pk], money(row.cost, row.currency)) for row in chain] if chain[1:] else [],
        "cost_of_all": _cost_of_all(chain),
        "code": highlight_code(code) if code is not None else "",
        "input_props": highlight_json(input_props),
        "options": highlight_json(render.options) if render.options else "",
        "errors": errors_of(render),
    }


def _cost_of_all(chain: list[Render]) -> str:
    known = [row for row in chain if row.cost is not None]
    return money(sum(row.cost or 0 for row in known), known[0].currency) if known else NOTHING


def _output(render: Render) -> dict[str, str]:
    """Return what shows the output, its address and its poster's; or why there is none; empty if none is expected."""
    if render.status != Render.Status.SUCCEEDED or render.is_expired:
        return {}
    try:
        poster = render.poster
        shown = sign_output(poster) if poster else None
        return {"url": sign_output(render) or "", "shown_as": media_type(render.extension), "poster": shown or ""}
    except RemotionError as err:
        return {"problem": str(err)}
