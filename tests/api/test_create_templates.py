"""POST /api/renders/ with templates, options, stills, posters and reuse."""

import json
from typing import Any

import pytest
from django.contrib.auth.models import User
from rest_framework.test import APIClient

from renders.models import Render, Template
from tests.factories import BODY, BUCKET, INPUT_PROPS
from tests.recorded import recorded_answer
from tests.servers import INVOKE, ScriptedServer

pytestmark = pytest.mark.django_db
PATH = "/api/renders/"
SCHEMA = {
    "type": "object",
    "properties": {"title": {"type": "string"}, "scenes": {"type": "array", "items": {"type": "object"}}},
    "required": ["title"],
}


@pytest.fixture
def promo() -> Template:
    return Template.objects.create(
        name="promo",
        composition="Promo",
        input_schema=SCHEMA,
        default_input_props={"scenes": []},
        default_options={"codec": "vp8"},
        allowed_options=["scale", "codec", "framesPerLambda"],
        fps=30,
        length=Template.Length.FIXED,
        duration_in_frames=300,
    )


def post(api: APIClient, **body: Any) -> Any:
    return api.post(PATH, body, format="json")


def sent(aws: ScriptedServer) -> dict[str, Any]:
    payload: dict[str, Any] = json.loads(aws.requests[0][2])
    return payload


class TestTemplates:
    def test_a_template_is_rendered_by_its_name(self, api: APIClient, aws: ScriptedServer, promo: Template) -> None:
        response = post(api, template="promo", inputProps={"title": "Hello"}, options={"scale": 2})
        assert response.status_code == 201, response.json()
        body = response.json()
        assert (body["template"], body["templateVersion"], body["composition"]) == ("promo", 1, "Promo")
        assert (body["codec"], body["options"]) == ("vp8", {"codec": "vp8", "scale": 2})
        assert (body["concurrency"], body["framesPerLambda"], body["durationInFrames"]) == (5, None, 300)
        payload = sent(aws)
        assert (payload["composition"], payload["codec"], payload["scale"]) == ("Promo", "vp8", 2)
        assert (payload["concurrency"], payload["framesPerLambda"]) == (5, None)
        assert json.loads(payload["inputProps"]["payload"]) == {"scenes": [], "title": "Hello"}
        assert payload["outName"].endswith(".webm")

    def test_input_that_its_schema_refuses_is_told_by_path(
        self, api: APIClient, aws: ScriptedServer, promo: Template
    ) -> None:
        response = post(api, template="promo", inputProps={"title": 5, "scenes": [{}, "x"]})
        assert response.status_code == 400
        assert set(response.json()["details"]) == {"inputProps.title", "inputProps.scenes[1]"}
        assert not Render.objects.exists()
        assert not aws.requests

    def test_an_option_that_it_does_not_allow_is_refused(self, api: APIClient, promo: Template) -> None:
        response = post(api, template="promo", inputProps={"title": "x"}, options={"crf": 20})
        assert response.status_code == 400
        assert "crf" in response.json()["details"]["options"]

    def test_a_name_that_there_is_not_is_refused_with_the_nearest(self, api: APIClient, promo: Template) -> None:
        response = post(api, template="prom")
        assert response.status_code == 400
        assert "promo" in response.json()["error"]

    def test_a_disabled_one_is_refused(self, api: APIClient, promo: Template) -> None:
        Template.objects.update(enabled=False)
        assert post(api, template="promo", inputProps={"title": "x"}).status_code == 400

    @pytest.mark.parametrize("value", [5, "", None, ["promo"], "x" * 101])
    def test_a_name_that_is_none_is_refused(self, api: APIClient, value: Any) -> None:
        response = post(api, template=value, inputProps=INPUT_PROPS)
        assert response.status_code == 400
        assert response.json()["details"]["template"] == ["Send the name of a template."]

    def test_input_props_are_an_object(self, api: APIClient, promo: Template) -> None:
        response = post(api, template="promo", inputProps=[1])
        assert response.json()["details"]["inputProps"] == ["Send a JSON object."]

    def test_frames_per_lambda_take_its_length(self, api: APIClient, aws: ScriptedServer, promo: Template) -> None:
        response = post(api, template="promo", inputProps={"title": "x"}, options={"framesPerLambda": 5, "scale": 1})
        assert response.status_code == 201, response.json()
        assert response.json()["framesPerLambda"] == 5


