from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client

from renders.models import Render
from renders.services.retry import retry_render
from tests.factories import make_render
from tests.servers import ScriptedServer

pytestmark = pytest.mark.django_db
Status = Render.Status


class TestAdminActions:
    def act(self, staff: User, action: str, *renders: Render) -> str:
        client = Client()
        client.force_login(staff)
        data = {"action": action, "_selected_action": [str(render.pk) for render in renders]}
        return client.post("/admin/renders/render/", data, follow=True).content.decode()

    def test_cancel(self, staff: User) -> None:
        assert "1 asked to stop. 1 left as they are" in self.act(
            staff, "cancel", make_render(Status.QUEUED), make_render(Status.FAILED)
        )
        assert Render.objects.filter(status=Status.CANCELLED).count() == 1

    def test_retry(self, staff: User, aws: ScriptedServer) -> None:
        assert "1 repeated. 1 left as they are" in self.act(
            staff, "retry", make_render(Status.FAILED), make_render(Status.QUEUED)
        )
        assert Render.objects.exclude(retry_of=None).count() == 1

    def test_a_refusal_of_one_is_told(self, staff: User, aws: ScriptedServer, settings: Any) -> None:
        first = make_render(Status.FAILED)
        retry_render(first)
        Render.objects.exclude(pk=first.pk).update(status=Status.SUBMITTING, render_id="")
        assert "is being repeated already" in self.act(staff, "retry", first)

    def test_whoever_may_only_view_may_do_neither(self, user: User) -> None:
        User.objects.update(is_staff=True)
        render = make_render(Status.QUEUED)
        self.act(user, "cancel", render)
        assert Render.objects.get().status == Status.QUEUED
