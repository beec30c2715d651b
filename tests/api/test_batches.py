"""/api/batches/."""

from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.utils import timezone
from rest_framework.test import APIClient

from renders.models import ApiKey, Batch, Event, Render, RenderMetadata, Scope
from renders.services.idempotency import IDEMPOTENCY_KEY_TTL
from tests.api.requests import post
from tests.factories import BODY, grant, make_render, make_template
from tests.servers import ScriptedServer

pytestmark = pytest.mark.django_db
PATH = "/api/batches/"
Status = Render.Status


def bodies(count: int, **fields: Any) -> dict[str, Any]:
    return {"renders": [{**BODY, "externalId": f"order-{number}", **fields} for number in range(count)]}


class TestCreate:
    def test_all_are_queued_in_order_and_nothing_is_started(
        self, api: APIClient, user: User, aws: ScriptedServer
    ) -> None:
        response = post(api, PATH, bodies(3, metadata={"shop": "a"}))
        shown = response.json()
        assert response.status_code == 202
        assert response["Location"].endswith(f"/api/batches/{shown['id']}")
        rows = Render.objects.order_by("created_at")
        assert shown["results"] == [{"status": 202, "id": str(row.pk)} for row in rows]
        assert [row.external_id for row in Render.objects.queued()] == ["order-0", "order-1", "order-2"]
        assert {(row.status, row.owner_id, str(row.batch_id)) for row in rows} == {("queued", user.pk, shown["id"])}
        assert shown["counts"] == {**dict.fromkeys(Status.values, 0), "queued": 3}
        assert (shown["renders"], shown["progress"], shown["cost"], shown["completedAt"]) == (3, 0.0, None, None)
        assert RenderMetadata.objects.count() == 3
        assert list(Event.objects.values_list("type", flat=True)) == ["render.queued"] * 3
        assert aws.requests == []

    def test_each_item_is_answered_on_its_own(self, api: APIClient, user: User) -> None:
        known = make_render(Status.SUCCEEDED, owner=user, external_id="known")
        items = [
            BODY,
            {"inputProps": {"code": "", "durationInFrames": 1, "fps": 30}},
            {**BODY, "inputPropss": 1},
            {"template": "unknown"},
            {**BODY, "priority": 50},
            {**BODY, "options": {"codec": "cinema"}},
            {**BODY, "externalId": "known", "uniqueExternalId": True},
            {**BODY, "externalId": "new", "uniqueExternalId": True},
            {**BODY, "externalId": "new", "uniqueExternalId": True},
        ]
        results = post(api, PATH, {"renders": items}).json()["results"]
        assert [(result["status"], result.get("code")) for result in results] == [
            (202, None),
            (400, "invalid_request"),
            (400, "unknown_field"),
            (400, "template_unknown"),
            (403, "permission_denied"),
            (400, "invalid_request"),
            (409, "external_id_exists"),
            (202, None),
            (409, "external_id_exists"),
        ]
        assert results[1]["details"]["inputProps"]["code"]
        assert results[6]["id"] == str(known.pk)
        assert results[8]["id"] == results[7]["id"]
        assert Render.objects.filter(batch__isnull=False).count() == 2

    def test_reuse_answers_earlier_renders_and_those_of_the_batch(self, api: APIClient) -> None:
        make_template()
        asked = {"template": "promo", "options": {"concurrency": 2}, "reuse": True}
        first = post(api, "/api/renders/", {**asked, "priority": -1}).json()["id"]
        other = {**asked, "inputProps": {"a": 1}}
        results = post(api, PATH, {"renders": [asked, other, other]}).json()["results"]
        assert [(result["id"], result.get("reused")) for result in results] == [
            (first, True),
            (results[1]["id"], None),
            (results[1]["id"], True),
        ]

    def test_one_of_which_nothing_is_queued_is_complete_at_once(self, api: APIClient) -> None:
        shown = post(api, PATH, {"renders": [{}]}).json()
        assert shown["completedAt"]
        assert (shown["renders"], shown["progress"]) == (0, 1.0)
        assert Event.objects.get().type == "batch.completed"

    @pytest.mark.parametrize("renders", [None, [], {}, "x", [1], [[]], [BODY] * 501])
    def test_a_list_that_does_not_do_is_told(self, api: APIClient, renders: Any) -> None:
        response = post(api, PATH, {"renders": renders})
        assert (response.status_code, list(response.json()["details"])) == (400, ["renders"])
        assert post(api, PATH, {}).status_code == 400
        assert not Batch.objects.exists()

    def test_500_take_a_fixed_number_of_queries(self, api: APIClient, django_assert_max_num_queries: Any) -> None:
        with django_assert_max_num_queries(60):
            assert post(api, PATH, bodies(500, metadata={"shop": "a"})).status_code == 202
        assert Render.objects.queued().count() == 500

    def test_without_credentials_nothing_is_stored(self, api: APIClient, settings: Any) -> None:
        settings.REMOTION_AWS_ACCESS_KEY_ID = ""
        assert post(api, PATH, bodies(1)).status_code == 500
        assert not Batch.objects.exists()