class TestOptions:
    def test_the_default_template_takes_them_too(self, api: APIClient, aws: ScriptedServer) -> None:
        response = post(api, **BODY, options={"codec": "gif", "everyNthFrame": 2})
        assert response.status_code == 201
        assert (response.json()["codec"], response.json()["durationInFrames"]) == ("gif", 75)
        assert sent(aws)["everyNthFrame"] == 2

    @pytest.mark.parametrize(
        ("options", "name"),
        [({"crf": 99}, "crf"), ({"codec": "mpeg"}, "codec"), ({"nope": 1}, "nope"), ({"outName": "x"}, "outName")],
    )
    def test_wrong_ones_are_refused_before_a_row_exists(
        self, api: APIClient, aws: ScriptedServer, options: dict[str, Any], name: str
    ) -> None:
        response = post(api, **BODY, options=options)
        assert (response.status_code, list(response.json()["details"]["options"])) == (400, [name])
        assert not Render.objects.exists()
        assert not aws.requests

    def test_without_any_the_payload_is_what_it_was(self, api: APIClient, aws: ScriptedServer) -> None:
        post(api, **BODY)
        payload = sent(aws)
        assert (payload["codec"], payload["framesPerLambda"], payload["concurrency"]) == ("h264", 60, None)
        assert (payload["privacy"], payload["scale"]) == ("private", 1)
        assert payload["downloadBehavior"] == {"type": "download", "fileName": "video.mp4"}


@pytest.mark.usefixtures("still_answer")
class TestStills:
    def test_it_is_answered_when_it_is_done(self, api: APIClient, aws: ScriptedServer) -> None:
        response = post(api, **BODY, kind="still", frame=30, options={"imageFormat": "jpeg"})
        assert response.status_code == 201, response.json()
        body = response.json()
        assert (body["status"], body["kind"], body["frame"], body["progress"]) == ("succeeded", "still", 30, 1.0)
        assert (body["outputSize"], body["codec"]) == (55_054, "")
        assert body["outputUrl"]
        assert (sent(aws)["frame"], sent(aws)["imageFormat"]) == (30, "jpeg")

    def test_the_first_frame_is_the_default(self, api: APIClient) -> None:
        assert post(api, **BODY, kind="still").json()["frame"] == 0

    def test_one_that_remotion_cannot_render_has_failed(self, api: APIClient, aws: ScriptedServer) -> None:
        aws.answers[INVOKE] = recorded_answer("still-throws")
        response = post(api, **BODY, kind="still")
        assert response.status_code == 201
        assert (response.json()["status"], response.json()["failureReason"]) == ("failed", "render_error")
        assert "boom" in response.json()["error"]
        assert response.json()["errors"][0]["message"] == "boom"
        assert (response.json()["renderId"], response.json()["bucketName"]) == ("4anwzffjbe", BUCKET)

    @pytest.mark.parametrize(
        ("body", "field"),
        [
            ({"kind": "film"}, "kind"),
            ({"kind": "still", "poster": {"frame": 1}}, "poster"),
            ({"frame": 1}, "frame"),
            ({"kind": "still", "frame": "1"}, "frame"),
            ({"kind": "still", "frame": True}, "frame"),
            ({"kind": "still", "frame": 150}, "frame"),
            ({"poster": {"frame": 1, "seconds": 1}}, "poster"),
            ({"poster": {"seconds": -1}}, "poster"),
            ({"poster": {"frame": 1.5}}, "poster"),
            ({"poster": {"frame": 150}}, "poster"),
            ({"poster": 5}, "poster"),
            ({"reuse": "yes"}, "reuse"),
            ({"options": []}, "options"),
        ],
    )
    def test_what_does_not_fit_is_refused(
        self, api: APIClient, aws: ScriptedServer, body: dict[str, Any], field: str
    ) -> None:
        response = post(api, **BODY, **body)
        assert (response.status_code, list(response.json()["details"])) == (400, [field])
        assert not aws.requests


class TestReuse:
    def test_an_earlier_render_is_answered(self, api: APIClient, aws: ScriptedServer, user: User) -> None:
        first = post(api, **BODY)
        again = post(api, **BODY, reuse=True)
        assert (again.status_code, again.json()["id"]) == (200, first.json()["id"])
        assert (again.json()["reused"], "reused" in first.json()) == (True, False)
        assert aws.count(INVOKE) == 1

    def test_a_template_may_ask_for_it(self, api: APIClient, aws: ScriptedServer, promo: Template) -> None:
        Template.objects.update(reuse=True)
        first = post(api, template="promo", inputProps={"title": "x"})
        assert post(api, template="promo", inputProps={"title": "x"}).json()["id"] == first.json()["id"]
        Render.objects.update(render_id="first")
        again = post(api, template="promo", inputProps={"title": "x"}, reuse=False)
        assert again.json()["id"] != first.json()["id"]


class TestFiles:
    def test_a_poster_is_linked(self, api: APIClient, aws: ScriptedServer, user: User) -> None:
        video = post(api, **BODY, poster={"frame": 1}).json()
        assert (video["poster"], video["posterUrl"]) == (None, None)
        row = Render.objects.get()
        fields = {"kind": "still", "frame": 1, "poster_of": row, "status": "failed", "failure_reason": "render_error"}
        Render.objects.create(
            **fields, owner=user, input_props={}, function_timeout=240, error="It throws.", finished_at=row.created_at
        )
        answer = api.get(f"{PATH}{row.id}/").json()
        assert (answer["poster"]["status"], answer["poster"]["error"]) == ("failed", "It throws.")
        assert answer["posterUrl"] is None
