import threading
from typing import Any

import pytest
from django.db import connection
from django.utils import timezone
from msgspec.structs import replace

from renders.models import Template
from renders.remotion.compositions import Composition
from renders.remotion.errors import SetupError, Unavailable
from renders.services.errors import Conflict
from renders.services.templates import sync
from renders.services.templates.sync import SyncResult, sync_templates
from tests.factories import make_template

pytestmark = pytest.mark.django_db
PROMO = Composition(
    id="Promo", width=1280, height=720, fps=30, duration_in_frames=150, default_props={"title": "a"}, default_codec=None
)


class Site:
    """What the function says about each site, by its serve URL."""

    def __init__(self) -> None:
        self.compositions: dict[str, list[Composition]] = {"renderhub": [PROMO]}
        self.asked: list[str] = []

    def list_compositions(self, target: Any, *, serve_url: str, input_props: Any) -> list[Composition]:
        assert target.function_name
        assert input_props == {}
        self.asked.append(serve_url)
        return self.compositions[serve_url]

    def has(self, *compositions: Composition) -> None:
        self.compositions["renderhub"] = list(compositions)


@pytest.fixture
def site(monkeypatch: pytest.MonkeyPatch) -> Site:
    site = Site()
    monkeypatch.setattr(sync, "list_compositions", site.list_compositions)
    return site


def promo() -> Template:
    return Template.objects.get(composition="Promo")


def edit(**fields: Any) -> None:
    template = promo()
    for name, value in fields.items():
        setattr(template, name, value)
    template.save()


class TestCreate:
    def test_a_composition_becomes_a_template(self, site: Site) -> None:
        assert sync_templates() == SyncResult(created=["promo"])
        template = promo()
        assert (template.name, template.title, template.site, template.enabled) == ("promo", "Promo", "", True)
        assert (template.width, template.height, template.fps, template.duration_in_frames) == (1280, 720, 30, 150)
        assert (template.default_input_props, template.default_options) == ({"title": "a"}, {})
        assert (template.length, template.version) == (Template.Length.UNKNOWN, 1)
        assert template.input_schema["properties"] == {"title": {"type": "string"}}  # type: ignore[index]
        assert template.input_schema_is_draft

    def test_a_length_among_the_props_is_given_by_the_request(self, site: Site) -> None:
        site.has(replace(PROMO, default_props={"durationInFrames": 150}))
        sync_templates()
        assert promo().length == Template.Length.INPUT_PROPS

    @pytest.mark.parametrize(("codec", "options"), [("gif", {"codec": "gif"}), ("h264", {}), ("new", {}), ("", {})])
    def test_the_codec_that_the_composition_prefers_is_the_default(
        self, site: Site, codec: str, options: dict[str, Any]
    ) -> None:
        site.has(replace(PROMO, default_codec=codec))
        sync_templates()
        assert promo().default_options == options

    def test_two_sites_with_the_same_composition_have_two_templates(self, site: Site) -> None:
        site.compositions["other"] = [PROMO]
        sync_templates()
        assert sync_templates(site="other").created == ["other-promo"]
        assert sync_templates(site="other").unchanged == ["other-promo"]
        assert sync_templates().unchanged == ["promo"]
        assert site.asked == ["renderhub", "other", "other", "renderhub"]

    def test_the_settings_site_by_its_name_is_the_same_site(self, site: Site) -> None:
        sync_templates(site="renderhub")
        assert promo().site == ""
        assert sync_templates().unchanged == ["promo"]


