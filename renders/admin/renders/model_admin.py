"""The admin of renders: its list, its page, its buttons, and the form that starts one."""

from django.contrib import admin

from renders.admin.renders.actions import RenderActions
from renders.admin.renders.columns import RenderColumns
from renders.admin.renders.export import RenderExport
from renders.admin.renders.list import RenderList
from renders.admin.renders.live import LiveRenders
from renders.admin.renders.page import RenderPage
from renders.admin.renders.pictures import RenderPictures
from renders.admin.renders.start import RenderStart
from renders.models import Render


@admin.register(Render)
class RenderAdmin(
    RenderStart,
    RenderList,
    RenderPage,
    RenderActions,
    RenderColumns,
    LiveRenders,
    RenderPictures,
    RenderExport,
):
    """Renders, started, found and read."""
