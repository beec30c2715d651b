import html
import json
import re
from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import User
from django.test import Client

from renders.models import Quota, Render, Template, WebhookEndpoint
from renders.services.dispatch import dispatch_next
from tests.factories import INPUT_PROPS, grant, make_render, make_template
from tests.servers import ScriptedServer

pytestmark = pytest.mark.django_db
ADD = "/admin/renders/render/add/"
SCHEMA = {
    "type": "object",
    "required": ["title"],
    "additionalProperties": False,
    "properties": {
        "title": {"type": "string", "minLength": 2},
        "size": {"type": "integer", "maximum": 100},
        "scenes": {"type": "array", "items": {"type": "object", "required": ["text"]}},
    },
}
CODE = {"props.code": "Sale", "props.durationInFrames": "150", "props.fps": "30"}


@pytest.fixture
def starter(user: User, client: Client) -> Client:
    """Staff who may start renders, and nothing else."""
    User.objects.filter(pk=user.pk).update(is_staff=True)
    grant(user, "add_render")
    client.force_login(user)
    return client


@pytest.fixture
def promo() -> Template:
    return make_template(input_schema=SCHEMA, default_input_props={"size": 9}, length="fixed", duration_in_frames=120)


def shown(client: Client, address: str = ADD) -> dict[str, str]:
    """Return what a browser would send if nothing were changed in the form at the address."""
    forms = client.get(address).context["forms"]
    data = {"key": forms.key}
    for form in (forms.start, forms.props, forms.options):
        for name in form.fields:
            value = form[name].value()
            if value not in (None, "", False):
                data.setdefault(name, "on" if value is True else str(value))
    return data


def press(client: Client, button: str, address: Any = ADD, data: Any = None, **changes: str) -> Any:
    """Press a button of the form, with fields changed."""
    sent = {**(shown(client, address) if data is None else data), **changes, button: "1"}
    return client.post(address, sent)


def errors(response: Any) -> dict[str, list[str]]:
    """Return the sentences beside the fields of a page; those above all under ``__all__``."""
    assert response.status_code == 200
    forms = response.context["forms"]
    found: dict[str, list[str]] = {}
    for form in (forms.start, forms.props, forms.options):
        for name, sentences in form.errors.items():
            found.setdefault(name, []).extend(html.unescape(str(sentence)) for sentence in sentences)
    return found


def text(response: Any) -> str:
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", response.content.decode())).split())


def started(response: Any) -> Render:
    """Return the render whose page the answer leads to."""
    assert response.status_code == 302, errors(response)
    (pk,) = re.findall(r"/admin/renders/render/([^/]+)/change/", response.url)
    return Render.objects.get(pk=pk)


class TestPage:
    def test_it_needs_the_permission(self, user: User, client: Client) -> None:
        User.objects.filter(pk=user.pk).update(is_staff=True)
        grant(user, "view_render", "change_render")
        client.force_login(user)
        assert client.get(ADD).status_code == 403
        assert client.post(ADD, CODE).status_code == 403
        assert "/render/add/" not in client.get("/admin/renders/render/").content.decode()

    def test_the_list_leads_to_it(self, admin: Client) -> None:
        assert "/admin/renders/render/add/" in admin.get("/admin/renders/render/").content.decode()

    def test_templates_are_offered_and_disabled_ones_are_not(self, admin: Client, promo: Template) -> None:
        make_template("old", enabled=False)
        content = admin.get(ADD).content.decode()
        assert '<option value="promo">promo</option>' in content
        assert 'value="old"' not in content

    def test_a_template_that_is_gone_is_told(self, admin: Client) -> None:
        response = admin.get(f"{ADD}?template=prom", follow=True)
        assert response.redirect_chain == [(ADD, 302)]
        assert "There is no template prom." in text(response)

    def test_what_the_schema_says_is_shown_safely(self, admin: Client) -> None:
        evil = "</textarea><script>alert(1)</script>"
        schema = {"type": "object", "properties": {evil: {"title": evil, "description": evil, "enum": [evil]}}}
        make_template("evil", title=evil, input_schema=schema, default_input_props={"other": evil})
        for response in (admin.get(f"{ADD}?template=evil"), press(admin, "_check", f"{ADD}?template=evil")):
            assert "<script>alert(1)" not in response.content.decode()

    def test_a_template_of_one_frame_is_a_still(self, admin: Client) -> None:
        make_template("cover", length="fixed", duration_in_frames=1)
        assert shown(admin, f"{ADD}?template=cover")["kind"] == "still"

    def test_only_who_may_see_users_chooses_an_owner(self, starter: Client, user: User, staff: User) -> None:
        assert "owner" not in starter.get(ADD).context["forms"].start.fields
        response = press(starter, "_start", **CODE, owner=str(staff.pk))
        assert response.url == "/admin/"
        assert Render.objects.get().owner == user

    def test_queries_do_not_grow(self, admin: Client, promo: Template, django_assert_max_num_queries: Any) -> None:
        for n in range(20):
            make_template(f"t{n}")
            make_render(template=promo, owner=User.objects.create_user(f"u{n}"))
        with django_assert_max_num_queries(6):
            admin.get(f"{ADD}?template=promo")


