import hashlib
from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from rest_framework.test import APIClient

from renders.models import ApiKey
from renders.services.api_keys import create_api_key, find_key, note_use

pytestmark = pytest.mark.django_db


def was_just_used() -> bool:
    return ApiKey.objects.filter(last_used_at__gt=timezone.now() - timedelta(seconds=30)).count() == 1


class TestCreate:
    def test_a_hash_alone_is_stored(self, user: User) -> None:
        key, secret = create_api_key(user=user, name="shop", scopes=["renders:read"])
        assert (len(secret), secret[:5], secret[:15]) == (69, "rhub_", key.token_key)
        row = ApiKey.objects.values().get()
        assert row["digest"] == hashlib.sha512(secret.encode()).hexdigest()
        assert secret not in str(row)
        assert (row["name"], row["scopes"], row["expiry"], row["last_used_at"]) == (
            "shop",
            ["renders:read"],
            None,
            None,
        )

    def test_its_lifetime(self, user: User) -> None:
        key, _ = create_api_key(user=user, name="shop", lifetime=timedelta(days=90))
        assert timedelta(days=89, hours=23) < key.expiry - timezone.now() <= timedelta(days=90)

    def test_it_is_found_by_its_secret_alone(self, user: User) -> None:
        key, secret = create_api_key(user=user, name="shop")
        assert find_key(secret) == key
        assert find_key(key.token_key) is None
        assert find_key(key.digest) is None


class TestUse:
    def request(self, secret: str) -> tuple[int, list[str]]:
        with CaptureQueriesContext(
            connection,
        ) as queries:
            response = APIClient(headers={"Authorization": f"Bearer {secret}"}).get("/api/options/")
        return response.status_code, [query["sql"] for query in queries]

    def test_authenticating_is_one_query(self, user: User) -> None:
        _, secret = create_api_key(user=user, name="shop")
        create_api_key(user=user, name="expired", lifetime=timedelta(days=-1))
        assert len(self.request(secret)[1]) == 2, "the first use in a minute is noted"
        status, statements = self.request(secret)
        assert (status, len(statements)) == (200, 1)
        assert statements[0].startswith("SELECT")
        assert was_just_used()

    def test_nothing_is_deleted(self, user: User) -> None:
        _, secret = create_api_key(user=user, name="expired", lifetime=timedelta(days=-1))
        assert self.request(secret)[0] == 401
        assert ApiKey.objects.count() == 1

    def test_it_is_noted_again_after_a_minute(self, user: User) -> None:
        _, secret = create_api_key(user=user, name="shop")
        ApiKey.objects.update(last_used_at=timezone.now() - timedelta(seconds=61))
        self.request(secret)
        assert was_just_used()

    def test_what_another_process_has_noted_stays(self, user: User) -> None:
        stale, _ = create_api_key(user=user, name="shop")
        noted = timezone.now() - timedelta(seconds=5)
        ApiKey.objects.update(last_used_at=noted)
        note_use(stale)
        assert ApiKey.objects.get().last_used_at == noted

    def test_one_that_has_expired_says_when(self, user: User) -> None:
        key, secret = create_api_key(user=user, name="shop", lifetime=timedelta(seconds=-1))
        response = APIClient(headers={"Authorization": f"Bearer {secret}"}).get("/api/renders/")
        assert (response.status_code, response.json()["code"]) == (401, "authentication_failed")
        assert f"expired on {key.expiry:%Y-%m-%d}" in response.json()["error"]
