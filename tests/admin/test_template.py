import html
import json
import re
from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import User
from django.test import Client

from renders.models import Template
from renders.remotion.compositions import Composition
from renders.remotion.errors import FunctionMissing
from renders.services.templates import sync
from tests.factories import grant, make_render, make_template

pytestmark = pytest.mark.django_db
LIST = "/admin/renders/template/"
SCHEMA = {"type": "object", "properties": {"title": {"type": "string"}}}
PROMO = Composition(
    id="Promo",
    width=1280,
    height=720,
    fps=30,
    duration_in_frames=150,
    default_props={"title": "<b>"},
    default_codec=None,
)


@pytest.fixture
def editor(user: User, client: Client) -> Client:
    """Staff who may view and change templates, and nothing else."""
    User.objects.filter(pk=user.pk).update(is_staff=True)
    grant(user, "view_template", "change_template")
    client.force_login(user)
    return client


@pytest.fixture
def sites(monkeypatch: pytest.MonkeyPatch) -> dict[str, list[Composition]]:
    sites = {"renderhub": [PROMO]}

    def list_compositions(target: object, *, serve_url: str, input_props: object) -> list[Composition]:
        if serve_url not in sites:
            raise FunctionMissing("There is no function.")
        return sites[serve_url]

    monkeypatch.setattr(sync, "list_compositions", list_compositions)
    return sites


def page(client: Client, path: str) -> str:
    response = client.get(path)
    assert response.status_code == 200
    return html.unescape(response.content.decode())


def form_of(client: Client, path: str) -> dict[str, str]:
    """Return what the form at the address would send if nothing were changed."""
    form = client.get(path).context["adminform"].form
    shown = {name: form[name].value() for name in form.fields}
    return {name: "on" if value is True else str(value) for name, value in shown.items() if value not in (None, False)}


def send(client: Client, path: str, **fields: str) -> dict[str, list[str]]:
    """Send the form with these fields changed. Return its errors, none if it was saved."""
    response = client.post(path, {name: value for name, value in {**form_of(client, path), **fields}.items() if value})
    if response.status_code == 302:
        return {}
    assert response.status_code == 200
    errors: dict[str, list[str]] = response.context["adminform"].form.errors
    return {name: [html.unescape(str(sentence)) for sentence in sentences] for name, sentences in errors.items()}


def act(client: Client, action: str, *templates: Template) -> str:
    data = {"action": action, "_selected_action": [str(template.pk) for template in templates]}
    return html.unescape(client.post(LIST, data, follow=True).content.decode())


class TestList:
    def test_it_tells_what_staff_ask_first(self, admin: Client) -> None:
        make_template("fixed", length="fixed", duration_in_frames=1500, width=1280, height=720, fps=29.97)
        make_template("drafted", site="other", input_schema=SCHEMA, input_schema_is_draft=True)
        make_template("confirmed", input_schema=SCHEMA, enabled=False, length="input_props")
        content = page(admin, LIST)
        for words in (
            "1,500 frames", "1280×720, 29.97\N{NO-BREAK SPACE}fps", "Any object", "Draft", "Confirmed", "Disabled",
            ">–<", ">by inputProps<", ">unknown<",
        ):  # fmt: skip
            assert words in content

    def test_renders_of_a_template_are_a_click_away(self, admin: Client) -> None:
        template = make_template("promo")
        own, other = make_render(template=template), make_render()
        (link,) = re.findall(r'<a class="link" href="([^"]+\?template[^"]+)">Renders</a>', page(admin, LIST))
        content = page(admin, link)
        assert str(own) in content
        assert str(other) not in content

    def test_queries_do_not_grow_with_the_list(self, admin: Client, django_assert_num_queries: Any) -> None:
        for n in range(4):
            make_template(f"t{n}", input_schema=SCHEMA)
            with django_assert_num_queries(3):  # the session, its user, the templates
                page(admin, LIST)

    @pytest.mark.parametrize(
        "query", ["q=promo", "enabled__exact=1", "input_schema_is_draft__exact=0", "length__exact=fixed"]
    )
    def test_it_is_searched_and_filtered(self, admin: Client, query: str) -> None:
        make_template("promo", length="fixed", duration_in_frames=1)
        make_template("x", composition="X", enabled=False, input_schema_is_draft=True)
        content = page(admin, f"{LIST}?{query}")
        assert ">promo</a>" in content
        assert ">x</a>" not in content