class TestCheck:
    def test_it_tells_slots_cost_and_length_and_stores_nothing(
        self, admin: Client, promo: Template, aws: ScriptedServer
    ) -> None:
        make_render("succeeded", template=promo, duration_in_frames=60, cost=0.01, currency="USD")
        response = press(admin, "_check", f"{ADD}?template=promo", **{"props.title": "Sale"})
        assert errors(response) == {}
        assert "Slots 3 of 200 Estimated cost 0.0200 USD Length 120 frames" in text(response)
        assert Render.objects.count() == 1
        assert aws.requests == []

    def test_a_script_gets_the_summary_alone(self, admin: Client) -> None:
        response = press(admin, "_summary", **CODE)
        assert text(response).startswith("Slots 4 of 200 Estimated cost Unknown Length 150 frames, 5.0 s warning")
        assert "<form" not in response.content.decode()

    def test_before_anything_is_filled_in_the_summary_says_what_is_needed(self, admin: Client) -> None:
        response = press(admin, "_summary", _untouched="1")
        assert text(response).startswith("Fill in Code .")
        assert "start-errors" not in response.content.decode()

    def test_what_stands_in_the_way_is_told(self, admin: Client, staff: User) -> None:
        Quota.objects.create(owner=staff, max_waiting=0, max_functions=0)
        response = press(admin, "_check", **CODE)
        assert "Slots 4 of 200; grace may use 0 at once" in text(response)
        assert "No slots are free for it now: it would be queued." in text(response)
        assert errors(response)["__all__"][0].startswith("0 renders of grace are queued and 0 may be")

    def test_settings_that_are_not_complete_are_told(self, admin: Client, settings: Any) -> None:
        settings.REMOTION_AWS_ACCESS_KEY_ID = ""
        found = errors(press(admin, "_check", **CODE))
        assert found["__all__"] == ["Set up Remotion Lambda to render videos. See the README.md for how to do so."]


