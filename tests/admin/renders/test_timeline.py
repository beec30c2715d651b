from datetime import timedelta
from uuid import uuid4

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import User
from django.contrib.contenttypes.models import ContentType
from django.db import connection
from django.http import HttpRequest
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from renders.admin.audit import record
from renders.admin.renders.actions import cancel
from renders.admin.renders.timeline import ICONS, shown_timeline, who_cancelled
from renders.models import Render, WebhookDelivery
from renders.services.timeline import Kind
from tests.factories import grant, make_render

pytestmark = pytest.mark.django_db
Status = Render.Status


def request_of(user: User) -> HttpRequest:
    request = HttpRequest()
    request.user = user
    return request


def told_of(person: User, render: Render) -> list[tuple[str, str]]:
    """What the timeline tells, and by whom it was done."""
    happened = shown_timeline(request_of(person), render)
    return [(shown.moment.what, shown.moment.by) for shown in happened]


class TestTimeline:
    def test_who_pressed_what_is_told(self, staff: User) -> None:
        render, other = make_render(), make_render()
        record(request_of(staff), [render, other], "Refreshed.")
        record(request_of(staff), [other], "Asked to cancel.")
        pressed = [shown.moment for shown in shown_timeline(request_of(staff), render) if shown.icon == "person"]
        assert [(moment.what, moment.by) for moment in pressed] == [("Refreshed", "grace")]

    def test_who_started_it_is_told_and_for_whom(self, staff: User, user: User) -> None:
        for owner, told in ((user, "Started with the form, for ada"), (staff, "Started with the form")):
            render = make_render(Status.QUEUED, owner=owner, submitted_at=None)
            record(request_of(staff), [render], "Started with the form.")
            assert told_of(staff, render)[0] == (told, "grace")

    def test_who_has_not_started_it_is_not_named(self, staff: User, user: User) -> None:
        render = make_render(owner=user, created_at=timezone.now() - timedelta(hours=1))
        record(request_of(staff), [render], "Started with the form.")
        assert told_of(staff, render)[0] == ("Asked for, for ada", "")

    @pytest.mark.parametrize("status", [Status.QUEUED, Status.RENDERING])
    def test_who_cancelled_it_is_told_once(self, staff: User, status: str) -> None:
        render = make_render(status)
        cancel(request_of(staff), render)
        render = Render.objects.get(pk=render.pk)
        told = told_of(staff, render)
        assert ("Asked to cancel", "grace") in told
        assert "Cancelling was asked for" not in dict(told)
        assert [who for _, who in told if who] == ["grace"]
        assert who_cancelled(shown_timeline(request_of(staff), render)) == "grace"

    def test_nobody_is_named_who_cancelled_it_where_the_log_does_not_say(self, staff: User) -> None:
        render = make_render(cancel_requested_at=timezone.now() - timedelta(minutes=1))
        record(request_of(staff), [render], "Asked to cancel.")
        assert who_cancelled(shown_timeline(request_of(staff), render)) == ""

    def test_the_log_of_other_rows_is_not_read(self, staff: User) -> None:
        render = make_render()
        content_type = ContentType.objects.get_for_model(Render)
        entry = {"user": staff, "content_type": content_type, "action_flag": 2, "change_message": "Refreshed."}
        LogEntry.objects.bulk_create(LogEntry(object_id=str(uuid4()), **entry) for _ in range(3000))
        with CaptureQueriesContext(connection) as queries, connection.cursor() as cursor:
            cursor.execute("ANALYZE")
            shown_timeline(request_of(staff), render)
        (about_log,) = (query["sql"] for query in queries if 'FROM "django_admin_log"' in query["sql"])
        explain = "EXPLAIN QUERY PLAN" if connection.vendor == "sqlite" else "EXPLAIN"
        with connection.cursor() as cursor:
            cursor.execute(f"{explain} {about_log}")
            assert "renders_admin_log_object" in str(cursor.fetchall())

    def test_a_delivery_is_a_link_for_whoever_may_see_it(self, staff: User, user: User) -> None:
        render = make_render()
        delivery = WebhookDelivery.objects.create(render_id=render.render_id, headers={})
        grant(user, "view_render")
        address = f"/admin/renders/webhookdelivery/{delivery.pk}/change/"
        for person, addresses in ((staff, {"", address}), (user, {""})):
            assert {shown.address for shown in shown_timeline(request_of(person), render)} == addresses

    def test_every_kind_has_an_icon(self) -> None:
        assert ICONS.keys() == set(Kind)