class TestForm:
    def test_a_template_is_added(self, admin: Client) -> None:
        errors = send(admin, f"{LIST}add/", name="promo", composition="Promo", input_schema=json.dumps(SCHEMA))
        assert errors == {}
        template = Template.objects.get()
        assert (template.default_input_props, template.default_options, template.allowed_options) == ({}, {}, None)
        assert (template.input_schema, template.enabled, template.version) == (SCHEMA, True, 1)

    def test_saving_without_a_change_changes_nothing(self, admin: Client) -> None:
        template = make_template(
            default_input_props={"b": [1, {"c": "é"}], "a": 1.5}, input_schema=SCHEMA, default_options={"crf": 18},
            allowed_options=[], fps=29.97, width=5, synced={"width": "x"},
        )  # fmt: skip
        before = Template.objects.values().get()
        assert send(admin, f"{LIST}{template.pk}/change/") == {}
        after = Template.objects.values().get()
        assert {**before, "updated_at": None} == {**after, "updated_at": None}

    def test_json_is_pretty_and_shown_safely(self, admin: Client) -> None:
        template = make_template(default_input_props={"title": "</textarea><script>alert(1)</script>é"})
        content = admin.get(f"{LIST}{template.pk}/change/").content.decode()
        assert (
            "{\n  &quot;title&quot;: &quot;&lt;/textarea&gt;&lt;script&gt;alert(1)&lt;/script&gt;é&quot;\n}" in content
        )
        assert "<script>alert(1)" not in content
        assert "font-mono" in content

    def test_a_change_raises_the_version_and_is_in_the_history(self, admin: Client) -> None:
        template = make_template(input_schema=SCHEMA, input_schema_is_draft=True)
        assert send(admin, f"{LIST}{template.pk}/change/", input_schema_is_draft="") == {}
        template.refresh_from_db()
        assert (template.input_schema_is_draft, template.version) == (False, 1)
        assert send(admin, f"{LIST}{template.pk}/change/", default_input_props='{"a": 1}') == {}
        template.refresh_from_db()
        assert (template.default_input_props, template.version) == ({"a": 1}, 2)
        told = [entry.get_change_message() for entry in LogEntry.objects.order_by("pk")]
        assert told == ["Changed The schema is a draft.", "Changed Default input props."]

    @pytest.mark.parametrize(
        ("field", "value", "sentence"),
        [
            ("name", "two words", "Enter a valid"),
            ("site", "two words", "Use the name of a site"),
            ("default_input_props", "{", "This is no JSON that can be used: Expecting property name"),
            ("default_input_props", "[1]", "Use a JSON object."),
            ("default_input_props", '{"a": NaN}', "This is no JSON that can be used: NaN is not a number"),
            ("default_input_props", "[" * 5000, "This is no JSON that can be used: it is nested deeper"),
            ("input_schema", '{"type": "text"}', 'type: "text" is not a type'),
            ("input_schema", '{"pattern": "(?=a)"}', "pattern: This pattern cannot be used"),
            ("input_schema", '{"$ref": "https://example.com/"}', "$ref: "),
            ("default_options", '{"codec": "avi"}', "codec: "),
            ("allowed_options", '"codec"', "Use a list of names"),
            ("length", "fixed", ""),
        ],
    )
    def test_a_mistake_is_told_beside_its_field(self, admin: Client, field: str, value: str, sentence: str) -> None:
        template = make_template()
        before = Template.objects.values().get()
        path = f"{LIST}{template.pk}/change/"
        errors = send(admin, path, **{field: value})
        if field == "length":
            assert errors == {"duration_in_frames": ["A fixed length needs the number of frames."]}
        else:
            assert list(errors) == [field]
            assert errors[field][0].startswith(sentence)
        response = admin.post(path, {**form_of(admin, path), field: value})
        assert html.escape(value) in response.content.decode()
        assert Template.objects.values().get() == before

    def test_a_change_made_meanwhile_is_not_undone_unseen(self, admin: Client) -> None:
        template = make_template()
        path = f"{LIST}{template.pk}/change/"
        opened = form_of(admin, path)
        template.default_input_props = {"a": 1}
        template.save()
        response = admin.post(path, {**opened, "title": "mine"})
        assert "has changed this template meanwhile" in response.content.decode()
        template.refresh_from_db()
        assert (template.title, template.default_input_props) == ("", {"a": 1})

    def test_an_example_request_is_shown(self, admin: Client) -> None:
        template = make_template("promo", default_input_props={"title": "a"})
        assert '"template": "promo"' in page(admin, f"{LIST}{template.pk}/change/")

    def test_whoever_may_only_view_reads_it(self, user: User, client: Client) -> None:
        User.objects.filter(pk=user.pk).update(is_staff=True)
        grant(user, "view_template")
        client.force_login(user)
        template = make_template(input_schema=SCHEMA)
        content = page(client, f"{LIST}{template.pk}/change/")
        assert 'name="_save"' not in content
        assert "Sync from the site" not in page(client, LIST)
        assert client.post(f"{LIST}sync/").status_code == 403