class TestStart:
    def test_the_default_template_is_queued_and_the_worker_starts_it(
        self, admin: Client, staff: User, aws: ScriptedServer
    ) -> None:
        render = started(press(admin, "_start", **CODE, props_others='{"colour": "red"}', **{"options.crf": "20"}))
        assert render.input_props == {"code": "Sale", "durationInFrames": 150, "fps": 30, "colour": "red"}
        assert (render.status, render.owner, render.template, render.options) == ("queued", staff, None, {"crf": 20})
        assert aws.requests == []
        dispatch_next()
        assert Render.objects.get().status == "rendering"

    def test_a_template_gets_what_its_form_says(self, admin: Client, promo: Template, aws: ScriptedServer) -> None:
        data = {"props.title": "Sale", "props.scenes": '[{"text": "a"}]', "poster": "1.5 s", "options.muted": "true"}
        render = started(press(admin, "_start", f"{ADD}?template=promo", **data))
        assert render.input_props == {"title": "Sale", "size": 9, "scenes": [{"text": "a"}]}
        assert (render.template, render.template_version, render.options) == (promo, 1, {"muted": True})
        assert render.poster_request == {"seconds": 1.5}

    def test_everything_else_reaches_the_row(self, admin: Client, user: User, aws: ScriptedServer) -> None:
        data = {
            "kind": "still", "frame": "-1", "owner": str(user.pk), "priority": "5", "external_id": "order-7",
            "metadata": '{"shop": "berlin"}', "webhook_url": "https://example.com/hook",
        }  # fmt: skip
        render = started(press(admin, "_start", **CODE, **data))
        assert (render.kind, render.frame, render.owner, render.priority) == ("still", -1, user, 5)
        assert (render.external_id, render.metadata) == ("order-7", {"shop": "berlin"})
        assert render.webhook_url == "https://example.com/hook"
        assert WebhookEndpoint.objects.filter(owner=user, url="").exists()

    def test_it_is_in_the_log(self, admin: Client, staff: User, aws: ScriptedServer) -> None:
        render = started(press(admin, "_start", **CODE))
        entry = LogEntry.objects.get()
        assert (entry.object_id, entry.user, entry.get_change_message()) == (
            str(render.pk),
            staff,
            "Started with the form.",
        )

    def test_pressing_twice_makes_one_render(self, admin: Client, aws: ScriptedServer) -> None:
        data = {**shown(admin), **CODE}
        first, second = (started(press(admin, "_start", data=data)) for _ in range(2))
        assert first == second
        assert Render.objects.count() == LogEntry.objects.count() == 1

    def test_pressing_again_while_the_worker_starts_it_leads_to_it(self, admin: Client, aws: ScriptedServer) -> None:
        data = {**shown(admin), **CODE}
        first = started(press(admin, "_start", data=data))
        Render.objects.update(status="submitting", submitted_at=first.created_at)
        assert started(press(admin, "_start", data=data)) == first

    def test_going_back_and_changing_something_takes_a_second_press(self, admin: Client, aws: ScriptedServer) -> None:
        data = {**shown(admin), **CODE}
        first = started(press(admin, "_start", data=data))
        response = press(admin, "_start", data={**data, "props.code": "Other"})
        (sentence,) = errors(response)["__all__"]
        assert sentence.startswith("This form has started a render already.")
        assert str(first.pk) in sentence
        again = {**data, "props.code": "Other", "key": response.context["forms"].key}
        (key,) = re.findall(r'name="key" value="(\w+)"', response.content.decode())
        assert started(press(admin, "_start", data={**again, "key": key})) != first
        assert Render.objects.count() == 2

    def test_two_forms_are_two_renders(self, admin: Client, aws: ScriptedServer) -> None:
        assert started(press(admin, "_start", **CODE)) != started(press(admin, "_start", **CODE))

    def test_an_earlier_render_of_the_same_is_shown_instead(self, admin: Client, aws: ScriptedServer) -> None:
        first = started(press(admin, "_start", **CODE))
        assert started(press(admin, "_start", **CODE, reuse="on")) == first

    def test_a_form_without_a_token_is_refused(self, staff: User) -> None:
        client = Client(enforce_csrf_checks=True)
        client.force_login(staff)
        assert client.post(ADD, {**CODE, "_start": "1"}).status_code == 403


