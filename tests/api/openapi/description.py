"""The description of the API, and what it says of an answer."""

from pathlib import Path
from typing import Any

import yaml
from django.conf import settings
from jsonschema import Draft202012Validator

COMMITTED = Path(settings.BASE_DIR) / "docs" / "openapi.yaml"
DESCRIPTION: dict[str, Any] = yaml.safe_load(COMMITTED.read_text())
METHODS = ("get", "post", "patch", "put", "delete")

OPERATIONS: dict[str, tuple[str, str, dict[str, Any]]] = {
    operation["operationId"]: (method, path, operation)
    for path, methods in DESCRIPTION["paths"].items()
    for method, operation in methods.items()
    if method in METHODS
}
"""Method, path and description by id."""


def problems(schema: Any, value: Any) -> list[str]:
    """Return why a schema of the description refuses a value."""
    return [f"{error.json_path}: {error.message}" for error in validator(schema).iter_errors(value)]


def validator(schema: Any) -> Any:
    whole = {**schema, "components": DESCRIPTION["components"]}  # where its references lead
    return Draft202012Validator(whole, format_checker=Draft202012Validator.FORMAT_CHECKER)


def undescribed(operation_id: str, response: Any) -> list[str]:
    """Return what the description does not allow about an answer; ``response`` is a Django response with JSON."""
    responses = OPERATIONS[operation_id][2]["responses"]
    described = responses.get(str(response.status_code))
    if described is None:
        return [f"{response.status_code} is not among {', '.join(responses)}: {response.content!r}"]
    if "content" not in described:
        return [] if not response.content else ["There is a body."]
    body = response.json()
    found = problems(described["content"]["application/json"]["schema"], body)
    if "x-codes" in described and body["code"] not in described["x-codes"]:
        found.append(f"{body['code']} is not among {described['x-codes']}")
    return found
