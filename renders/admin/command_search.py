"""What the command palette finds besides pages: renders, batches, owners, templates, keys; each by its permission."""

from collections.abc import Iterator
from urllib.parse import urlencode

from django.conf import settings
from django.contrib.auth import get_user_model
from django.db.models import Q
from django.http import HttpRequest
from django.urls import reverse
from knox.settings import CONSTANTS
from unfold.dataclasses import SearchResult

from renders.admin.ids import uuids
from renders.models import ApiKey, Batch, Render, Template
from renders.services.search import ids_matching

MAX_OF_EACH = 8
KEY_PREFIX = str(settings.REST_KNOX["TOKEN_PREFIX"])


def results(request: HttpRequest, text: str) -> list[SearchResult]:
    """Return the rows that ``text`` names: the beginning of a render's id, or a part of a name or e-mail address."""
    may = request.user.has_perm
    found: list[SearchResult] = []
    if may("renders.view_render"):
        found += _renders(text)
        found += _owners(text)
    if may("renders.view_batch"):
        found += _batches(text)
    if may("renders.view_template"):
        found += _templates(text)
    if may("auth.view_user"):
        found += _users(text)
    if may("renders.view_apikey"):
        found += _keys(text)
    return found


def _renders(text: str) -> Iterator[SearchResult]:
    renders = Render.objects.filter(pk__in=ids_matching(text)).order_by("-created_at", "-id")
    for render in renders.select_related("owner").only("render_id", "status", "owner__username")[:MAX_OF_EACH]:
        owner = render.owner.get_username() if render.owner else "no owner"
        about = f"Render of {owner}, {render.get_status_display().lower()}"
        yield _result(render.render_id or str(render.pk), about, "movie", "render", render.pk)


def _batches(text: str) -> Iterator[SearchResult]:
    for batch in Batch.objects.filter(pk__in=uuids([text])):
        yield _result(str(batch.pk), "Batch", "stacks", "batch", batch.pk)


def _owners(text: str) -> Iterator[SearchResult]:
    address = reverse("admin:renders_render_changelist")
    for user in _matching_users(text):
        link = f"{address}?{urlencode({'owner__id__exact': user.pk})}"
        yield SearchResult(title=user.get_username(), description="Their renders", link=link, icon="movie")


def _users(text: str) -> Iterator[SearchResult]:
    for user in _matching_users(text):
        link = reverse("admin:auth_user_change", args=[user.pk])
        yield SearchResult(title=user.get_username(), description=f"User {user.email}", link=link, icon="person")


def _matching_users(text: str) -> list:
    named = Q(username__icontains=text) | Q(email__icontains=text)
    return list(get_user_model().objects.filter(named).order_by("username")[:MAX_OF_EACH])


def _templates(text: str) -> Iterator[SearchResult]:
    named = Q(name__icontains=text) | Q(title__icontains=text)
    for template in Template.objects.filter(named).only("name", "title")[:MAX_OF_EACH]:
        about = f"Template, {template.title}" if template.title else "Template"
        yield _result(template.name, about, "dashboard_customize", "template", template.pk)


def _keys(text: str) -> Iterator[SearchResult]:
    if not text.startswith(KEY_PREFIX) or len(text) <= len(KEY_PREFIX):
        return
    beginning = text[: CONSTANTS.TOKEN_KEY_LENGTH]
    for key in ApiKey.objects.filter(token_key__startswith=beginning).select_related("user")[:MAX_OF_EACH]:
        yield _result(str(key), f"API key of {key.user.get_username()}", "key", "apikey", key.pk)


def _result(title: str, about: str, icon: str, model: str, pk: object) -> SearchResult:
    link = reverse(f"admin:renders_{model}_change", args=[pk])
    return SearchResult(title=title, description=about, link=link, icon=icon)
