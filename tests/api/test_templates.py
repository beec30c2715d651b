import base64
from typing import Any
from urllib.parse import urlsplit

import pytest
from django.contrib.auth.models import User
from rest_framework.test import APIClient

from renders.models import Template
from renders.services.templates.draft import draft_schema
from tests.factories import grant, make_template
from tests.servers import ScriptedServer

pytestmark = pytest.mark.django_db
LIST = "/api/templates/"
SITE = "https://videos.example.com/sites/secret/index.html"
PROPS = {"title": "a", "scenes": [1]}
SCHEMA = {"type": "object", "properties": {"title": {"type": "string"}}, "required": ["title"]}


@pytest.fixture
def staff_api(user: User) -> APIClient:
    grant(user, "view_template", "add_template", "change_template")
    client = APIClient(raise_request_exception=False)
    client.force_authenticate(User.objects.get(pk=user.pk))
    return client


class TestList:
    def test_enabled_ones_are_listed_by_name(self, api: APIClient) -> None:
        for name in ("b", "a", "c"):
            make_template(name, enabled=name != "c", default_input_props=PROPS)
        response = api.get(LIST)
        assert response.status_code == 200
        assert [template["name"] for template in response.json()["results"]] == ["a", "b"]
        assert set(response.json()) == {"results", "next", "previous"}
        assert not {"defaultInputProps", "inputSchema", "example", "site"} & set(response.json()["results"][0])

    def test_pages_follow_each_other(self, api: APIClient) -> None:
        for n in range(5):
            make_template(f"t{n}")
        seen, address = [], f"{LIST}?pageSize=2"
        while address:
            body = api.get(address).json()
            seen += [template["name"] for template in body["results"]]
            address = body["next"] or ""
        assert seen == ["t0", "t1", "t2", "t3", "t4"]

    def test_disabled_ones_take_a_permission(self, api: APIClient, staff_api: APIClient, user: User) -> None:
        make_template("old", enabled=False)
        make_template("new")
        assert [found["name"] for found in staff_api.get(f"{LIST}?enabled=false").json()["results"]] == ["old"]
        assert [found["name"] for found in staff_api.get(f"{LIST}?enabled=true").json()["results"]] == ["new"]
        user.user_permissions.clear()
        api.force_authenticate(User.objects.get(pk=user.pk))
        response = api.get(f"{LIST}?enabled=false")
        assert response.status_code == 403
        assert "renders.view_template" in response.json()["error"]

    @pytest.mark.parametrize(
        ("query", "name"), [("enabled=1", "enabled"), ("pageSize=0", "pageSize"), ("q=a", "q"), ("cursor=x", "cursor")]
    )
    def test_other_parameters_are_refused(self, api: APIClient, query: str, name: str) -> None:
        response = api.get(f"{LIST}?{query}")
        assert response.status_code == 400
        assert list(response.json()["details"]) == [name]

    def test_a_forged_cursor_is_refused(self, api: APIClient) -> None:
        make_template("a")
        cursor = base64.b64encode(b"p=%00").decode()
        assert api.get(LIST, {"cursor": cursor}).status_code == 400

    def test_queries_do_not_grow_with_the_list(
        self, api: APIClient, user: User, django_assert_num_queries: Any
    ) -> None:
        make_template("a")
        for n in range(5):
            api.force_authenticate(User.objects.get(pk=user.pk))
            with django_assert_num_queries(3):  # the user's permissions, those of the groups, the templates
                assert api.get(LIST).status_code == 200
            make_template(f"b{n}")

    def test_reading_needs_no_permission_but_a_sign_in(self, api: APIClient, settings: Any) -> None:
        make_template("a")
        assert APIClient().get(LIST).status_code == 401
        settings.API_ALLOW_ANONYMOUS = True
        assert APIClient().get(LIST).status_code == 200
        assert APIClient().get(f"{LIST}a").status_code == 200
        assert APIClient().post(LIST, {"name": "b"}, format="json").status_code == 401


