import json
import subprocess
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from rest_framework.test import APIClient

from renders.models import Render
from renders.sandbox.steps import NODE
from tests.api.requests import post
from tests.factories import BODY, BUCKET, INPUT_PROPS, load_recording, make_render, make_template
from tests.servers import INVOKE, ScriptedServer, reply

pytestmark = pytest.mark.django_db
RENDER, PROGRESS = "/api/lambda/render", "/api/lambda/progress"


@pytest.fixture(autouse=True)
def _envelope(settings: Any) -> None:
    settings.LAMBDA_API_ENVELOPE = "remotion"


class TestSuccess:
    def test_of_a_start(self, api: APIClient, aws: ScriptedServer) -> None:
        response = post(api, RENDER, BODY)
        assert (response.status_code, response.json()["type"]) == (200, "success")
        assert response.json()["data"] | {"cloudWatchLogs": "", "folderInS3Console": ""} == {
            "renderId": "abc123",
            "bucketName": BUCKET,
            "cloudWatchLogs": "",
            "folderInS3Console": "",
            "id": str(Render.objects.get().id),
        }

    def test_of_progress(self, api: APIClient, user: User, aws: ScriptedServer) -> None:
        render = make_render(Render.Status.FAILED, owner=user, error="boom at 100")
        response = post(api, PROGRESS, {"id": render.render_id, "bucketName": BUCKET})
        assert response.status_code == 200
        assert response.json() == {"type": "success", "data": {"type": "error", "message": "boom at 100"}}

    def test_what_options_tells_is_as_always(self, api: APIClient) -> None:
        described = api.options(RENDER).json()
        assert {"id", "inputProps", "dryRun"} == set(described["actions"]["POST"])


class TestError:
    @pytest.mark.parametrize(
        ("body", "message"),
        [
            ({}, "inputProps: Send an object with code, durationInFrames and fps."),
            ({"inputProps": {**INPUT_PROPS, "fps": 0}}, "inputProps.fps: "),
            ({"id": "Nothing", "inputProps": {}}, "template: There is no template Nothing."),
            ({"id": 5, "inputProps": INPUT_PROPS, "codec": "gif"}, "codec: Unknown field."),
            ({"id": "a\nb", "inputProps": INPUT_PROPS}, "template: There is no template"),
            ({"id": 5, "inputProps": INPUT_PROPS}, "id: "),
            ({"id": "", "inputProps": INPUT_PROPS}, "id: "),
            ({"id": "x" * 999, "inputProps": INPUT_PROPS}, "id: "),
        ],
    )
    def test_of_the_request(self, api: APIClient, aws: ScriptedServer, body: dict[str, Any], message: str) -> None:
        response = post(api, RENDER, body)
        assert response.status_code == 500
        assert set(response.json()) == {"type", "message"}
        assert response.json()["type"] == "error"
        assert response.json()["message"].startswith(message)
        assert not Render.objects.exists()

    def test_without_credentials(self) -> None:
        response = post(APIClient(), RENDER, BODY)
        assert (response.status_code, response.json()["type"]) == (500, "error")
        assert "Bearer" in response.json()["message"]

    def test_of_an_unknown_render(self, api: APIClient) -> None:
        response = post(api, PROGRESS, {"id": "nothing", "bucketName": BUCKET})
        assert (response.status_code, response.json()) == (
            500,
            {"type": "error", "message": "There is no such render."},
        )

    def test_another_method(self, api: APIClient) -> None:
        assert api.get(RENDER).json()["type"] == "error"

    def test_when_to_try_again_is_kept(self, api: APIClient, settings: Any) -> None:
        settings.REMOTION_CONCURRENCY = 1
        response = post(api, RENDER, BODY)
        assert (response.status_code, response["Retry-After"]) == (500, "5")

    def test_a_refusal_is_not_logged_as_a_fault(self, api: APIClient, caplog: pytest.LogCaptureFixture) -> None:
        post(api, RENDER, {})
        assert caplog.records == []

    def test_a_wrong_host(self) -> None:
        response = Client().post(RENDER, headers={"host": "evil.example"})
        assert (response.status_code, response.json()["type"]) == (500, "error")
        assert "DJANGO_ALLOWED_HOSTS" in response.json()["message"]
        assert Client().get("/api/renders/", headers={"host": "evil.example"}).status_code == 400


