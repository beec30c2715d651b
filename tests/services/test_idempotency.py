from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.utils import timezone
from rest_framework.test import APIClient

from renders.models import Render, Template
from renders.services.idempotency import free_expired_keys
from tests.factories import BODY, INPUT_PROPS, make_render
from tests.servers import INVOKE, Answer, ScriptedServer, lambda_error

pytestmark = pytest.mark.django_db
PATHS = ["/api/lambda/render", "/api/renders/"]
Status = Render.Status


def post(api: APIClient, path: str, body: Any = BODY, key: str = "order-1") -> Any:
    return api.post(path, body, format="json", headers={"Idempotency-Key": key})


def test_a_change_of_the_template_does_not_make_it_another_request(api: APIClient, aws: ScriptedServer) -> None:
    promo = Template.objects.create(name="promo", composition="Promo", default_input_props={"title": "Old"})
    body = {"template": "promo"}
    first = post(api, "/api/renders/", body)
    promo.default_input_props, promo.default_options, promo.reuse = {"title": "New"}, {"scale": 2}, True
    promo.save()
    second = post(api, "/api/renders/", body)
    assert (second.status_code, second.json()["id"]) == (201, first.json()["id"])
    assert aws.count(INVOKE) == 1
    assert post(api, "/api/renders/", {**body, "kind": "still"}).status_code == 409


@pytest.mark.parametrize("path", PATHS)
class TestOneKey:
    def test_the_same_request_is_the_same_render(self, api: APIClient, aws: ScriptedServer, path: str) -> None:
        first, second = post(api, path), post(api, path)
        assert first.json()["id"] == second.json()["id"]
        assert second.status_code == first.status_code
        assert not first.has_header("Idempotency-Replayed")
        assert second["Idempotency-Replayed"] == "true"
        assert aws.count(INVOKE) == 1

    def test_another_body_is_a_conflict(self, api: APIClient, aws: ScriptedServer, path: str) -> None:
        post(api, path)
        response = post(api, path, {"inputProps": {**INPUT_PROPS, "fps": 25}})
        assert response.status_code == 409
        assert not response.has_header("Retry-After")
        assert aws.count(INVOKE) == 1

    def test_the_order_of_keys_in_the_body_does_not_matter(
        self, api: APIClient, aws: ScriptedServer, path: str
    ) -> None:
        post(api, path)
        assert post(api, path, {"inputProps": dict(reversed(INPUT_PROPS.items()))}).has_header("Idempotency-Replayed")

    def test_while_the_first_is_inside_aws_it_is_a_conflict_to_try_again(
        self, api: APIClient, aws: ScriptedServer, path: str
    ) -> None:
        post(api, path)
        Render.objects.update(status=Status.SUBMITTING, render_id="", submitted_at=timezone.now())
        response = post(api, path)
        assert response.status_code == 409
        assert response["Retry-After"]
        assert aws.count(INVOKE) == 1

    def test_an_unknown_outcome_is_replayed_as_such(self, api: APIClient, aws: ScriptedServer, path: str) -> None:
        aws.answers[INVOKE] = Answer(reset=True)
        first, second = post(api, path), post(api, path)
        assert first.status_code == second.status_code == (504 if "lambda" in path else 202)
        assert second["Idempotency-Replayed"] == "true"
        assert aws.count(INVOKE) == 1

    def test_a_refusal_is_replayed_as_the_row_has_it(self, api: APIClient, aws: ScriptedServer, path: str) -> None:
        aws.answers[INVOKE] = lambda_error(403, "AccessDeniedException")
        first = post(api, path)
        second = post(api, path)
        assert first.status_code == 500
        assert second["Idempotency-Replayed"] == "true"
        assert second.json()["error"] == first.json()["error"]
        assert aws.count(INVOKE) == 1

    def test_another_owner_has_keys_of_his_own(self, api: APIClient, aws: ScriptedServer, path: str) -> None:
        post(api, path)
        aws.answers[INVOKE] = Answer(b'{"type":"success","renderId":"other","bucketName":"b"}')
        api.force_authenticate(User.objects.create_user("eve"))
        assert not post(api, path).has_header("Idempotency-Replayed")
        assert Render.objects.count() == 2

    def test_nobody_in_particular_has_them_too(self, aws: ScriptedServer, settings: Any, path: str) -> None:
        settings.API_ALLOW_ANONYMOUS = True
        assert post(APIClient(), path).json()["id"] == post(APIClient(), path).json()["id"]
        assert aws.count(INVOKE) == 1

    @pytest.mark.parametrize("key", ["", "x" * 256, "schlüssel", "a\tb"])
    def test_a_key_that_is_none_is_told(self, api: APIClient, aws: ScriptedServer, path: str, key: str) -> None:
        response = post(api, path, key=key)
        assert response.status_code == 400
        assert response.json()["error"] == ("Idempotency-Key: Send 1 to 255 printable ASCII characters.")
        assert not Render.objects.exists()


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("body", [BODY, {"inputProps": {**INPUT_PROPS, "fps": 25}}], ids=["same", "another"])
class TestOldKey:
    """Nothing has purged the row: the age of its key counts when the key is used."""

    def age(self, **age: float) -> Render:
        render = Render.objects.get()
        render.created_at = timezone.now() - timedelta(**age)
        render.save()
        return render

    def end(self) -> None:
        Render.objects.update(status=Status.SUCCEEDED, finished_at=timezone.now())

    def test_after_seven_days_it_is_a_new_request(
        self, api: APIClient, numbered: ScriptedServer, path: str, body: Any
    ) -> None:
        post(api, path)
        self.end()
        first = self.age(days=7, seconds=1)
        response = post(api, path, body)
        assert response.status_code == (200 if "lambda" in path else 201)
        assert not response.has_header("Idempotency-Replayed")
        assert response.json()["id"] != str(first.id)
        assert numbered.count(INVOKE) == 2
        first.refresh_from_db()
        assert (first.idempotency_key, first.idempotency_fingerprint) == ("", "")
        assert post(api, path, body).json()["id"] == response.json()["id"]

    def test_before_it_is_as_good_as_ever(self, api: APIClient, numbered: ScriptedServer, path: str, body: Any) -> None:
        post(api, path)
        self.end()
        self.age(days=6, hours=23)
        response = post(api, path, body)
        assert response.status_code == 409 if body != BODY else response.has_header("Idempotency-Replayed")
        assert numbered.count(INVOKE) == 1

    def test_an_active_render_keeps_it(self, api: APIClient, numbered: ScriptedServer, path: str, body: Any) -> None:
        post(api, path)
        self.age(days=8)
        response = post(api, path, body)
        assert response.status_code == 409 if body != BODY else response.has_header("Idempotency-Replayed")
        assert numbered.count(INVOKE) == 1

    def test_a_request_that_finds_no_free_slots_leaves_it(
        self, api: APIClient, numbered: ScriptedServer, settings: Any, path: str, body: Any
    ) -> None:
        if "renders" in path:
            pytest.skip("It waits there.")
        post(api, path)
        self.end()
        old = self.age(days=8)
        settings.REMOTION_CONCURRENCY = 1
        make_render()
        assert post(api, path, body).status_code == 429
        old.refresh_from_db()
        assert old.idempotency_key == "order-1"


