import io
import re
from datetime import timedelta
from functools import partial
from typing import Any

import pytest
from django.core.management import call_command
from django.utils import timezone
from rest_framework.test import APIClient

from renders.api.openapi.errors import MEANINGS, all_codes
from renders.api.openapi.views import rendered
from renders.models import Batch, Event, Render, WebhookEndpoint
from renders.models.transitions import mark_cancelled
from renders.services.api_keys import create_api_key
from renders.services.batches.complete import completed_event
from renders.services.refresh.apply import change_render
from renders.services.usage.report import GroupBy
from tests.api.openapi.description import COMMITTED, DESCRIPTION, OPERATIONS, problems, undescribed, validator
from tests.factories import make_render, make_template
from tests.servers import ScriptedServer

Status = Render.Status
REQUESTS = [
    (operation_id, name) for operation_id, (_, _, operation) in OPERATIONS.items()
    for name in operation.get("requestBody", {}).get("content", {}).get("application/json", {}).get("examples", {})
]  # fmt: skip
SCHEMAS = DESCRIPTION["components"]["schemas"]


def request_example(operation_id: str, name: str) -> Any:
    return OPERATIONS[operation_id][2]["requestBody"]["content"]["application/json"]["examples"][name]["value"]


def test_the_committed_description_is_that_of_the_code() -> None:
    """Else: manage.py spectacular --file docs/openapi.yaml."""
    out = io.StringIO()
    call_command("spectacular", "--validate", "--fail-on-warn", stdout=out)
    assert out.getvalue().strip() == COMMITTED.read_text().strip()


@pytest.mark.parametrize("operation_id", OPERATIONS)
def test_every_operation_says_what_it_does(operation_id: str) -> None:
    _, _, operation = OPERATIONS[operation_id]
    assert operation["summary"]
    assert not operation["summary"].endswith(".")
    assert operation["description"].endswith((".", "`."))
    assert all(response["description"] for response in operation["responses"].values())


def test_every_operation_with_a_body_has_an_example_of_it() -> None:
    with_body = {name for name, (_, _, operation) in OPERATIONS.items() if "requestBody" in operation}
    assert with_body == {operation_id for operation_id, _ in REQUESTS}


def test_every_code_has_a_meaning() -> None:
    assert sorted(all_codes() - set(MEANINGS)) == []


@pytest.mark.parametrize("name", [name for name, schema in SCHEMAS.items() if "examples" in schema])
def test_examples_of_answers_are_answers(name: str) -> None:
    (example,) = SCHEMAS[name]["examples"]
    assert problems(SCHEMAS[name], example) == []
    assert sorted(set(SCHEMAS[name]["properties"]) - set(example) - {"reused"}) == []


@pytest.mark.parametrize("operation_id", OPERATIONS)
def test_schemas_and_examples_of_the_answers_fit(operation_id: str) -> None:
    for response in OPERATIONS[operation_id][2]["responses"].values():
        for content in response.get("content", {}).values():
            validator(content["schema"]).check_schema(content["schema"])
            if "example" in content:
                assert problems(content["schema"], content["example"]) == []


@pytest.mark.parametrize(("operation_id", "name"), REQUESTS)
def test_examples_of_requests_work(
    operation_id: str, name: str, numbered: ScriptedServer, api: APIClient, staff: Any
) -> None:
    make_render(id="3127bc58-700d-45f9-af1d-393bda70afe0", render_id="ya9n0umlzo", owner=staff)
    if operation_id != "create_template":
        make_template("promo")
    api.force_authenticate(staff)
    method, path, operation = OPERATIONS[operation_id]
    body = request_example(operation_id, name)
    id_ = (
        WebhookEndpoint.objects.create(owner=staff).pk if "webhook" in path else "3127bc58-700d-45f9-af1d-393bda70afe0"
    )
    address = path.replace("{name}", "promo").replace("{id}", str(id_))
    response = getattr(api, method)(address, body, format="json")
    assert response.status_code < 300, response.json()
    assert undescribed(operation_id, response) == []
    schema = operation["requestBody"]["content"]["application/json"]["schema"]
    assert problems(schema, body) == []