class TestIdempotency:
    def ask(self, api: APIClient, count: int = 2) -> Any:
        return api.post(PATH, bodies(count), format="json", headers={"Idempotency-Key": "k"})

    def test_the_same_request_is_the_same_batch(self, api: APIClient) -> None:
        first, second = self.ask(api), self.ask(api)
        assert second["Idempotency-Replayed"] == "true"
        assert (second.status_code, second.json()) == (202, first.json())
        assert Render.objects.count() == 2

    def test_another_request_is_a_conflict(self, api: APIClient) -> None:
        self.ask(api)
        response = self.ask(api, 3)
        assert (response.status_code, response.json()["code"]) == (409, "idempotency_key_reused")
        assert Batch.objects.count() == 1

    def test_another_owner_has_keys_of_their_own(self, api: APIClient, staff: User) -> None:
        self.ask(api)
        api.force_authenticate(staff)
        assert "Idempotency-Replayed" not in self.ask(api)

    @pytest.mark.parametrize("is_complete", [True, False])
    def test_a_key_expires_when_the_batch_is_old_and_complete(self, api: APIClient, is_complete: bool) -> None:
        self.ask(api)
        Batch.objects.update(
            created_at=timezone.now() - IDEMPOTENCY_KEY_TTL * 1.01,
            completed_at=timezone.now() if is_complete else None,
        )
        assert ("Idempotency-Replayed" in self.ask(api)) != is_complete


class TestRead:
    def test_counts_progress_and_cost_so_far(self, api: APIClient, user: User) -> None:
        batch = Batch.objects.create(owner=user)
        make_render(Status.SUCCEEDED, owner=user, batch=batch, cost=0.25, currency="USD", progress=1)
        make_render(Status.FAILED, owner=user, batch=batch, cost=0.5, currency="USD", progress=0.1)
        make_render(owner=user, batch=batch, progress=0.5)
        make_render(Status.QUEUED, owner=user, batch=batch)
        shown = api.get(f"{PATH}{batch.pk}/").json()
        assert {status: count for status, count in shown["counts"].items() if count} == {
            "succeeded": 1,
            "failed": 1,
            "rendering": 1,
            "queued": 1,
        }
        assert (shown["progress"], shown["cost"], shown["currency"]) == (0.625, 0.75, "USD")

    def test_the_list_is_your_own_newest_first(self, api: APIClient, user: User) -> None:
        batches = [Batch.objects.create(owner=user) for _ in range(3)]
        Batch.objects.create()
        make_render(Status.FAILED, owner=user, batch=batches[0])
        page = api.get(PATH, {"pageSize": 2}).json()
        found = page["results"] + api.get(page["next"]).json()["results"]
        assert [row["id"] for row in found] == [str(batch.pk) for batch in reversed(batches)]
        assert (found[2]["renders"], found[2]["counts"]["failed"], "results" in found[2]) == (1, 1, False)

    def test_queries_do_not_grow_with_the_list(
        self, api: APIClient, user: User, django_assert_num_queries: Any
    ) -> None:
        for _ in range(5):
            make_render(Status.FAILED, owner=user, batch=Batch.objects.create(owner=user))
        with django_assert_num_queries(2):
            api.get(PATH)

    def test_staff_may_list_those_of_others(self, api: APIClient, user: User, staff: User) -> None:
        Batch.objects.create(owner=user)
        api.force_authenticate(staff)
        assert api.get(PATH).json()["results"] == []
        assert len(api.get(PATH, {"owner": "ada"}).json()["results"]) == 1


