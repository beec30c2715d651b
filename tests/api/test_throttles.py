import logging
from collections.abc import Iterator
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.cache import cache
from django.test import Client, override_settings
from rest_framework.test import APIClient

from renders.api import throttled_view, throttles
from renders.models import Quota, Render
from renders.remotion.webhook import sign
from renders.services.api_keys import create_api_key
from renders.services.log_throttle import LogThrottle
from tests.api.requests import CREATE, post
from tests.factories import BODY
from tests.servers import ScriptedServer
from tests.webhooks import SECRET

pytestmark = pytest.mark.django_db

DATABASE = "renderhub.database_cache.CountingDatabaseCache"
IN_MEMORY = "django.core.cache.backends.locmem.LocMemCache"
UNREACHABLE_REDIS = "redis://127.0.0.1:1/0"


class Clock:
    def __init__(self) -> None:
        self.now = 1_764_028_800.0  # begins a day

    def time(self) -> float:
        return self.now


@pytest.fixture(autouse=True)
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(throttles, "time", clock)
    return clock


@pytest.fixture(autouse=True, params=[DATABASE, IN_MEMORY])
def _cache(request: pytest.FixtureRequest, settings: Any) -> Iterator[None]:
    settings.CACHES = {"default": {"BACKEND": request.param, "LOCATION": "renders_cache"}}
    cache.clear()
    yield
    cache.clear()


def client_of(user: User) -> APIClient:
    _, secret = create_api_key(user=user, name="shop")
    return APIClient(headers={"Authorization": f"Bearer {secret}"})


def limits(response: Any) -> tuple[str | None, str | None]:
    return response.headers.get("RateLimit"), response.headers.get("RateLimit-Policy")


class TestScopes:
    def test_what_is_over_is_429(self, user: User, settings: Any, clock: Clock) -> None:
        settings.API_RATE_READ = "2/minute"
        client = client_of(user)
        assert limits(client.get("/api/renders/")) == ('"read";r=1;t=60', '"read";q=2;w=60')
        clock.now += 20
        assert limits(client.get("/api/options/")) == ('"read";r=0;t=40', '"read";q=2;w=60')
        response = client.get("/api/renders/")
        assert (response.status_code, response.json()["code"]) == (429, "rate_limited")
        assert response.json()["error"] == "You may send 2 requests a minute (read): send this one again in 40 seconds."
        assert response["Retry-After"] == "40"
        assert limits(response) == ('"read";r=0;t=40', '"read";q=2;w=60')
        clock.now += 40
        assert limits(client.get("/api/renders/")) == ('"read";r=1;t=60', '"read";q=2;w=60')

    def test_what_is_refused_does_not_last_longer(self, user: User, settings: Any, clock: Clock) -> None:
        settings.API_RATE_READ = "1/second"
        client = client_of(user)
        assert [client.get("/api/options/").status_code for _ in range(5)] == [200, 429, 429, 429, 429]
        clock.now += 1
        assert client.get("/api/options/").status_code == 200

    @pytest.mark.parametrize("path", CREATE)
    def test_starts_are_counted_for_themselves(self, aws: ScriptedServer, user: User, settings: Any, path: str) -> None:
        settings.API_RATE_CREATE = "1/hour"
        client = client_of(user)
        assert limits(post(client, path, BODY)) == ('"create";r=0;t=3600', '"create";q=1;w=3600')
        for other in CREATE:
            response = post(client, other, BODY)
            assert (response.status_code, response["Retry-After"]) == (429, "3600")
        render = Render.objects.get()
        assert client.get(f"/api/renders/{render.id}/").status_code == 200
        assert post(client, f"/api/renders/{render.id}/retry").status_code == 429
        assert post(client, "/api/lambda/progress", {"id": str(render.id)}).status_code != 429

    def test_refusals_are_one_line_in_the_log(
        self, user: User, settings: Any, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
    ) -> None:
        monkeypatch.setattr(throttled_view, "log_throttle", LogThrottle(logging.getLogger(throttled_view.__name__)))
        settings.API_RATE_READ = "1/day"
        client = client_of(user)
        for _ in range(4):
            client.get("/api/options/")
        (record,) = caplog.records
        assert record.getMessage() == "Requests over a limit are refused: 1 request a day (read)."

    def test_each_owner_is_counted_with_all_their_keys(self, user: User, staff: User, settings: Any) -> None:
        settings.API_RATE_READ = "1/day"
        assert client_of(user).get("/api/options/").status_code == 200
        assert client_of(user).get("/api/options/").status_code == 429
        assert client_of(staff).get("/api/options/").status_code == 200

    def test_without_an_owner_by_address(self, settings: Any) -> None:
        settings.API_ALLOW_ANONYMOUS, settings.API_RATE_READ = True, "1/day"
        get = APIClient().get
        assert get("/api/options/", REMOTE_ADDR="192.0.2.1").status_code == 200
        assert get("/api/options/", REMOTE_ADDR="192.0.2.1", HTTP_X_FORWARDED_FOR="192.0.2.9").status_code == 429
        assert get("/api/options/", REMOTE_ADDR="192.0.2.2").status_code == 200

    def test_who_is_not_let_in_is_not_counted(self, user: User, settings: Any) -> None:
        settings.API_RATE_READ = "1/day"
        for _ in range(2):
            response = APIClient().get("/api/renders/")
            assert (response.status_code, limits(response)) == (401, (None, None))

    def test_remotions_deliveries_have_a_rate_of_their_own(
        self, settings: Any, webhook_secret: None, aws: ScriptedServer
    ) -> None:
        settings.API_RATE_WEBHOOK = "1/minute"
        body = '{"type": "error"}'
        headers = {"X-Remotion-Signature": sign(body.encode(), secret=SECRET)}
        send = APIClient().generic
        first = send("POST", "/api/lambda/webhook", body, "application/json", headers=headers)
        assert first.status_code != 429
        assert limits(first) == ('"webhook";r=0;t=60', '"webhook";q=1;w=60')
        second = send("POST", "/api/lambda/webhook", body, "application/json", headers=headers)
        assert (second.status_code, second.json()["code"]) == (429, "rate_limited")

    def test_without_any_rate_nothing_is_counted(
        self, user: User, monkeypatch: pytest.MonkeyPatch, django_assert_num_queries: Any
    ) -> None:
        client = client_of(user)
        client.get("/api/options/")
        monkeypatch.setattr(throttles, "cache", None)
        with django_assert_num_queries(1):  # the key
            response = client.get("/api/options/")
        assert (response.status_code, limits(response)) == (200, (None, None))