@pytest.mark.parametrize("status", Status.values)
def test_a_render_is_as_described(api: APIClient, user: Any, status: str, aws: ScriptedServer) -> None:
    render = make_render(status, owner=user)
    make_render(Status.QUEUED, owner=user, kind="still", frame=-1, codec="", fps=None, poster_of=render)
    assert undescribed("get_render", api.get(f"/api/renders/{render.pk}/")) == []
    assert undescribed("list_renders", api.get("/api/renders/")) == []


def test_templates_and_options_are_as_described(api: APIClient, staff: Any) -> None:
    make_template("promo", allowed_options=["codec"], input_schema={"type": "object"})
    make_template("plain")
    for user in (None, staff):
        if user:
            api.force_authenticate(user)
        assert undescribed("list_templates", api.get("/api/templates/")) == []
        for name in ("promo", "plain"):
            assert undescribed("get_template", api.get(f"/api/templates/{name}/")) == []
    assert undescribed("list_options", api.get("/api/options/")) == []


def test_events_of_renders_are_as_the_webhooks_are_described(numbered: ScriptedServer, api: APIClient) -> None:
    api.post("/api/renders/", request_example("create_render", "Prompt"), format="json")
    event = Event.objects.get()
    body = {"type": event.type, "timestamp": event.created_at.isoformat(), "data": event.data}
    webhook = DESCRIPTION["webhooks"][event.type]["post"]
    assert problems(webhook["requestBody"]["content"]["application/json"]["schema"], body) == []
    assert set(event.data) == set(SCHEMAS["RenderEventData"]["properties"])


def test_the_event_of_a_batch_is_as_its_webhook_is_described(user: Any) -> None:
    event = completed_event(Batch.objects.create(owner=user, completed_at=timezone.now()))
    body = {"type": event.type, "timestamp": event.created_at.isoformat(), "data": event.data}
    webhook = DESCRIPTION["webhooks"][event.type]["post"]
    assert problems(webhook["requestBody"]["content"]["application/json"]["schema"], body) == []
    assert set(event.data) == set(SCHEMAS["BatchEventData"]["properties"])


def test_every_event_is_a_webhook() -> None:
    assert set(DESCRIPTION["webhooks"]) == set(Event.Type.values)


def test_keys_are_as_described(api: APIClient, user: Any) -> None:
    create_api_key(user=user, name="shop", scopes=["renders:read"])
    create_api_key(user=user, name="brief", lifetime=timedelta(days=1))
    listed = api.get("/api/keys/")
    assert undescribed("list_keys", listed) == []
    key = listed.json()["results"][0]["id"]
    assert undescribed("revoke_key", api.delete(f"/api/keys/{key}/")) == []
    assert undescribed("revoke_key", api.delete(f"/api/keys/{key}/")) == []


def test_account_and_usage_are_as_described(api: APIClient, user: Any) -> None:
    render = make_render(owner=user)
    change_render(render.pk, partial(mark_cancelled, at=timezone.now()))
    assert undescribed("get_account", api.get("/api/account/")) == []
    for group_by in GroupBy:
        response = api.get(f"/api/usage/?groupBy={group_by}")
        assert len(response.json()["results"]) == 1
        assert undescribed("get_usage", response) == []
    assert "text/csv" in OPERATIONS["get_usage"][2]["responses"]["200"]["content"]
    assert api.get("/api/usage/?format=csv").headers["Content-Type"].startswith("text/csv")


def test_dry_runs_are_as_described(numbered: ScriptedServer, api: APIClient) -> None:
    body = {**request_example("create_render", "Prompt"), "dryRun": True}
    for path, operation_id in (("/api/renders/", "create_render"), ("/api/lambda/render", "start_render")):
        for sent in (body, {"dryRun": True}):
            response = api.post(path, sent, format="json")
            assert response.json()["valid"] == (sent is body)
            assert undescribed(operation_id, response) == []


