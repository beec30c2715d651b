import threading
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.utils import timezone
from rest_framework.test import APIClient

from renders.models import Render, transitions
from renders.services import retry
from renders.services.create import create_render
from renders.services.refresh.apply import change_render
from renders.services.retention import delete_render
from renders.services.retry import retry_render
from tests.factories import INPUT_PROPS, make_render
from tests.servers import INVOKE, ScriptedServer

pytestmark = pytest.mark.django_db
Status = Render.Status


class TestRetry:
    @pytest.mark.parametrize("status", [Status.FAILED, Status.CANCELLED])
    def test_it_is_a_new_row_with_todays_settings(
        self, api: APIClient, user: User, aws: ScriptedServer, settings: Any, status: str
    ) -> None:
        settings.REMOTION_COMPOSITION = "Newer"
        first = make_render(status, owner=user, priority=5)
        response = api.post(f"/api/renders/{first.id}/retry/")
        assert response.status_code == 201
        again = Render.objects.get(pk=response.json()["id"])
        assert (again.retry_of, again.input_props, again.owner) == (first, INPUT_PROPS, user)
        assert (again.composition, again.priority, again.status) == ("Newer", 5, Status.RENDERING)
        assert response.json()["retryOf"] == str(first.id)

    def test_while_it_is_being_repeated_it_is_a_conflict(self, api: APIClient, user: User, aws: ScriptedServer) -> None:
        first = make_render(Status.FAILED, owner=user)
        statuses = [api.post(f"/api/renders/{first.id}/retry/").status_code for _ in range(2)]
        assert statuses == [201, 409]
        assert aws.count(INVOKE) == 1

    def test_it_can_be_queued_without_being_started(self, aws: ScriptedServer) -> None:
        first = make_render(Status.FAILED)
        again = retry_render(first, start_now=False).render
        assert (again.status, again.retry_of) == (Status.QUEUED, first)
        assert aws.requests == []

    def test_two_at_once_are_one(self, aws: ScriptedServer, monkeypatch: pytest.MonkeyPatch) -> None:
        first = make_render(Status.FAILED)
        create = create_render
        between: list[Any] = []

        def while_another_is_faster(**options: Any) -> Any:
            if not between:
                between.append(None)
                between.append(retry_render(first))
            return create(**options)

        monkeypatch.setattr(retry, "create_render", while_another_is_faster)
        again = retry_render(first)
        assert again.is_replayed
        assert again.render == between[1].render
        assert aws.count(INVOKE) == 1

    def test_no_callers_key_is_in_its_way(self, api: APIClient, user: User, numbered: ScriptedServer) -> None:
        first = make_render(Status.FAILED, owner=user)
        key = retry_render(first).render.idempotency_key
        body = {"inputProps": INPUT_PROPS}
        assert api.post("/api/renders/", body, format="json", HTTP_IDEMPOTENCY_KEY=key).status_code == 400

    def test_one_that_failed_again_can_be_repeated_though_a_retry_was_deleted(self, numbered: ScriptedServer) -> None:
        first = make_render(Status.FAILED)
        for number in range(3):
            again = retry_render(first)
            assert not again.is_replayed
            transitions.mark_failed(again.render, Render.FailureReason.RENDER_ERROR, error="boom", at=timezone.now())
            again.render.save_changes()
            if number == 1:
                delete_render(first.retries.earliest("created_at"))
        assert numbered.count(INVOKE) == 3

    @pytest.mark.parametrize("status", [*Render.ACTIVE, Status.SUCCEEDED])
    def test_any_other_is_a_conflict(self, api: APIClient, user: User, aws: ScriptedServer, status: str) -> None:
        assert api.post(f"/api/renders/{make_render(status, owner=user).id}/retry/").status_code == 409
        assert not aws.requests


@pytest.mark.skipif(connection.vendor != "postgresql", reason="SQLite has one writer at a time.")
@pytest.mark.django_db(transaction=True)
def test_one_whose_row_is_being_changed_is_repeated_meanwhile() -> None:
    """Else whoever changes it might wait for the lock of publishing, which the repetition has."""
    first = make_render(Status.FAILED)
    is_committed = threading.Event()

    def repeat() -> None:
        try:
            retry_render(first, start_now=False)
            is_committed.set()
        finally:
            connection.close()

    def repeat_while_locked(row: Render) -> None:
        thread = threading.Thread(target=repeat)
        thread.start()
        thread.join(5)
        threads.append(thread)
        assert is_committed.is_set()

    threads: list[threading.Thread] = []
    try:
        change_render(first.pk, repeat_while_locked)
    finally:
        threads[0].join()
    assert first.retries.get().status == Status.QUEUED