class TestOne:
    def test_it_has_all_that_a_client_needs(self, api: APIClient) -> None:
        make_template(
            "promo",
            title="Promo",
            site=SITE,
            default_input_props=PROPS,
            input_schema=SCHEMA,
            default_options={"codec": "gif"},
            allowed_options=["scale"],
            width=1280,
            height=720,
            fps=29.97,
            duration_in_frames=150,
        )
        body = api.get(f"{LIST}promo/").json()
        assert body.pop("updatedAt")
        assert body == {
            "name": "promo",
            "title": "Promo",
            "composition": "Promo",
            "version": 1,
            "width": 1280,
            "height": 720,
            "fps": 29.97,
            "length": "unknown",
            "durationInFrames": 150,
            "inputSchemaIsDraft": False,
            "allowedOptions": ["scale"],
            "reuse": False,
            "enabled": True,
            "inputSchema": SCHEMA,
            "defaultInputProps": PROPS,
            "defaultOptions": {"codec": "gif"},
            "example": {"template": "promo", "inputProps": PROPS},
        }

    @pytest.mark.parametrize(
        "fields",
        [
            {},
            {"default_input_props": PROPS, "input_schema": SCHEMA},
            {"input_schema": SCHEMA, "length": "input_props"},
            {"length": "fixed", "duration_in_frames": 30, "allowed_options": [], "default_options": {"codec": "gif"}},
            {"input_schema": draft_schema(PROPS), "input_schema_is_draft": True},
        ],
    )
    def test_its_example_is_a_body_that_starts_a_render(
        self, api: APIClient, aws: ScriptedServer, fields: dict[str, Any]
    ) -> None:
        make_template("promo", **fields)
        response = api.post("/api/renders/", api.get(f"{LIST}promo").json()["example"], format="json")
        assert response.status_code == 201
        assert (response.json()["template"], response.json()["templateVersion"]) == ("promo", 1)

    def test_the_site_takes_a_permission(self, staff_api: APIClient) -> None:
        make_template("promo", site=SITE)
        assert staff_api.get(f"{LIST}promo").json()["site"] == SITE
        assert staff_api.get(LIST).json()["results"][0]["site"] == SITE

    def test_no_answer_shows_the_site_without_it(self, api: APIClient) -> None:
        make_template("promo", site=SITE)
        for response in (api.get(LIST), api.get(f"{LIST}promo"), api.get(f"{LIST}prom"), api.options(f"{LIST}promo")):
            assert "secret" not in response.content.decode()

    def test_a_disabled_one_takes_a_permission(self, api: APIClient) -> None:
        make_template("promo", enabled=False)
        response = api.get(f"{LIST}promo")
        assert (response.status_code, response.json()["code"]) == (404, "not_found")

    def test_staff_see_a_disabled_one(self, staff_api: APIClient) -> None:
        make_template("promo", enabled=False)
        assert staff_api.get(f"{LIST}promo").json()["enabled"] is False

    @pytest.mark.parametrize("name", ["promos", "x" * 5000, "%00", "a b", "%F0%9F%99%82"])
    def test_another_name_is_404(self, api: APIClient, name: str) -> None:
        make_template("promo")
        response = api.get(f"{LIST}{name}/")
        assert response.status_code == 404
        assert set(response.json()) == {"error", "code"}
        if name == "promos":
            assert response.json()["error"] == "There is no template promos. Did you mean promo?"

    def test_it_takes_no_parameter(self, api: APIClient) -> None:
        make_template("promo")
        assert api.get(f"{LIST}promo/?a=1").json()["code"] == "unknown_parameter"

    def test_it_is_never_deleted(self, staff_api: APIClient) -> None:
        make_template("promo")
        response = staff_api.delete(f"{LIST}promo/")
        assert response.status_code == 405
        assert response.json() == {
            "error": "DELETE is not allowed here: renders keep their template, so disable it:"
            ' PATCH {"enabled": false}.',
            "code": "method_not_allowed",
        }
        assert staff_api.put(f"{LIST}promo/", {}).json()["error"].startswith("PUT is not allowed here: use GET, PATCH")
        assert Template.objects.count() == 1


