import pytest
from django.contrib.admin.models import CHANGE, LogEntry
from django.contrib.auth.models import User
from django.http import HttpRequest

from renders.admin.audit import record
from renders.models import Render
from tests.factories import make_render, make_template

pytestmark = pytest.mark.django_db


@pytest.fixture
def request_of_staff(staff: User) -> HttpRequest:
    request = HttpRequest()
    request.user = staff
    return request


class TestRecord:
    def test_each_object_has_an_entry_by_who_did_it(self, staff: User, request_of_staff: HttpRequest) -> None:
        rows = [make_render(), make_render(), make_template()]
        record(request_of_staff, rows, "Cancelled.")
        entries = LogEntry.objects.all()
        assert {entry.object_id for entry in entries} == {str(row.pk) for row in rows}
        assert {(entry.user_id, entry.action_flag) for entry in entries} == {(staff.pk, CHANGE)}
        assert {entry.get_change_message() for entry in entries} == {"Cancelled."}
        assert {entry.content_type.model for entry in entries if entry.content_type} == {"render", "template"}

    def test_nothing_is_written_for_no_object(self, request_of_staff: HttpRequest) -> None:
        record(request_of_staff, Render.objects.none(), "Cancelled.")
        assert not LogEntry.objects.exists()
