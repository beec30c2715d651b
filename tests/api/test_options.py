from typing import Any

import pytest
from django.test import override_settings
from jsonschema import Draft202012Validator
from rest_framework.test import APIClient

from renders.api.errors import exception_handler
from renders.remotion.errors import InvalidOptions
from renders.remotion.option_table import OPTIONS

pytestmark = pytest.mark.django_db


class TestTheTable:
    def test_each_option_is_told(self, api: APIClient) -> None:
        told = api.get("/api/options/").json()["options"]
        assert [(option["name"], tuple(option["kinds"])) for option in told] == [(o.name, o.kinds) for o in OPTIONS]
        for option in told:
            Draft202012Validator.check_schema(option["schema"])
            assert option["description"].endswith(".")
            assert option["allowed"].startswith("Send ")

    def test_an_option_says_where_it_applies(self, api: APIClient) -> None:
        told = {option["name"]: option for option in api.get("/api/options").json()["options"]}
        assert told["crf"] == {
            "name": "crf",
            "description": "Quality at any size: lower is better and larger. Its range depends on the codec.",
            "schema": {"type": "integer", "minimum": 0, "maximum": 63},
            "allowed": "Send a whole number from 0 to 63.",
            "default": None,
            "kinds": ["video"],
            "codecs": ["h264", "h265", "vp8", "vp9"],
        }
        assert told["imageFormat"]["codecs"] == []  # the last of that name: a still's

    def test_codecs_have_their_files(self, api: APIClient) -> None:
        codecs = {codec["codec"]: codec for codec in api.get("/api/options/").json()["codecs"]}
        assert codecs["vp8"] == {
            "codec": "vp8",
            "extension": "webm",
            "contentType": "video/webm",
            "mediaType": "video",
            "audioCodecs": [
                {"audioCodec": "opus", "extension": "webm", "contentType": "video/webm", "mediaType": "video"},
                {"audioCodec": "pcm-16", "extension": "mkv", "contentType": "video/x-matroska", "mediaType": "video"},
            ],
            "crf": {"minimum": 4, "maximum": 63},
        }
        assert (codecs["gif"]["audioCodecs"], codecs["gif"]["crf"]) == ([], None)
        assert len(codecs) == 9

    def test_stills_have_their_files(self, api: APIClient) -> None:
        stills = api.get("/api/options/").json()["stills"]
        assert {still["imageFormat"]: still["mediaType"] for still in stills} == {
            "png": "image",
            "jpeg": "image",
            "webp": "image",
            "pdf": "document",
        }


class TestAccess:
    def test_is_for_those_who_may_use_the_api(self, settings: Any) -> None:
        assert APIClient().get("/api/options/").status_code == 401
        with override_settings(API_ALLOW_ANONYMOUS=True):
            assert APIClient().get("/api/options/").status_code == 200

    @pytest.mark.parametrize("method", ["post", "put", "patch", "delete"])
    def test_is_to_be_read(self, api: APIClient, method: str) -> None:
        response = getattr(api, method)("/api/options/")
        assert (response.status_code, response.json()["code"]) == (405, "method_not_allowed")

    def test_takes_no_parameters(self, api: APIClient) -> None:
        response = api.get("/api/options/?codec=h264")
        assert (response.status_code, response.json()["code"]) == (400, "unknown_parameter")

    def test_asks_the_database_nothing_beyond_the_user(self, api: APIClient, django_assert_num_queries: Any) -> None:
        with django_assert_num_queries(0):
            assert api.get("/api/options/").status_code == 200


def test_options_that_are_refused_are_answered_by_name() -> None:
    response = exception_handler(InvalidOptions({"crf": "Send less.", "codec": "Send h264."}), {})
    assert response
    assert response.status_code == 400
    assert response.data["error"] == "options.crf: Send less."
    assert response.data["code"] == "invalid_request"
    assert response.data["details"] == {"options": {"crf": ["Send less."], "codec": ["Send h264."]}}