class TestUpdate:
    def test_nothing_changes_without_news(self, site: Site) -> None:
        sync_templates()
        before = Template.objects.values().get()
        assert sync_templates() == SyncResult(unchanged=["promo"])
        assert Template.objects.values().get() == before

    def test_what_the_site_changed_is_taken_over_with_a_new_version(self, site: Site) -> None:
        sync_templates()
        site.has(replace(PROMO, width=1920, fps=60, default_props={"title": "b", "durationInFrames": 9}))
        result = sync_templates()
        assert result.updated == {
            "promo": ["width", "frames a second", "length", "default input props", "draft of the schema"]
        }
        template = promo()
        assert (template.width, template.fps, template.length, template.version) == (1920, 60, "input_props", 2)
        assert template.default_input_props == {"title": "b", "durationInFrames": 9}
        assert set(template.input_schema["properties"]) == {"title", "durationInFrames"}  # type: ignore[index]

    def test_what_somebody_has_set_is_kept(self, site: Site) -> None:
        sync_templates()
        kept = {
            "name": "spring",
            "title": "Spring",
            "width": 640,
            "length": Template.Length.FIXED,
            "default_input_props": {"title": "mine"},
            "input_schema": {"type": "object"},
            "input_schema_is_draft": False,
            "default_options": {"crf": 18},
            "allowed_options": [],
            "reuse": True,
        }
        edit(**kept)
        site.has(replace(PROMO, width=1920, height=1080, default_props={"durationInFrames": 9}, default_codec="gif"))
        assert sync_templates().updated == {"spring": ["height"]}
        template = promo()
        assert {name: getattr(template, name) for name in kept} == kept
        assert template.height == 1080

    def test_an_edited_draft_is_kept_though_it_is_not_confirmed(self, site: Site) -> None:
        sync_templates()
        edit(input_schema={"type": "object", "required": ["title"]})
        site.has(replace(PROMO, default_props={"other": 1}))
        assert sync_templates().updated == {"promo": ["default input props"]}
        assert promo().input_schema == {"type": "object", "required": ["title"]}

    def test_a_confirmed_draft_and_a_removed_one_are_kept(self, site: Site) -> None:
        for schema, is_draft in (({"type": "object"}, False), (None, False), (None, True)):
            Template.objects.all().delete()
            site.has(PROMO)
            sync_templates()
            edit(input_schema=schema, input_schema_is_draft=is_draft)
            site.has(replace(PROMO, default_props={"other": 1}))
            assert sync_templates().updated == {"promo": ["default input props"]}
            assert promo().input_schema == schema

    def test_defaults_that_a_confirmed_schema_refuses_are_told(self, site: Site) -> None:
        sync_templates()
        edit(input_schema={"properties": {"title": {"type": "string"}}}, input_schema_is_draft=False)
        site.has(replace(PROMO, default_props={"title": 5}))
        result = sync_templates()
        assert result.problems == {
            "promo": "The schema refuses inputProps.title of the default input props: Send a string."
        }

    def test_a_template_made_by_hand_gets_only_the_facts_that_it_lacks(self, site: Site) -> None:
        make_template("mine", composition="Promo", width=100, default_input_props={})
        assert sync_templates().updated == {"mine": ["height", "frames a second", "length in frames"]}
        template = promo()
        assert (template.width, template.height, template.fps, template.duration_in_frames) == (100, 720, 30, 150)
        assert (template.default_input_props, template.input_schema, template.length) == ({}, None, "unknown")
        site.has(replace(PROMO, width=1, height=2))
        assert sync_templates().updated == {"mine": ["height"]}

    def test_several_templates_of_one_composition_are_all_updated(self, site: Site) -> None:
        sync_templates()
        make_template("square", composition="Promo", width=5, height=5, fps=30, duration_in_frames=150)
        site.has(replace(PROMO, fps=60))
        result = sync_templates()
        assert (result.updated, result.unchanged) == ({"promo": ["frames a second"]}, ["square"])


