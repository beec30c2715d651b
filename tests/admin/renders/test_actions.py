import re
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client

from renders.models import Render, Template
from renders.services.refresh.engine import refresh_renders
from renders.services.retry import retry_render
from tests.factories import BUCKET, make_render
from tests.servers import Answer, ScriptedServer

pytestmark = pytest.mark.django_db
Status = Render.Status


class TestAdminActions:
    def act(self, staff: User, action: str, *renders: Render) -> str:
        client = Client()
        client.force_login(staff)
        data = {"action": action, "_selected_action": [str(render.pk) for render in renders]}
        return client.post("/admin/renders/render/", data, follow=True).content.decode()

    def test_cancel_ends_queued_renders_and_waits_for_no_other(self, staff: User, aws: ScriptedServer) -> None:
        queued, rendering, ended = make_render(Status.QUEUED), make_render(), make_render(Status.FAILED)
        content = self.act(staff, "cancel", queued, rendering, ended)
        assert "1 cancelled. 1 to be cancelled: Remotion is asked at their next refresh." in content
        assert "1 unchanged: ended." in content
        assert aws.requests == []
        assert Render.objects.get(pk=queued.pk).status == Status.CANCELLED
        path = f"/{BUCKET}/renders/{rendering.render_id}/cancel.json"
        aws.answers[path] = Answer()
        assert [result.error for result in refresh_renders(Render.objects.filter(pk=rendering.pk))] == [None]
        assert aws.count(path) == 1

    def test_repeat_queues_fifty_and_starts_none(self, staff: User, aws: ScriptedServer) -> None:
        failed = [make_render(Status.FAILED) for _ in range(50)]
        content = self.act(staff, "retry", *failed, make_render(Status.SUCCEEDED))
        assert "50 repeated: new renders are queued, and the worker starts them." in content
        assert "1 unchanged: neither failed nor cancelled." in content
        assert Render.objects.queued().filter(retry_of__in=failed).count() == 50
        assert aws.requests == []

    def test_a_refusal_of_one_is_told(self, staff: User, aws: ScriptedServer) -> None:
        first, second = make_render(Status.FAILED), make_render(Status.FAILED)
        again = retry_render(first, start_now=False).render
        content = self.act(staff, "retry", first, second)
        assert f"Render {first}: The render is being repeated already, as {again.id}." in content
        assert "1 repeated:" in content

    def test_options_that_its_template_no_longer_fits_are_told(self, staff: User, aws: ScriptedServer) -> None:
        changed = Template.objects.create(name="promo", composition="Promo", length=Template.Length.UNKNOWN)
        first = make_render(Status.FAILED, template=changed, options={"framesPerLambda": 20})
        content = self.act(staff, "retry", first, make_render(Status.FAILED))
        assert f"Render {first}: framesPerLambda: The length of this composition is not known" in content
        assert "1 repeated:" in content

    def test_an_error_that_several_have_is_told_once(self, staff: User, settings: Any) -> None:
        settings.REMOTION_AWS_ACCESS_KEY_ID = ""
        first, second = make_render(Status.FAILED), make_render(Status.FAILED)
        content = self.act(staff, "retry", first, second)
        assert content.count("Set up Remotion Lambda to render videos.") == 1
        assert re.search(rf"Renders ({first}, {second}|{second}, {first}): Set up", content)
        assert "0 repeated" in content

    def test_whoever_may_only_view_may_do_neither(self, user: User) -> None:
        User.objects.update(is_staff=True)
        render = make_render(Status.QUEUED)
        self.act(user, "cancel", render)
        assert Render.objects.get().status == Status.QUEUED
