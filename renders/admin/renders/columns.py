"""Columns of the list of renders that need no more than the row."""

from django.contrib import admin

from renders.admin.display import money, seconds
from renders.models import Render


def name_of(render: Render) -> str:
    """Return the renderId, or the beginning of our id until there is one."""
    return render.render_id or f"{str(render.id)[:8]}…"


class RenderColumns:
    """Methods that the admin names as fields."""

    @admin.display(description="Duration")
    def duration_shown(self, render: Render) -> str:
        return seconds(render.duration)

    @admin.display(description="Cost")
    def cost_shown(self, render: Render) -> str:
        return money(render.cost, render.currency)