class TestComposition:
    """What the ``id`` of the request names."""

    @pytest.mark.parametrize("asked", ["promo", "Promo"])
    def test_a_template_by_its_name_or_its_composition(self, api: APIClient, aws: ScriptedServer, asked: str) -> None:
        template = make_template("promo")
        assert post(api, RENDER, {"id": asked, "inputProps": {"title": "Hi"}}).status_code == 200
        render = Render.objects.get()
        assert (render.template, render.composition, render.input_props) == (template, "Promo", {"title": "Hi"})

    def test_of_several_that_of_the_settings_site(self, api: APIClient, aws: ScriptedServer) -> None:
        make_template("a-promo", site="other")
        make_template("z-promo")
        make_template("b-promo", enabled=False)
        assert post(api, RENDER, {"id": "Promo", "inputProps": {}}).status_code == 200
        template = Render.objects.get().template
        assert template is not None
        assert template.name == "z-promo"

    @pytest.mark.parametrize("asked", [{}, {"id": "DynamicComp"}])
    def test_the_default_one(self, api: APIClient, aws: ScriptedServer, asked: dict[str, str]) -> None:
        assert post(api, RENDER, {**asked, **BODY}).status_code == 200
        assert Render.objects.get().template is None


def test_without_the_setting_nothing_is_wrapped_and_id_is_unknown(
    api: APIClient, aws: ScriptedServer, settings: Any
) -> None:
    settings.LAMBDA_API_ENVELOPE = "none"
    assert "renderId" in post(api, RENDER, BODY).json()
    response = post(api, RENDER, {"id": "DynamicComp", **BODY})
    assert (response.status_code, response.json()["code"]) == (400, "unknown_field")


@pytest.mark.django_db(transaction=True)
class TestItsFrontEnd:
    """The calls of the template's front end, in JavaScript, over HTTP."""

    def run(self, url: str, composition: str, input_props: Any) -> Any:
        script = Path(__file__).with_name("next_template_client.mjs")
        arguments = [url.replace("localhost", "127.0.0.1"), composition, json.dumps(input_props)]
        output = subprocess.check_output([NODE, str(script), *arguments], timeout=60)
        return json.loads(output)

    def test_a_render_that_succeeds(self, live_server: Any, aws: ScriptedServer, settings: Any) -> None:
        settings.API_ALLOW_ANONYMOUS = True
        make_template("promo")
        aws.answers[f"/{BUCKET}/"] = reply(load_recording("succeeds")[-1]["progress.json"])
        states = self.run(live_server.url, "Promo", {"title": "Hi"})
        assert [state["status"] for state in states] == ["invoking", "rendering", "done"]
        assert states[1]["renderId"] == "abc123"
        assert states[-1]["size"] == 298354
        assert states[-1]["url"].startswith(aws.url)

    def test_a_render_that_fails(self, live_server: Any, aws: ScriptedServer, settings: Any) -> None:
        settings.API_ALLOW_ANONYMOUS = True
        aws.answers[f"/{BUCKET}/"] = reply(load_recording("throws-in-chunk")[-1]["progress.json"])
        states = self.run(live_server.url, "DynamicComp", INPUT_PROPS)
        assert states[-1] == {"status": "error", "renderId": "abc123", "error": "boom at 100"}

    def test_a_start_that_is_refused(self, live_server: Any, aws: ScriptedServer) -> None:
        states = self.run(live_server.url, "DynamicComp", INPUT_PROPS)
        assert [state["status"] for state in states] == ["invoking", "error"]
        assert "Bearer" in states[-1]["error"]
        assert aws.count(INVOKE) == 0
