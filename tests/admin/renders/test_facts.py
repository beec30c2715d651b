from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from django.http import HttpRequest
from django.utils import timezone

from renders.admin.renders.facts import facts_of, links_of
from renders.models import Batch, Render
from tests.factories import grant, load_recording, make_render, make_template

pytestmark = pytest.mark.django_db


def request_of(user: User) -> HttpRequest:
    request = HttpRequest()
    request.user = user
    return request


def facts(render: Render, person: User) -> dict[str, str]:
    return {fact.name: str(fact.value) for fact in facts_of(request_of(person), render)}


class TestFacts:
    def test_whose_and_of_what_it_is(self, staff: User, user: User) -> None:
        template = make_template()
        told = facts(make_render(owner=user, template=template, template_version=3), staff)
        assert f'href="/admin/renders/render/?owner__id__exact={user.pk}"' in told["Owner"]
        assert f'href="/admin/renders/template/{template.pk}/change/">promo</a>, version 3' in told["Template"]
        assert f'href="/admin/renders/render/?template__id__exact={template.pk}"' in told["Template"]

    def test_pages_that_the_person_may_not_see_are_no_links(self, user: User) -> None:
        grant(user, "view_render")
        told = facts(make_render(owner=user, template=make_template()), user)
        assert told["Template"].startswith("promo")

    def test_length_size_and_file(self, staff: User) -> None:
        told = facts(make_render(Render.Status.SUCCEEDED, width=1280, height=720, output_size=298_354), staff)
        assert told["Output"].replace("\N{NO-BREAK SPACE}", " ") == "5.0 s, 1280×720, 30 fps, h264, 291.4 KB"

    def test_what_is_not_known_is_left_out(self, staff: User) -> None:
        told = facts(make_render(Render.Status.QUEUED, submitted_at=None), staff)
        assert {"Waited", "Took", "Batch", "Poster", "Artifacts", "External id", "renderId"}.isdisjoint(told)
        assert told["Owner"] == "nobody"

    def test_batch_and_poster(self, staff: User) -> None:
        video = make_render(batch=Batch.objects.create())
        poster = make_render(Render.Status.QUEUED, kind="still", frame=1, poster_of=video)
        told = facts(video, staff)
        assert str(video.batch_id) in told["Batch"]
        assert f'href="/admin/renders/render/{poster.pk}/change/"' in told["Poster"]
        assert f'href="/admin/renders/render/{video.pk}/change/"' in facts(poster, staff)["Poster of"]

    def test_an_artifact_is_a_link_until_its_file_is_deleted(self, staff: User) -> None:
        file = {"filename": "notes<1>.txt", "sizeInBytes": 21, "s3Key": "renders/abc123/artifacts/notes.txt"}
        render = make_render(Render.Status.SUCCEEDED, artifacts=[file], options={"deleteAfter": "1-day"})
        assert "notes&lt;1&gt;.txt</a> (21" in facts(render, staff)["Artifacts"]
        render.submitted_at = render.finished_at = timezone.now() - timedelta(days=2)
        assert facts(render, staff)["Artifacts"].startswith("notes&lt;1&gt;.txt (21")


class TestLinks:
    def test_the_main_functions_log_is_where_remotions_client_says(self, staff: User) -> None:
        case = load_recording("console-urls")["cases"][0]
        render = make_render(render_id=case["renderId"], function_name=case["functionName"], region=case["region"])
        addresses = [link.address for link in links_of(request_of(staff), render)]
        assert case["cloudWatchMainLogs"] in addresses

    def test_webhooks_are_searched_by_both_ids(self, staff: User) -> None:
        render = make_render()
        addresses = {link.text: link.address for link in links_of(request_of(staff), render)}
        assert (
            addresses["Webhooks from Remotion"] == f"/admin/renders/webhookdelivery/?q={render.pk}+{render.render_id}"
        )
        assert addresses["Webhooks sent"] == f"/admin/renders/webhookmessage/?q={render.pk}"

    def test_one_that_was_not_started_has_no_logs(self, user: User) -> None:
        assert links_of(request_of(user), make_render(Render.Status.QUEUED)) == []