class TestWrite:
    BODY = {
        "name": "promo",
        "title": "Promo",
        "site": SITE,
        "composition": "Promo",
        "defaultInputProps": PROPS,
        "inputSchema": SCHEMA,
        "defaultOptions": {"codec": "gif"},
        "allowedOptions": ["scale"],
        "length": "fixed",
        "durationInFrames": 150,
        "fps": 30,
        "width": 1280,
        "height": 720,
        "reuse": True,
        "enabled": False,
    }

    def test_staff_create_one(self, staff_api: APIClient) -> None:
        response = staff_api.post(LIST, self.BODY, format="json")
        assert response.status_code == 201
        assert urlsplit(response.headers["Location"]).path == f"{LIST}promo"
        shown = response.json()
        assert {name: shown[name] for name in self.BODY} == self.BODY
        assert staff_api.get(f"{LIST}promo").json() == shown

    def test_name_and_composition_are_enough(self, staff_api: APIClient) -> None:
        assert staff_api.post(LIST, {"name": "a", "composition": "A"}, format="json").status_code == 201
        template = Template.objects.get()
        assert (template.enabled, template.length, template.default_input_props) == (True, "unknown", {})

    def test_staff_change_a_field_and_the_version_rises(self, staff_api: APIClient) -> None:
        make_template("promo", title="old", width=5)
        response = staff_api.patch(f"{LIST}promo", {"defaultInputProps": {"a": 1}}, format="json")
        assert (response.status_code, response.json()["version"]) == (200, 2)
        assert staff_api.patch(f"{LIST}promo", {"title": "new"}, format="json").json()["version"] == 2
        template = Template.objects.get()
        assert (template.title, template.width, template.default_input_props) == ("new", 5, {"a": 1})

    def test_a_schema_that_is_sent_is_no_draft(self, staff_api: APIClient) -> None:
        make_template("promo", input_schema={}, input_schema_is_draft=True)
        assert staff_api.patch(f"{LIST}promo", {"reuse": True}, format="json").json()["inputSchemaIsDraft"] is True
        body = staff_api.patch(f"{LIST}promo", {"inputSchema": SCHEMA}, format="json").json()
        assert (body["inputSchema"], body["inputSchemaIsDraft"]) == (SCHEMA, False)
        sent = {"inputSchema": SCHEMA, "inputSchemaIsDraft": True}
        assert staff_api.patch(f"{LIST}promo", sent, format="json").json()["inputSchemaIsDraft"] is True
        assert staff_api.patch(f"{LIST}promo", {"inputSchema": None}, format="json").json()["inputSchema"] is None

    def test_a_disabled_one_can_be_enabled(self, staff_api: APIClient) -> None:
        make_template("promo", enabled=False)
        assert staff_api.patch(f"{LIST}promo", {"enabled": True}, format="json").json()["enabled"] is True

    @pytest.mark.parametrize(
        ("field", "value", "sentence"),
        [
            ("name", "two words", "Enter a valid"),
            ("name", 5, "Send a string."),
            ("name", "other", "Template with this Name already exists."),
            ("composition", "", "This field cannot be blank."),
            ("site", "two words", "Use the name of a site"),
            ("title", "x" * 256, "Ensure this value has at most 255"),
            ("defaultInputProps", None, "This field may not be null."),
            ("defaultInputProps", [1], "Use a JSON object."),
            ("inputSchema", {"type": "text"}, 'type: "text" is not a type'),
            ("inputSchema", {"$ref": "http://169.254.169.254/"}, "$ref: "),
            ("defaultOptions", {"codec": "avi"}, "codec: "),
            ("allowedOptions", ["code"], "There is no option code."),
            ("length", "long", "Use one of fixed, input_props, unknown."),
            ("length", [], "Use one of fixed, input_props, unknown."),
            ("durationInFrames", 1.5, "Send a whole number or null."),
            ("durationInFrames", 0, "Use a whole number from 1"),
            ("fps", "30", "Send a number or null."),
            ("fps", 1e300, "Send a number or null."),
            ("fps", -1, "Use a number over 0"),
            ("width", True, "Send a whole number or null."),
            ("reuse", "true", "Send true or false."),
            ("enabled", None, "Send true or false."),
            ("version", 5, "Unknown field."),
            ("id", 5, "Unknown field."),
        ],
    )
    @pytest.mark.parametrize("method", ["post", "patch"])
    def test_a_mistake_is_told_at_its_field(
        self, staff_api: APIClient, method: str, field: str, value: Any, sentence: str
    ) -> None:
        make_template("other")
        make_template("promo")
        body = {field: value} if method == "patch" else {"name": "new", "composition": "A", field: value}
        before = list(Template.objects.values())
        response = getattr(staff_api, method)(LIST if method == "post" else f"{LIST}promo/", body, format="json")
        assert response.status_code == 400
        ((name, (told, *_)),) = response.json()["details"].items()
        assert name == field
        assert told.startswith(sentence)
        assert response.json()["error"] == f"{field}: {told}"
        assert list(Template.objects.values()) == before

    def test_what_is_missing_is_told(self, staff_api: APIClient) -> None:
        assert set(staff_api.post(LIST, {}, format="json").json()["details"]) == {"name", "composition"}
        response = staff_api.post(LIST, {"name": "a", "composition": "A", "length": "fixed"}, format="json")
        assert response.json()["details"] == {"durationInFrames": ["A fixed length needs the number of frames."]}

    @pytest.mark.parametrize(
        ("method", "path", "permission"), [("post", LIST, "add_template"), ("patch", f"{LIST}promo", "change_template")]
    )
    def test_writing_takes_its_permission(
        self, api: APIClient, user: User, method: str, path: str, permission: str
    ) -> None:
        make_template("promo", enabled=False)
        others = {"view_template", "add_template", "change_template", "delete_template"} - {permission}
        grant(user, *others)
        body = {"name": "new", "composition": "A"}
        response = getattr(api, method)(path, body, format="json")
        assert (response.status_code, response.json()["code"]) == (403, "permission_denied")
        assert response.json()["error"] == f"You need the permission renders.{permission} for this."
        assert list(Template.objects.values_list("name", "composition")) == [("promo", "Promo")]
        grant(user, permission)
        api.force_authenticate(User.objects.get(pk=user.pk))
        assert getattr(api, method)(path, body, format="json").status_code in (200, 201)
        assert Template.objects.filter(name="new").exists()

    def test_options_describe_the_fields(self, staff_api: APIClient) -> None:
        described = staff_api.options(LIST).json()
        assert set(described["actions"]["POST"]) >= set(self.BODY)
        assert described["actions"]["POST"]["name"]["required"] is True
        assert set(described["query"]["GET"]) == {"pageSize", "cursor", "enabled"}
