from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import User
from django.test import Client

from renders.models import Batch, Render
from tests.factories import grant, make_render

pytestmark = pytest.mark.django_db
LIST = "/admin/renders/batch/"
Status = Render.Status


@pytest.fixture
def batch(user: User) -> Batch:
    """One that is under way: two of four have ended."""
    batch = Batch.objects.create(owner=user, results=[{"status": 400, "error": "<b>inputProps</b>: Give a title."}])
    for status in (Status.QUEUED, Status.QUEUED, Status.SUCCEEDED, Status.FAILED):
        make_render(status, owner=user, batch=batch, error="It broke." if status == Status.FAILED else "")
    return batch


def page(client: Client, address: str) -> str:
    answer = client.get(address)
    assert answer.status_code == 200
    return answer.content.decode()


class TestList:
    def test_shows_how_far_each_is_by_few_queries(
        self, admin: Client, batch: Batch, django_assert_max_num_queries: Any
    ) -> None:
        page(admin, LIST)
        for number in range(5):
            other = Batch.objects.create()
            make_render(Status.FAILED if number else Status.SUCCEEDED, batch=other)
        with django_assert_max_num_queries(9):
            content = page(admin, LIST)
        assert ">2 of 4 ended<" in content
        assert content.count(">1 of 1 ended<") == 5

    @pytest.mark.parametrize(("state", "count"), [("active", 1), ("complete", 1), ("x", 2), ("", 2)])
    def test_filters_by_state(self, admin: Client, batch: Batch, state: str, count: int) -> None:
        Batch.objects.create(completed_at=batch.created_at)
        assert admin.get(f"{LIST}?state={state}").context["cl"].result_count == count

    def test_finds_one_by_its_id_and_by_that_of_a_render(self, admin: Client, batch: Batch) -> None:
        Batch.objects.create()
        for text in (batch.pk, Render.objects.filter(batch=batch)[0].pk):
            assert list(admin.get(f"{LIST}?q={text}").context["cl"].result_list) == [batch]
        assert admin.get(f"{LIST}?q=nonsense").context["cl"].result_count == 0


class TestPage:
    def test_shows_its_renders_those_that_failed_first(self, admin: Client, batch: Batch) -> None:
        content = page(admin, f"{LIST}{batch.pk}/change/")
        places = [
            content.index(f"/admin/renders/render/{render.pk}/change/")
            for status in (Status.FAILED, Status.SUCCEEDED)
            for render in Render.objects.filter(batch=batch, status=status)
        ]
        assert len(places) == 2
        assert places == sorted(places)
        assert "It broke." in content
        assert "Failed: render error" in content
        assert f"batch__id__exact={batch.pk}" in content

    def test_shows_what_was_refused_and_escapes_it(self, admin: Client, batch: Batch) -> None:
        content = page(admin, f"{LIST}{batch.pk}/change/")
        assert "Item 1: &lt;b&gt;inputProps&lt;/b&gt;: Give a title." in content

    def test_is_read_only(self, admin: Client, batch: Batch) -> None:
        assert 'name="_save"' not in page(admin, f"{LIST}{batch.pk}/change/")
        assert admin.get(f"{LIST}add/").status_code == 403
        assert admin.get(f"{LIST}{batch.pk}/delete/").status_code == 403


class TestCancel:
    def test_asks_first(self, admin: Client, batch: Batch) -> None:
        content = page(admin, f"{LIST}{batch.pk}/cancel/")
        assert "cannot be undone" in content
        batch.refresh_from_db()
        assert batch.cancel_requested_at is None

    def test_cancels_what_is_left_and_is_in_the_log(self, admin: Client, batch: Batch) -> None:
        address = f"{LIST}{batch.pk}/cancel/"
        answer = admin.post(address, {"_form_submitted": "True"})
        assert (answer.status_code, answer["Location"]) == (302, f"{LIST}{batch.pk}/change/")
        assert Render.objects.filter(batch=batch, status=Status.CANCELLED).count() == 2
        assert LogEntry.objects.get().get_change_message() == "Cancelled."
        answer = admin.post(address, {"_form_submitted": "True"}, headers={"HX-Request": "true"})
        assert answer["HX-Redirect"] == f"{LIST}{batch.pk}/change/"

    def test_one_that_is_complete_cannot_be(self, admin: Client, batch: Batch) -> None:
        address = f"{LIST}{batch.pk}/change/"
        assert "Cancel the batch" in page(admin, address)
        Batch.objects.update(completed_at=batch.created_at)
        assert "Cancel the batch" not in page(admin, address)

    def test_several_from_the_list(self, admin: Client, batch: Batch) -> None:
        body = {"action": "cancel_selected", "_selected_action": [batch.pk]}
        assert "1 cancelled" in admin.post(LIST, body, follow=True).content.decode()
        assert Render.objects.filter(batch=batch, status=Status.CANCELLED).count() == 2

    def test_needs_the_permission(self, client: Client, batch: Batch) -> None:
        sam = User.objects.create_user("sam", is_staff=True)
        grant(sam, "view_batch", "view_render")
        client.force_login(sam)
        assert "Cancel the batch" not in page(client, f"{LIST}{batch.pk}/change/")
        assert client.post(f"{LIST}{batch.pk}/cancel/", {"_form_submitted": "True"}).status_code == 403
        assert Render.objects.filter(batch=batch, status=Status.CANCELLED).count() == 0

    def test_one_that_there_is_not(self, admin: Client) -> None:
        missing = "00000000-0000-4000-8000-000000000000"
        assert admin.post(f"{LIST}{missing}/cancel/", {"_form_submitted": "True"}).status_code == 404