def test_one_key_is_for_one_address(api: APIClient, aws: ScriptedServer) -> None:
    post(api, "/api/lambda/render")
    assert post(api, "/api/renders/").status_code == 409


def test_a_request_that_was_answered_429_keeps_no_key(api: APIClient, aws: ScriptedServer) -> None:
    started = aws.answers[INVOKE]
    aws.answers[INVOKE] = lambda_error(429, "TooManyRequestsException")
    assert post(api, "/api/lambda/render").status_code == 429
    aws.answers[INVOKE] = started
    response = post(api, "/api/lambda/render")
    assert response.status_code == 200
    assert not response.has_header("Idempotency-Replayed")


def test_keys_are_free_after_seven_days(aws: ScriptedServer) -> None:
    now = timezone.now()
    old = make_render(Status.SUCCEEDED, idempotency_key="a", created_at=now - timedelta(days=8))
    young = make_render(Status.SUCCEEDED, idempotency_key="b", created_at=now - timedelta(days=6))
    active = make_render(idempotency_key="c", created_at=now - timedelta(days=8))
    assert free_expired_keys() == 1
    keys = {render.pk: render.idempotency_key for render in Render.objects.all()}
    assert keys == {old.pk: "", young.pk: "b", active.pk: "c"}


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("has_expired", [False, True])
def test_twenty_threads_with_one_key_are_one_render(aws: ScriptedServer, settings: Any, has_expired: bool) -> None:
    settings.API_ALLOW_ANONYMOUS = True
    if has_expired:
        long_ago = timezone.now() - timedelta(days=8)
        make_render(Status.FAILED, idempotency_key="order-1", created_at=long_ago)
    answer = aws.answers[INVOKE]
    assert isinstance(answer, Answer)
    aws.answers[INVOKE] = Answer(answer.body, delay=0.3)

    def ask(_: int) -> int:
        try:
            return int(post(APIClient(), "/api/lambda/render").status_code)
        finally:
            connection.close()

    with ThreadPoolExecutor(20) as threads:
        statuses = list(threads.map(ask, range(20)))
    assert aws.count(INVOKE) == Render.objects.exclude(idempotency_key="").count() == 1
    assert Render.objects.count() == 1 + has_expired
    assert set(statuses) <= {200, 409}
    assert statuses.count(200) >= 1
