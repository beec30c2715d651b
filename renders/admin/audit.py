"""What people do in the admin, written into its log, whose entries each row's history shows."""

from collections.abc import Iterable

from django.contrib.admin.models import CHANGE, LogEntry
from django.db.models import Model
from django.http import HttpRequest


def record(request: HttpRequest, objects: Iterable[Model], sentence: str) -> None:
    """Write into the log of each of these objects what the person signed in has just done with it.

    ``sentence`` is shown as it is: "Cancelled." or "Repeated as 3f2a….".
    """
    rows, person = list(objects), request.user.pk
    if rows and person is not None:
        LogEntry.objects.log_actions(person, rows, CHANGE, sentence)
