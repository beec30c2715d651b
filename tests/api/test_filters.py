"""GET /api/renders/ by its filters, and what goes together."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.utils import timezone
from rest_framework.exceptions import ValidationError
from rest_framework.test import APIClient

from renders.api.renders.filters import FILTERS, RANGES, SERVED, require_served
from renders.models import Batch, Render, RenderMetadata
from tests.factories import grant, make_render, make_template

pytestmark = pytest.mark.django_db
PATH = "/api/renders/"
START = datetime(2026, 1, 1, tzinfo=UTC)
Status = Render.Status


def at(hours: float) -> datetime:
    return START + timedelta(hours=hours)


def text(hours: float) -> str:
    return at(hours).isoformat().replace("+00:00", "Z")


def ids(api: APIClient, **query: str) -> list[str]:
    """Return the ids of all pages of two."""
    found, following = [], PATH
    parameters: dict[str, str] | None = {"pageSize": "2", **query}
    while following:
        response = api.get(following, parameters)
        assert response.status_code == 200, response.content
        found += [row["id"] for row in response.json()["results"]]
        following, parameters = response.json()["next"], None
    return found


def marked(metadata: dict[str, str], **fields: Any) -> Render:
    render = make_render(Status.SUCCEEDED, metadata=metadata, **fields)
    RenderMetadata.objects.store([render])
    return render


def made(user: User, name: str) -> tuple[list[Render], dict[str, str]]:
    """Five renders of the user that a filter finds, the newest first, others that it does not, and the filter."""
    times = [at(hour) for hour in (5, 4, 3, 3, 1)]

    def mine(status: str, **fields: Any) -> list[Render]:
        ended = [time if status in Render.TERMINAL else None for time in times]
        return [
            make_render(status, owner=user, created_at=time, finished_at=end, **fields)
            for time, end in zip(times, ended, strict=True)
        ]

    make_render(Status.SUCCEEDED, owner=user, created_at=at(2), finished_at=at(9))
    if name == "metadata":
        marked({"shop": "a:b"}, created_at=at(4))  # another owner's
        marked({"shop": "other"}, owner=user, created_at=at(4))
        return [marked({"shop": "a:b"}, owner=user, created_at=time) for time in times], {name: "shop:a:b"}
    if name == "stalled":
        ago, now = timezone.now() - timedelta(hours=1), timezone.now()
        make_render(owner=user, submitted_at=ago, progressed_at=now, answered_at=now)
        return mine(Status.RENDERING, submitted_at=ago, answered_at=now), {name: "true"}
    batch = Batch.objects.create(owner=user)
    kinds: dict[str, tuple[str, dict[str, Any], str]] = {
        "status": (Status.FAILED, {}, "failed"),
        "template": (Status.SUCCEEDED, {"template": make_template()}, "promo"),
        "kind": (Status.SUCCEEDED, {"kind": "still", "frame": 0}, "still"),
        "externalId": (Status.SUCCEEDED, {"external_id": "order 1"}, "order 1"),
        "batch": (Status.SUCCEEDED, {"batch": batch}, str(batch.pk)),
    }
    status, fields, value = kinds[name]
    return mine(status, **fields), {name: value}


class TestEachFilter:
    @pytest.mark.parametrize("name", FILTERS)
    def test_finds_page_by_page_what_it_says_newest_first(self, api: APIClient, user: User, name: str) -> None:
        renders, query = made(user, name)
        found = ids(api, **query)
        assert sorted(found) == sorted(str(render.pk) for render in renders)
        times = {str(render.pk): render.created_at for render in renders}
        assert [times[pk] for pk in found] == sorted(times.values(), reverse=True)

    @pytest.mark.parametrize("name", FILTERS)
    def test_within_a_time(self, api: APIClient, user: User, name: str) -> None:
        renders, query = made(user, name)
        found = ids(api, **query, createdAfter=text(3), createdBefore=text(5))
        assert sorted(found) == sorted(str(render.pk) for render in renders[1:4])

    @pytest.mark.parametrize("name", FILTERS)
    def test_shows_nothing_of_another_owner(self, user: User, name: str) -> None:
        _, query = made(user, name)
        other = APIClient()
        other.force_authenticate(User.objects.create_user("eve"))
        assert ids(other, **query) == []

    @pytest.mark.parametrize("name", FILTERS)
    def test_pages_lead_back(self, api: APIClient, user: User, name: str) -> None:
        _, query = made(user, name)
        first = api.get(PATH, {"pageSize": "2", **query}).json()
        second = api.get(first["next"]).json()
        assert [row["id"] for row in api.get(second["previous"]).json()["results"]] == [
            row["id"] for row in first["results"]
        ]

    @pytest.mark.parametrize("name", FILTERS)
    def test_of_one_owner_for_staff(self, staff: User, user: User, name: str) -> None:
        renders, query = made(user, name)
        api = APIClient()
        api.force_authenticate(staff)
        assert sorted(ids(api, **query, owner="ada")) == sorted(str(render.pk) for render in renders)
        assert ids(api, **query, owner="grace") == []


class TestSeveralStatuses:
    def test_are_merged(self, api: APIClient, user: User) -> None:
        for hour, status in enumerate([Status.FAILED, Status.CANCELLED, Status.SUCCEEDED, Status.FAILED] * 2):
            finished = {"finished_at": at(hour)} if status in Render.TERMINAL else {}
            make_render(status, owner=user, created_at=at(hour), **finished)
        expected = Render.objects.exclude(status="succeeded").values_list("pk", flat=True)
        assert ids(api, status="failed,cancelled,failed") == [str(pk) for pk in expected]
        everything = Render.objects.values_list("pk", flat=True)
        assert ids(api, status=",".join(Status.values)) == [str(pk) for pk in everything]

    @pytest.mark.parametrize("status", ["", ",", "failed,", "dancing", "failed cancelled"])
    def test_one_that_is_none_is_told(self, api: APIClient, status: str) -> None:
        response = api.get(PATH, {"status": status})
        assert (response.status_code, list(response.json()["details"])) == (400, ["status"])


class TestByEnd:
    def test_the_last_that_ended_come_first(self, api: APIClient, user: User) -> None:
        ended = [
            make_render(Status.SUCCEEDED, owner=user, created_at=at(-hour), finished_at=at(hour)) for hour in range(5)
        ]
        make_render(owner=user)
        make_render(Status.SUCCEEDED, finished_at=at(2))
        assert ids(api, finishedAfter=text(1)) == [str(render.pk) for render in reversed(ended[1:])]
        assert ids(api, finishedBefore=text(3)) == [str(render.pk) for render in reversed(ended[:3])]
        assert ids(api, finishedAfter=text(1), finishedBefore=text(2)) == [str(ended[1].pk)]

    @pytest.mark.parametrize("name", RANGES)
    @pytest.mark.parametrize("value", ["", "yesterday", "2026-13-01", "2026-01", "9999-12-31T23:59:59-23:59"])
    def test_a_time_that_is_none_is_told(self, api: APIClient, name: str, value: str) -> None:
        response = api.get(PATH, {name: value})
        assert (response.status_code, list(response.json()["details"])) == (400, [name])


class TestWhatGoesTogether:
    @pytest.mark.parametrize(
        "query",
        [
            {"status": "failed", "template": "promo"},
            {"status": "failed", "metadata": "a:b"},
            {"kind": "still", "externalId": "a"},
            {"stalled": "true", "status": "failed"},
            {"status": "failed", "finishedAfter": "2026-01-01T00:00:00Z"},
            {"createdAfter": "2026-01-01T00:00:00Z", "finishedAfter": "2026-01-01T00:00:00Z"},
            {"batch": "6f8a7a2e-0000-4000-8000-000000000000", "metadata": "a:b"},
        ],
    )
    def test_what_no_index_serves_is_refused_with_what_to_use(self, api: APIClient, query: dict[str, str]) -> None:
        response = api.get(PATH, query)
        assert response.status_code == 400
        assert "No index serves" in response.json()["error"]
        assert "Send one of status" in response.json()["error"]

    @pytest.mark.parametrize("query", [{"kind": "still"}, {"metadata": "a:b"}])
    def test_what_an_index_serves_for_one_owner_only_asks_for_it(self, staff: User, query: dict[str, str]) -> None:
        api = APIClient()
        api.force_authenticate(staff)
        response = api.get(PATH, query)
        assert (response.status_code, list(response.json()["details"])) == (400, ["owner"])

    def test_a_batch_goes_with_others(self, api: APIClient, user: User) -> None:
        batch = Batch.objects.create(owner=user)
        template = make_template()
        wanted = make_render(Status.FAILED, owner=user, batch=batch, template=template, external_id="a")
        make_render(Status.FAILED, owner=user, batch=batch, template=template)
        make_render(Status.SUCCEEDED, owner=user, batch=batch, external_id="a", kind="still", frame=0)
        query = {"batch": str(batch.pk), "status": "failed,cancelled", "template": "promo", "externalId": "a"}
        assert ids(api, **query) == [str(wanted.pk)]
        assert len(ids(api, batch=str(batch.pk), kind="video")) == 2

    def test_each_row_of_the_table_is_taken(self) -> None:
        for served in SERVED:
            query = {name: "x" for name in (served.name, *served.ranges, *served.also) if name}
            require_served(query, of_one_owner=True)

    def test_no_pair_of_filters_is_taken_but_with_a_batch(self) -> None:
        for first in FILTERS:
            for second in FILTERS:
                if first != second and "batch" not in (first, second):
                    with pytest.raises(ValidationError):
                        require_served({first: "x", second: "x"}, of_one_owner=True)


class TestOwner:
    def test_your_own_name_does(self, api: APIClient, user: User) -> None:
        render = make_render(owner=user)
        assert ids(api, owner="ada") == [str(render.pk)]

    def test_that_of_others_takes_the_permission(self, api: APIClient, user: User) -> None:
        eve = User.objects.create_user("eve")
        render = make_render(owner=eve)
        assert api.get(PATH, {"owner": "eve"}).status_code == 403
        assert api.get(PATH, {"owner": "nobody"}).status_code == 403
        grant(user, "view_render")
        api.force_authenticate(User.objects.get(pk=user.pk))
        assert ids(api, owner="eve") == [str(render.pk)]
        assert api.get(PATH, {"owner": "nobody"}).status_code == 400


@pytest.mark.parametrize(
    "query",
    [{"metadata": "shop"}, {"metadata": ":a"}, {"stalled": "false"}, {"batch": "x"}, {"kind": "x"}, {"template": "x"}],
)
def test_a_filter_that_cannot_be_read_is_told(api: APIClient, query: dict[str, str]) -> None:
    response = api.get(PATH, query)
    assert (response.status_code, list(response.json()["details"])) == (400, list(query))


def test_stalled_agrees_with_the_row(api: APIClient, user: User, settings: Any) -> None:
    now = timezone.now()
    limit = timedelta(seconds=settings.REMOTION_STALL_SECONDS)
    reads: tuple[dict[str, Any], ...] = ({"answered_at": now}, {"refreshed_at": now}, {})
    for moved in (limit - timedelta(seconds=1), limit + timedelta(seconds=1)):
        for has_moved in (True, False):
            for is_read in reads:
                progressed = now - moved if has_moved else None
                make_render(owner=user, submitted_at=now - moved, progressed_at=progressed, **is_read)
    renders = Render.objects.select_related("refresh_state")
    expected = {str(render.pk) for render in renders if render.is_stalled}
    assert len(expected) == 4
    assert set(ids(api, stalled="true")) == expected
