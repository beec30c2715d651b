"""Filters of the list of renders."""

from datetime import UTC, datetime, timedelta

import pytest
from django.contrib.auth.models import User
from django.test import Client

from renders.models import Render
from tests.admin.renders.test_list import LIST, ids, shown
from tests.factories import make_render, make_template

pytestmark = pytest.mark.django_db
Status = Render.Status


def found(admin: Client, query: str) -> list[str]:
    return shown(admin.get(f"{LIST}?{query}").content.decode())


def test_by_status_and_reason(admin: Client) -> None:
    lost, failed = make_render(Status.FAILED, failure_reason="lost"), make_render(Status.FAILED)
    make_render()
    assert found(admin, "status__exact=failed") == ids(failed, lost)
    assert found(admin, "failure_reason__exact=lost") == ids(lost)


def test_those_without_owner_to_which_the_dashboard_leads(admin: Client, user: User) -> None:
    make_render(owner=user)
    of_nobody = make_render(owner=None)
    assert found(admin, "owner__isnull=True") == ids(of_nobody)


def test_by_owner_and_template(admin: Client, user: User) -> None:
    template = make_template()
    both, owned = make_render(owner=user, template=template), make_render(owner=user)
    make_render(template=template)
    assert found(admin, f"owner__id__exact={user.pk}") == ids(owned, both)
    assert found(admin, f"owner__id__exact={user.pk}&template__id__exact={template.pk}") == ids(both)


def test_by_days_the_last_one_included(admin: Client) -> None:
    noon = datetime(2026, 3, 4, 12, tzinfo=UTC)
    before, first, last, after = (make_render(created_at=noon + timedelta(days=day)) for day in range(4))
    assert found(admin, "created_from=2026-03-05&created_to=2026-03-06") == ids(last, first)
    assert found(admin, "created_from=2026-03-06") == ids(after, last)
    assert found(admin, "created_to=2026-03-04") == ids(before)


def test_what_is_not_filled_in_filters_nothing(admin: Client) -> None:
    render = make_render()
    query = "status__exact=&failure_reason__exact=&owner__id__exact=&template__id__exact=&created_from=&created_to="
    assert found(admin, query) == ids(render)


@pytest.mark.parametrize("value", ["yesterday", "2026-13-01", "2026-02-30"])
def test_a_day_that_is_none_is_told_beside_the_field(admin: Client, value: str) -> None:
    make_render()
    content = admin.get(f"{LIST}?created_from={value}").content.decode()
    assert "Enter a valid date." in content
    assert shown(content) == []


@pytest.mark.parametrize("day", ["0001-01-01", "9999-12-31"])
def test_the_first_and_the_last_day_there_are(admin: Client, day: str) -> None:
    make_render()
    assert admin.get(f"{LIST}?created_from={day}&created_to={day}").status_code == 200


@pytest.mark.parametrize("value", ["x", "-1", "99999999999999999999", "²", "1.5"])
@pytest.mark.parametrize("name", ["owner__id__exact", "template__id__exact"])
def test_a_key_that_is_none_leads_to_the_list(admin: Client, name: str, value: str) -> None:
    assert admin.get(f"{LIST}?{name}={value}").headers["Location"] == f"{LIST}?e=1"


def test_a_key_of_nobody_shows_nothing(admin: Client) -> None:
    make_render()
    assert found(admin, "owner__id__exact=99999") == []
    assert found(admin, "template__id__exact=99999") == []


def test_a_form_offers_all_of_them_and_keeps_what_is_set(admin: Client, user: User) -> None:
    query = f"q=boom&tab=active&status__exact=failed&owner__id__exact={user.pk}&created_from=2026-03-05"
    content = admin.get(f"{LIST}?{query}").content.decode()
    form = content[content.index('id="filter-form"') :]
    assert 'name="q" value="boom"' in form
    assert 'name="tab" value="active"' in form
    assert 'value="2026-03-05"' in form
    assert f'<option value="{user.pk}" selected>ada</option>' in form
    for name in ("status__exact", "failure_reason__exact", "owner__id__exact", "template__id__exact", "created_to"):
        assert f'name="{name}"' in form