class TestQuota:
    @pytest.fixture(params=["key", "session"])
    def client(self, request: pytest.FixtureRequest, user: User) -> Client:
        if request.param == "key":
            return client_of(user)
        client = Client()
        client.force_login(user)
        return client

    def test_requests_a_minute(self, client: Client, user: User, clock: Clock) -> None:
        Quota.objects.create(owner=user, max_requests_per_minute=1)
        Quota.objects.create(owner=None, max_requests_per_minute=100)
        assert limits(client.get("/api/options/")) == ('"account";r=0;t=60', '"account";q=1;w=60')
        response = client.get("/api/renders/")
        assert (response.status_code, response["Retry-After"]) == (429, "60")
        assert (
            response.json()["error"] == "You may send 1 request a minute (account): send this one again in 60 seconds."
        )

    def test_everybody_elses(self, client: Client, staff: User, clock: Clock) -> None:
        Quota.objects.create(owner=staff, max_requests_per_minute=1)
        Quota.objects.create(owner=None, max_requests_per_minute=2)
        assert limits(client.get("/api/options/")) == ('"account";r=1;t=60', '"account";q=2;w=60')

    def test_ones_own_without_a_limit_is_none(self, client: Client, user: User) -> None:
        Quota.objects.create(owner=user)
        Quota.objects.create(owner=None, max_requests_per_minute=1)
        assert limits(client.get("/api/options/")) == (None, None)

    def test_both_limits_hold(self, client: Client, user: User, settings: Any, clock: Clock) -> None:
        settings.API_RATE_READ = "5/hour"
        Quota.objects.create(owner=user, max_requests_per_minute=1)
        response = client.get("/api/options/")
        assert limits(response) == ('"read";r=4;t=3600, "account";r=0;t=60', '"read";q=5;w=3600, "account";q=1;w=60')
        response = client.get("/api/options/")
        assert (response.status_code, response["Retry-After"]) == (429, "60")
        assert "(account)" in response.json()["error"]


class TestACacheThatCannotBeUsed:
    def test_lets_requests_through_and_is_logged_once(
        self, user: User, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
    ) -> None:
        monkeypatch.setattr(throttles, "log_throttle", LogThrottle(logging.getLogger(throttles.__name__)))
        client = client_of(user)
        redis = {"BACKEND": "django.core.cache.backends.redis.RedisCache", "LOCATION": UNREACHABLE_REDIS}
        with override_settings(CACHES={"default": redis}, API_RATE_READ="1/day"):
            assert [client.get("/api/options/").status_code for _ in range(3)] == [200] * 3
        (record,) = caplog.records
        assert record.getMessage().startswith("Requests are not counted, the cache cannot be used: ")
