"""Requests that the API's tests make."""

from typing import Any

from rest_framework.test import APIClient

CREATE = ["/api/lambda/render", "/api/renders/"]


def post(api: APIClient, path: str, body: Any = None) -> Any:
    return api.post(path, body, format="json")
