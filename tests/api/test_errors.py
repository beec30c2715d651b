from typing import Any

import pytest
from django.test import Client
from rest_framework.test import APIClient

from tests.api.requests import post
from tests.factories import BODY

pytestmark = pytest.mark.django_db


class TestElsewhere:
    def test_an_unknown_address_of_the_api_is_json(self) -> None:
        response = Client().get("/api/nothing")
        assert (response.status_code, list(response.json())) == (404, ["error"])

    def test_a_failure_of_our_own_is_json_without_details(self, api: APIClient, monkeypatch: Any) -> None:
        monkeypatch.setattr("renders.api.renders.create.create_render", lambda **_: 1 / 0)
        response = post(api, "/api/lambda/render", BODY)
        assert response.status_code == 500
        assert "ZeroDivisionError" not in response.content.decode()

    def test_the_front_page_leads_to_the_admin(self) -> None:
        assert Client().get("/")["Location"] == "/admin/renders/render/"