class TestMistakes:
    @pytest.mark.parametrize(
        ("name", "value", "sentence"),
        [
            ("props.title", "x", "Send at least 2 characters."),
            ("props.title", "", "It is required."),
            ("props.size", "101", "Send at most 100."),
            ("props.size", "1.5", "Send a whole number."),
            ("props.size", "big", "Send a number."),
            ("props.scenes", "[{}]", "[0].text: It is required."),
            ("props.scenes", "[", "This is no JSON that can be used: "),
            ("props.scenes", "[" * 5000, "This is no JSON that can be used: it is nested deeper"),
            ("props.scenes", '["\\u0000"]', "This is no JSON that can be used: it has text"),
            ("options.crf", "99", "Send a whole number from 0 to 63."),
            ("options.codec", "avi", "Send h264, h265"),
            ("options.scale", "1e999", "Send a number from 0.05 to 16."),
            ("options.frameRange", "[0, 500]", "The composition has 120 frames: the last one is 119."),
            ("options.chromiumOptions", '{"gl": "angle"}', "gl: A function has no graphics card"),
            ("options.numberOfGifLoops", "1", "The codec h264 does not take it."),
            ("kind", "film", "Select a valid choice."),
            ("frame", "3", "A video has no frame: leave it out."),
            ("frame", "9" * 30, "Send the number of a frame"),
            ("poster", "soon", "Send a frame such as 30, or a time such as 1.5 s."),
            ("poster", "500", "The composition has 120 frames: send 0 to 119"),
            ("priority", "51", "Send a whole number from -50 to 50."),
            ("owner", "0", "There is no active user of this id."),
            ("owner", "9" * 30, "There is no active user of this id."),
            ("owner", "x", "There is no active user of this id."),
            ("external_id", "x" * 256, "Ensure this value has at most 255 characters"),
            ("external_id", "\0", "Null characters are not allowed."),
            ("metadata", '{"a": 1}', "Send an object of strings"),
            ("webhook_url", "ftp://example.com", "Send a URL that begins with https://"),
            ("template_version", "7", "The template has changed since this page was opened"),
            ("template_version", "x", "Enter a whole number."),
        ],
    )
    @pytest.mark.parametrize("button", ["_start", "_check"])
    def test_each_is_told_beside_its_field(
        self, admin: Client, promo: Template, name: str, value: str, sentence: str, button: str
    ) -> None:
        data = {**shown(admin, f"{ADD}?template=promo"), "props.title": "Sale", name: value}
        response = press(admin, button, f"{ADD}?template=promo", data=data)
        found = errors(response)
        at = "__all__" if name == "template_version" and value == "7" else name
        assert list(found) == [at]
        assert found[at][0].startswith(sentence)
        assert html.escape(value)[:500] in response.content.decode() or name in ("kind", "owner", "options.codec")
        assert not Render.objects.exists()

    def test_what_is_wrong_in_several_parts_is_told_at_once(self, admin: Client, promo: Template) -> None:
        data = {
            "props.title": "x",
            "props.size": "big",
            "options.crf": "99",
            "options.frameRange": "a-b",
            "poster": "soon",
            "metadata": "[1]",
            "webhook_url": "no url",
        }
        assert set(errors(press(admin, "_start", f"{ADD}?template=promo", **data))) == set(data)

    def test_a_field_that_cannot_be_read_is_not_told_to_be_missing_too(self, admin: Client, promo: Template) -> None:
        found = errors(press(admin, "_start", f"{ADD}?template=promo", **{"props.title": "x", "props.scenes": "["}))
        assert {name: len(sentences) for name, sentences in found.items()} == {"props.title": 1, "props.scenes": 1}

    @pytest.mark.parametrize("props", ["{bad", "[]"])
    def test_json_that_cannot_be_read_is_told_once_beside_a_wrong_option(
        self, admin: Client, promo: Template, props: str
    ) -> None:
        address = f"{ADD}?template=promo"
        data = {**shown(admin, address), "props": props, "options.crf": "99"}
        found = errors(press(admin, "_start", address, data=data))
        assert {name: len(sentences) for name, sentences in found.items()} == {"props": 1, "options.crf": 1}

    def test_a_priority_over_0_needs_its_permission(self, starter: Client) -> None:
        assert "priority" in errors(press(starter, "_start", **CODE, priority="1"))
        assert press(starter, "_start", **CODE, priority="-1").status_code == 302

    def test_a_priority_that_the_owners_quota_refuses_is_told(self, admin: Client, staff: User) -> None:
        Quota.objects.create(owner=staff, max_priority=0)
        assert "The highest priority" in errors(press(admin, "_start", **CODE, priority="1"))["priority"][0]

    def test_a_template_disabled_meanwhile_starts_nothing(self, admin: Client, promo: Template) -> None:
        data = {**shown(admin, f"{ADD}?template=promo"), "props.title": "Sale"}
        Template.objects.update(enabled=False)
        response = press(admin, "_start", f"{ADD}?template=promo", data=data)
        assert "The template promo is disabled" in errors(response)["__all__"][0]
        assert not Render.objects.exists()

    @pytest.mark.parametrize(
        "data", [{}, {"_start": "1"}, {"_json": "1"}, {"_fields": "1"}, {"props": "{"}, {"key": "x"}]
    )
    def test_a_post_of_anything_is_answered_with_the_page(self, admin: Client, data: dict[str, str]) -> None:
        assert admin.post(ADD, data).status_code == 200