def test_batches_are_as_described(numbered: ScriptedServer, api: APIClient) -> None:
    body = {**request_example("create_batch", "Two"), "dryRun": True}
    assert undescribed("create_batch", api.post("/api/batches/", body, format="json")) == []
    created = api.post("/api/batches/", {"renders": [*body["renders"], {"frame": "no"}]}, format="json")
    assert undescribed("create_batch", created) == []
    path = f"/api/batches/{created.json()['id']}/"
    assert undescribed("get_batch", api.get(path)) == []
    assert undescribed("list_batches", api.get("/api/batches/")) == []
    assert undescribed("cancel_batch", api.post(f"{path}cancel/")) == []


def test_webhook_endpoints_are_as_described(api: APIClient) -> None:
    created = api.post("/api/webhook-endpoints/", {"url": "https://example.com/hook"}, format="json")
    assert undescribed("create_webhook_endpoint", created) == []
    path = f"/api/webhook-endpoints/{created.json()['id']}/"
    pinged = api.post(f"{path}ping/")
    message = f"{path}messages/{pinged.json()['id']}/"
    answers = {
        "list_webhook_endpoints": api.get("/api/webhook-endpoints/"),
        "get_webhook_endpoint": api.get(path),
        "get_webhook_secret": api.get(f"{path}secret/"),
        "rotate_webhook_secret": api.post(f"{path}rotate-secret/"),
        "ping_webhook_endpoint": pinged,
        "list_webhook_messages": api.get(f"{path}messages/"),
        "get_webhook_message": api.get(message),
        "replay_webhook_message": api.post(f"{message}replay/"),
        "replay_failed_webhook_messages": api.post(
            f"{path}replay-failed/", {"since": "2026-01-31T12:00:00Z"}, format="json"
        ),
        "update_webhook_endpoint": api.patch(path, {"enabled": False}, format="json"),
        "delete_webhook_endpoint": api.delete(path),
    }
    assert {name: undescribed(name, answer) for name, answer in answers.items()} == {name: [] for name in answers}
    codes = {name: answer.status_code for name, answer in answers.items() if answer.status_code >= 300}
    assert codes == {"replay_webhook_message": 409}, "it is on its way"


class TestServed:
    @pytest.mark.parametrize(
        ("accept", "content_type"),
        [
            ("*/*", "application/vnd.oai.openapi"),
            ("application/json", "application/json"),
            ("application/yaml", "application/yaml"),
        ],
    )
    def test_the_description(self, client: Any, accept: str, content_type: str) -> None:
        rendered.cache_clear()
        response = client.get("/api/schema/", headers={"Accept": accept})
        assert (response.status_code, response.headers["Content-Type"]) == (200, content_type)
        if content_type == "application/json":
            assert response.json()["paths"].keys() == DESCRIPTION["paths"].keys()
        else:
            assert response.content.decode().strip() == COMMITTED.read_text().strip()

    def test_a_mistake_is_json(self, client: Any) -> None:
        response = client.get("/api/schema/?format=json")
        assert (response.status_code, response.json()["code"]) == (400, "unknown_parameter")
        assert response.headers["Content-Type"] == "application/json"

    @pytest.mark.parametrize("path", ["/api/docs/", "/api/redoc/"])
    def test_pages_show_it_from_this_service(self, client: Any, path: str) -> None:
        response = client.get(path)
        page = response.content.decode()
        assert response.status_code == 200
        script = client.get(f"{path}?script=").content.decode()  # of Swagger UI; ReDoc has none of its own
        assert "/api/schema" in script
        assert "/static/drf_spectacular_sidecar/" in page
        assert not re.findall(r'(?:src|href)="(?:https?:)?//[^"]*"', page)
