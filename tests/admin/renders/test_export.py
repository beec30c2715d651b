"""The list of renders as CSV."""

import csv
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone

from renders.admin.renders import export
from renders.models import Render
from tests.factories import make_render, make_template

pytestmark = pytest.mark.django_db
EXPORT = "/admin/renders/render/export/"
Status = Render.Status


def rows(admin: Client, query: str = "") -> list[dict[str, str]]:
    response: Any = admin.get(f"{EXPORT}?{query}")
    assert response.status_code == 200
    assert response.headers["Content-Type"] == "text/csv; charset=utf-8"
    lines = b"".join(response.streaming_content).decode().splitlines()
    return list(csv.DictReader(lines))


def test_has_what_the_list_shows(admin: Client, user: User) -> None:
    render = make_render(
        Status.SUCCEEDED, owner=user, template=make_template(), cost=0.5, currency="USD", external_id="order 1"
    )
    (row,) = rows(admin)
    assert row["Id"] == str(render.pk)
    assert (row["Owner"], row["Template"], row["External id"]) == ("ada", "promo", "order 1")
    assert (row["Cost"], row["Currency"], row["Length in seconds"]) == ("0.5", "USD", "5.0")
    assert row["Created"] == render.created_at.isoformat(timespec="seconds")


def test_times_are_to_the_millisecond(admin: Client) -> None:
    at = timezone.now()
    times = {"submitted_at": at, "finished_at": at + timedelta(microseconds=1234567)}
    make_render(Status.SUCCEEDED, duration_in_frames=20, options={}, fps=30, **times)
    (row,) = rows(admin)
    assert (row["Length in seconds"], row["Render time in seconds"]) == ("0.667", "1.235")


def test_is_filtered_searched_and_ordered_as_the_list(admin: Client, user: User) -> None:
    failed = [make_render(Status.FAILED, owner=user) for _ in range(60)]
    make_render(owner=user)
    make_render(Status.FAILED)
    exported = [row["Id"] for row in rows(admin, "q=ada&status__exact=failed")]
    assert exported == [str(render.pk) for render in reversed(failed)]
    assert [row["Id"] for row in rows(admin, "tab=active&q=ada")] == [str(Render.objects.active().get().pk)]


def test_asks_no_more_for_many_renders(admin: Client, user: User, django_assert_num_queries: Any) -> None:
    for _ in range(5):
        make_render(Status.SUCCEEDED, owner=user, template=make_template(name=f"t{_}"))
    with django_assert_num_queries(3):  # the session, its user, the renders
        assert len(rows(admin)) == 5


@pytest.mark.parametrize("count", [3, 4])
def test_comes_in_parts(admin: Client, monkeypatch: pytest.MonkeyPatch, count: int) -> None:
    monkeypatch.setattr(export, "CHUNK", 2)
    made = {str(make_render().pk) for _ in range(count)}
    exported = [row["Id"] for row in rows(admin)]
    assert (set(exported), len(exported)) == (made, count)


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1"])
def test_no_text_is_a_formula(admin: Client, text: str) -> None:
    make_render(Status.FAILED, error=text)
    assert rows(admin)[0]["Error"] == f"'{text}"


def test_bad_filters_lead_to_the_list(admin: Client) -> None:
    assert admin.get(f"{EXPORT}?owner__id__exact=x").headers["Location"] == "/admin/renders/render/?e=1"


def test_who_may_not_view_renders_gets_nothing(client: Client, user: User) -> None:
    User.objects.update(is_staff=True)
    client.force_login(user)
    assert client.get(EXPORT).status_code == 403


def test_the_list_links_it_with_its_filters(admin: Client) -> None:
    content = admin.get("/admin/renders/render/?status__exact=failed&tab=active").content.decode()
    assert f'href="{EXPORT}?status__exact=failed&amp;tab=active"' in content