class TestInputAsJson:
    def test_it_has_what_the_fields_had_and_back(self, admin: Client, promo: Template) -> None:
        address = f"{ADD}?template=promo"
        as_json = press(admin, "_json", address, **{"props.title": "Sale"})
        props = as_json.context["forms"].props["props"].value()
        assert json.loads(props) == {"title": "Sale", "size": 9}
        data = {"kind": "video", "props": '{"title": "Other", "size": 3}'}
        fields = press(admin, "_fields", address, data=data).context["forms"].props
        assert (fields["props.title"].value(), fields["props.size"].value()) == ("Other", "3")

    def test_a_render_is_started_from_it(self, admin: Client, promo: Template, aws: ScriptedServer) -> None:
        data = {"kind": "video", "props": '{"title": "Sale"}'}
        render = started(press(admin, "_start", f"{ADD}?template=promo", data=data))
        assert render.input_props == {"title": "Sale", "size": 9}

    def test_its_mistakes_have_their_paths(self, admin: Client, promo: Template) -> None:
        data = {"kind": "video", "props": '{"title": "Sale", "scenes": [{}]}'}
        found = errors(press(admin, "_start", f"{ADD}?template=promo", data=data))
        assert found == {"props": ["scenes[0].text: It is required."]}

    @pytest.mark.parametrize("props", ['{"title": 5}', '{"title": "ab", "more": 1}', '{"size": null}'])
    def test_values_that_the_fields_cannot_show_stay(self, admin: Client, promo: Template, props: str) -> None:
        data = {"kind": "video", "props": props}
        response = press(admin, "_fields", f"{ADD}?template=promo", data=data)
        assert errors(response) == {"props": ["The fields cannot show these values: edit them as JSON."]}
        assert html.escape(props) in response.content.decode()


class TestRepeat:
    def test_the_form_shows_the_render_and_a_change_makes_another(
        self, admin: Client, user: User, promo: Template, aws: ScriptedServer
    ) -> None:
        first = make_render(
            "failed", owner=user, template=promo, input_props={"title": "Sale", "size": 5}, options={"crf": 30},
            metadata={"shop": "berlin"}, external_id="order-7", poster_request={"seconds": 1}, priority=-3,
        )  # fmt: skip
        again = started(press(admin, "_start", f"{ADD}?repeat={first.pk}", **{"props.size": "7"}))
        assert (again.input_props, again.options) == ({"title": "Sale", "size": 7}, {"crf": 30})
        kept = ("owner", "template", "metadata", "external_id", "poster_request", "priority", "kind")
        assert [getattr(again, name) for name in kept] == [getattr(first, name) for name in kept]
        assert again.retry_of == first
        told = {entry.object_id: entry.get_change_message() for entry in LogEntry.objects.all()}
        assert told == {
            str(first.pk): f"Repeated with changes as {again.pk}.",
            str(again.pk): f"Started as a repeat of {first.pk}.",
        }

    def test_one_of_the_default_template_is_shown_too(self, admin: Client, aws: ScriptedServer) -> None:
        first = make_render("succeeded", input_props={**INPUT_PROPS, "colour": "red"})
        again = started(press(admin, "_start", f"{ADD}?repeat={first.pk}"))
        assert again.input_props == first.input_props

    def test_its_input_can_go_to_another_template(self, admin: Client, promo: Template, aws: ScriptedServer) -> None:
        make_template("other")
        first = make_render("succeeded", template=promo, input_props={"title": "Sale"})
        again = started(press(admin, "_start", f"{ADD}?repeat={first.pk}&template=other"))
        assert (again.template.name, again.input_props) == ("other", {"title": "Sale"})  # type: ignore[union-attr]

    def test_who_may_not_see_renders_may_not_repeat_one(self, starter: Client) -> None:
        assert starter.get(f"{ADD}?repeat={make_render().pk}").status_code == 403

    @pytest.mark.parametrize("pk", ["3127bc58-700d-45f9-af1d-393bda70afe0", "none", "%00"])
    def test_one_that_is_gone_is_told(self, admin: Client, pk: str) -> None:
        assert "There is no such render to repeat." in text(admin.get(f"{ADD}?repeat={pk}", follow=True))
