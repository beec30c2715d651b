"""The admin of renders: its list, its page, its actions."""

from django.contrib import admin

from renders.admin.renders.actions import RenderActions
from renders.admin.renders.columns import RenderColumns
from renders.admin.renders.list import RenderList
from renders.admin.renders.page import RenderPage
from renders.models import Render


@admin.register(Render)
class RenderAdmin(RenderList, RenderPage, RenderActions, RenderColumns):
    """Renders, found and read."""