class TestDisable:
    def test_what_the_site_has_no_more_is_disabled_and_comes_back(self, site: Site) -> None:
        site.has(PROMO, replace(PROMO, id="Other"))
        sync_templates()
        site.has(replace(PROMO, id="Other"))
        result = sync_templates()
        assert (result.disabled, result.unchanged) == (["promo"], ["other"])
        assert (promo().enabled, promo().missing_since is None) == (False, False)
        assert sync_templates().disabled == []
        site.has(PROMO, replace(PROMO, id="Other"))
        assert sync_templates().updated == {"promo": ["enabled again"]}
        assert (promo().enabled, promo().missing_since, promo().version) == (True, None, 1)

    def test_what_staff_disabled_stays_so(self, site: Site) -> None:
        site.has(PROMO, replace(PROMO, id="Other"))
        sync_templates()
        edit(enabled=False)
        assert sync_templates().unchanged == ["promo", "other"]
        site.has(replace(PROMO, id="Other"))
        assert sync_templates().disabled == []
        site.has(PROMO)
        sync_templates()
        assert not promo().enabled

    def test_a_missing_one_that_was_enabled_by_hand_is_disabled_again(self, site: Site) -> None:
        site.has(PROMO, replace(PROMO, id="Other"))
        sync_templates()
        site.has(replace(PROMO, id="Other"))
        sync_templates()
        edit(enabled=True)
        assert sync_templates().disabled == ["promo"]

    def test_templates_of_other_sites_are_left_alone(self, site: Site) -> None:
        make_template("other", site="other", composition="Gone")
        assert sync_templates().disabled == []

    def test_a_site_without_compositions_changes_nothing(self, site: Site) -> None:
        sync_templates()
        site.has()
        with pytest.raises(Conflict, match="The site renderhub has no compositions, so nothing was changed"):
            sync_templates()
        assert promo().enabled


class TestErrors:
    def test_nothing_is_asked_without_credentials_or_site(self, site: Site, settings: Any) -> None:
        settings.REMOTION_SITE_NAME = ""
        with pytest.raises(SetupError, match="REMOTION_SERVE_URL"):
            sync_templates()
        settings.REMOTION_AWS_ACCESS_KEY_ID = ""
        with pytest.raises(SetupError, match="Set up Remotion Lambda"):
            sync_templates(site="a")
        assert site.asked == []

    def test_a_failure_half_way_stores_nothing(self, site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
        site.has(PROMO, replace(PROMO, id="Other"))

        def fail(composition: Composition, **rest: Any) -> None:
            if composition.id == "Other":
                raise Unavailable("Stop.")
            create(composition, **rest)

        create = sync._create
        monkeypatch.setattr(sync, "_create", fail)
        with pytest.raises(Unavailable):
            sync_templates()
        assert not Template.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_syncs_at_the_same_time_make_each_template_once(site: Site) -> None:
    site.has(*(replace(PROMO, id=f"Promo{n}") for n in range(8)))
    barrier = threading.Barrier(4)
    results: list[SyncResult | Exception] = []

    def run() -> None:
        try:
            barrier.wait(timeout=20)
            results.append(sync_templates())
        except Exception as err:
            results.append(err)
        finally:
            connection.close()

    threads = [threading.Thread(target=run) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)
    assert [result for result in results if isinstance(result, Exception)] == []
    assert Template.objects.count() == 8
    assert sum(len(result.created) for result in results if isinstance(result, SyncResult)) == 8


def test_each_change_is_a_line(site: Site) -> None:
    result = SyncResult(
        created=["a"], updated={"b": ["width", "height"]}, disabled=["c"], unchanged=["d", "e"], problems={"b": "Why."}
    )
    assert result.lines == [
        "created   a",
        "updated   b: width, height",
        "disabled  c: the site has its composition no more",
        "look at   b: Why.",
    ]
    assert result.summary == "1 created, 1 updated, 1 disabled, 2 unchanged."


def test_times_of_missing_ones_are_now(site: Site) -> None:
    make_template("gone", composition="Gone")
    before = timezone.now()
    sync_templates()
    missing_since = Template.objects.get(name="gone").missing_since
    assert missing_since
    assert before <= missing_since <= timezone.now()
