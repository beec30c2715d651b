import pytest
from django.contrib.auth.models import User
from django.test import Client

from renders.models import Batch, Event
from tests.factories import make_render

pytestmark = pytest.mark.django_db
LIST = "/admin/renders/event/"


@pytest.fixture
def events(user: User) -> list[Event]:
    render, batch = make_render(render_id="abc123defg", owner=user), Batch.objects.create()
    return [
        Event.objects.create(type="render.started", owner=user, render=render, data={"id": "<b>"}),
        Event.objects.create(type="batch.completed", batch=batch, data={}),
    ]


def shown(client: Client, query: str = "") -> list[Event]:
    answer = client.get(LIST + query)
    assert answer.status_code == 200
    return list(answer.context["cl"].result_list)


class TestList:
    def test_begins_with_the_newest(self, admin: Client, events: list[Event]) -> None:
        assert shown(admin) == events[::-1]

    def test_finds_those_of_a_render_by_either_id_and_of_a_batch(self, admin: Client, events: list[Event]) -> None:
        assert shown(admin, "?q=abc123defg") == shown(admin, f"?q={events[0].render_id}") == events[:1]
        assert shown(admin, f"?q={events[1].batch_id}") == events[1:]
        assert shown(admin, "?q=nonsense") == []

    def test_shows_those_of_one_owner(self, admin: Client, events: list[Event], user: User) -> None:
        assert shown(admin, f"?owner__id__exact={user.pk}") == events[:1]

    def test_asks_for_no_row_again(
        self, admin: Client, events: list[Event], django_assert_max_num_queries: pytest.FixtureRequest
    ) -> None:
        shown(admin)
        for number in range(5):
            render = make_render(owner=User.objects.create_user(f"user{number}"))
            Event.objects.create(type="render.started", owner=render.owner, render=render, data={})
        with django_assert_max_num_queries(6):  # type: ignore[operator]
            shown(admin)


class TestPage:
    def test_shows_what_it_says_and_is_read_only(self, admin: Client, events: list[Event]) -> None:
        content = admin.get(f"{LIST}{events[0].pk}/change/").content.decode()
        assert "&lt;b&gt;" in content
        assert 'name="_save"' not in content
        assert admin.get(f"{LIST}add/").status_code == 403