class TestDelete:
    def test_one_with_renders_is_never_deleted(self, admin: Client) -> None:
        template = make_template()
        make_render(template=template)
        assert admin.post(f"{LIST}{template.pk}/delete/", {"post": "yes"}).status_code == 403
        assert "deletelink" not in page(admin, f"{LIST}{template.pk}/change/")
        assert Template.objects.exists()

    def test_one_that_was_a_mistake_can_be(self, admin: Client) -> None:
        template = make_template()
        assert admin.post(f"{LIST}{template.pk}/delete/", {"post": "yes"}).status_code == 302
        assert not Template.objects.exists()

    def test_there_is_no_action_that_deletes(self, admin: Client) -> None:
        template = make_template()
        assert "delete_selected" not in page(admin, LIST)
        act(admin, "delete_selected", template)
        assert Template.objects.exists()


class TestSync:
    def test_a_button_syncs_the_site_of_the_settings(self, editor: Client, sites: dict[str, list[Composition]]) -> None:
        assert "Sync from the site" in page(editor, LIST)
        content = editor.post(f"{LIST}sync/", follow=True).content.decode()
        assert "1 created, 0 updated, 0 disabled, 0 unchanged.<br>created   promo" in content
        sites["renderhub"] = [
            Composition(**{**{name: getattr(PROMO, name) for name in PROMO.__struct_fields__}, "fps": 60})
        ]
        assert "<br>updated   promo: frames a second" in editor.post(f"{LIST}sync/", follow=True).content.decode()
        assert [entry.get_change_message() for entry in LogEntry.objects.order_by("pk")] == [
            "Made by a sync.",
            "Sync: frames a second.",
        ]

    def test_an_action_syncs_the_sites_of_the_chosen_ones(
        self, editor: Client, sites: dict[str, list[Composition]]
    ) -> None:
        sites["other"] = [PROMO]
        chosen = make_template("a", site="other", composition="Gone")
        content = act(editor, "sync_sites", chosen)
        assert "1 created, 0 updated, 1 disabled, 0 unchanged.<br>created   promo<br>disabled  a" in content
        assert set(Template.objects.values_list("site", flat=True)) == {"other"}

    def test_one_sentence_says_why_it_could_not(self, editor: Client, sites: dict[str, list[Composition]]) -> None:
        sites.clear()
        assert "There is no function." in editor.post(f"{LIST}sync/", follow=True).content.decode()

    def test_a_link_alone_syncs_nothing(self, editor: Client, sites: dict[str, list[Composition]]) -> None:
        assert editor.get(f"{LIST}sync/").status_code == 405
        assert not Template.objects.exists()


class TestActions:
    def test_schemas_are_drafted_where_there_is_none(self, editor: Client) -> None:
        without = make_template("a", default_input_props={"title": "x"})
        assert "1 drafted" in act(editor, "draft_schemas", without, make_template("b", input_schema=SCHEMA))
        without.refresh_from_db()
        assert without.input_schema_is_draft
        assert without.input_schema
        assert without.input_schema["properties"] == {"title": {"type": "string"}}
        assert Template.objects.get(name="b").input_schema == SCHEMA

    def test_drafts_are_confirmed(self, editor: Client) -> None:
        draft = make_template("a", input_schema=SCHEMA, input_schema_is_draft=True)
        wrong = make_template("b", input_schema=SCHEMA, input_schema_is_draft=True, default_input_props={"title": 5})
        content = act(editor, "confirm_schemas", draft, wrong, make_template("c"))
        assert "1 confirmed" in content
        assert "Template b: The schema refuses inputProps.title of the default input props: Send a string." in content
        assert list(Template.objects.filter(input_schema_is_draft=True)) == [wrong]

    def test_versions_are_raised(self, editor: Client) -> None:
        chosen = make_template("a")
        make_template("b")
        assert "1 raised" in act(editor, "raise_versions", chosen)
        assert dict(Template.objects.values_list("name", "version")) == {"a": 2, "b": 1}
        assert LogEntry.objects.get().object_id == str(chosen.pk)
