from typing import Any

import pytest
from django.conf import settings as django_settings
from django.contrib.auth.models import User
from django.test import Client

from renders.services.api_keys import create_api_key

pytestmark = pytest.mark.django_db

SHOP = "https://shop.example.com"
PREFLIGHT = {
    "Access-Control-Request-Method": "POST",
    "Access-Control-Request-Headers": "authorization,content-type,idempotency-key",
}


@pytest.fixture
def _allowed(settings: Any) -> None:
    """As settings.py does it with API_CORS_ALLOWED_ORIGINS."""
    settings.CORS_ALLOWED_ORIGINS = [SHOP]
    settings.MIDDLEWARE = [
        django_settings.MIDDLEWARE[0],
        "corsheaders.middleware.CorsMiddleware",
        *django_settings.MIDDLEWARE[1:],
    ]


def cors(response: Any) -> dict[str, str]:
    return {name: value for name, value in response.headers.items() if name.lower().startswith("access-control-")}


@pytest.mark.usefixtures("_allowed")
class TestAnOriginThatIsAllowed:
    def test_preflight(self) -> None:
        response = Client().options("/api/renders/", headers={"Origin": SHOP, **PREFLIGHT})
        assert response.status_code == 200
        assert response["Access-Control-Allow-Origin"] == SHOP
        assert "POST" in response["Access-Control-Allow-Methods"]
        for name in ("authorization", "content-type", "idempotency-key", "last-event-id"):
            assert name in response["Access-Control-Allow-Headers"]
        assert "Access-Control-Allow-Credentials" not in response

    def test_answers_can_be_read(self, user: User) -> None:
        _, secret = create_api_key(user=user, name="page")
        response = Client().get("/api/renders/", headers={"Origin": SHOP, "Authorization": f"Bearer {secret}"})
        assert (response.status_code, response["Access-Control-Allow-Origin"]) == (200, SHOP)
        assert "RateLimit" in response["Access-Control-Expose-Headers"]

    def test_so_can_refusals_and_redirects(self, settings: Any) -> None:
        assert cors(Client().get("/api/renders/", headers={"Origin": SHOP}))
        settings.SECURE_SSL_REDIRECT = True
        response = Client().options("/api/renders/", headers={"Origin": SHOP, **PREFLIGHT})
        assert (response.status_code, response["Access-Control-Allow-Origin"]) == (200, SHOP)

    def test_others_are_not(self) -> None:
        for headers in ({"Origin": "https://evil.example"}, {"Origin": "null"}, {}):
            response = Client().options("/api/renders/", headers={**PREFLIGHT, **headers})
            assert "Access-Control-Allow-Origin" not in response

    def test_the_admin_is_not(self) -> None:
        assert cors(Client().get("/admin/", headers={"Origin": SHOP})) == {}


def test_without_any_origin_no_answer_mentions_it() -> None:
    response = Client().get("/api/options/", headers={"Origin": SHOP})
    assert cors(response) == {}
    assert "origin" not in response.get("Vary", "").lower()