class TestCancel:
    def test_queued_ones_end_and_running_ones_are_asked_to(self, api: APIClient, user: User) -> None:
        batch_id = post(api, PATH, bodies(3)).json()["id"]
        running = make_render(owner=user, batch_id=batch_id)
        response = post(api, f"{PATH}{batch_id}/cancel/")
        shown = response.json()
        assert (response.status_code, shown["counts"]["cancelled"], shown["completedAt"]) == (202, 3, None)
        assert shown["cancelRequestedAt"]
        running.refresh_from_db()
        assert (running.status, running.cancel_requested_at is None) == ("rendering", False)
        assert running.refresh_state.next_refresh_at <= timezone.now() + timedelta(seconds=2)

    def test_of_queued_ones_only_it_is_complete(self, api: APIClient) -> None:
        batch_id = post(api, PATH, bodies(2)).json()["id"]
        first, second = (post(api, f"{PATH}{batch_id}/cancel/") for _ in range(2))
        assert (first.status_code, second.status_code) == (200, 200)
        assert first.json() == second.json()
        told = list(Event.objects.values_list("type", flat=True))
        assert told == ["render.queued"] * 2 + ["render.cancelled"] * 2 + ["batch.completed"]
        assert Event.objects.latest("id").data["counts"]["cancelled"] == 2


class TestOtherOwners:
    @pytest.mark.parametrize(("method", "path"), [("get", ""), ("post", "cancel/")])
    def test_their_batches_are_not_found(self, api: APIClient, method: str, path: str) -> None:
        batch = Batch.objects.create(owner=User.objects.create_user("eve"))
        render = make_render(Status.QUEUED, owner=batch.owner, batch=batch)
        response = getattr(api, method)(f"{PATH}{batch.pk}/{path}")
        assert (response.status_code, response.json()["error"]) == (404, "There is no such batch.")
        render.refresh_from_db()
        assert render.status == "queued"

    def test_cancelling_takes_the_permission(self, api: APIClient, user: User) -> None:
        batch = Batch.objects.create()
        grant(user, "view_render")
        api.force_authenticate(User.objects.get(pk=user.pk))
        assert api.get(f"{PATH}{batch.pk}/").status_code == 200
        assert post(api, f"{PATH}{batch.pk}/cancel/").status_code == 403

    @pytest.mark.parametrize("pk", ["x", "6f8a7a2e-0000-4000-8000-000000000000"])
    def test_what_there_is_not_is_404(self, api: APIClient, pk: str) -> None:
        assert api.get(f"{PATH}{pk}/").status_code == 404


@pytest.mark.parametrize(("scope", "status"), [(Scope.RENDERS_READ, 403), (Scope.RENDERS_WRITE, 202)])
def test_creating_takes_the_scope(user: User, scope: str, status: int) -> None:
    api = APIClient()
    key = ApiKey(user=user, scopes=[scope])
    key.requests_per_minute = None
    api.force_authenticate(user, token=key)
    assert post(api, PATH, bodies(1)).status_code == status
