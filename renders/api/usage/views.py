"""``GET /api/usage/``: renders, seconds of video, function time and cost."""

from typing import Any

from django.contrib.auth import get_user_model
from django.http import HttpResponseBase, StreamingHttpResponse
from rest_framework.exceptions import PermissionDenied, ValidationError
from rest_framework.request import Request
from rest_framework.response import Response

from renders.api.auth import VIEW
from renders.api.endpoint import Endpoint
from renders.api.usage.input import UsageQuerySerializer
from renders.api.usage.openapi import OPERATIONS
from renders.api.usage.output import csv_lines, described
from renders.models import Scope
from renders.services.usage.report import EVERYBODY, GroupBy, usage_report

ONLY_YOURS = f"You need the permission {VIEW} for the usage of others: leave out owner."


class UsageView(Endpoint):
    """What your renders used; with the permission to view all renders, what all used."""

    query_serializers = {"get": UsageQuerySerializer}
    required_scopes = {"get": Scope.RENDERS_READ}
    operations = OPERATIONS

    def get(self, request: Request) -> HttpResponseBase:
        group_by = GroupBy(self.query["groupBy"])
        first, last = self.query["from"], self.query["to"]
        rows = usage_report(first=first, last=last, group_by=group_by, owner=self._owner(request))
        if self.query["format"] == "csv":
            headers = {"Content-Disposition": f'attachment; filename="usage-{first}-{last}.csv"'}
            lines = csv_lines(rows, group_by=group_by)
            return StreamingHttpResponse(lines, content_type="text/csv; charset=utf-8", headers=headers)
        results = [described(row) for row in rows]
        return Response({"from": first, "to": last, "groupBy": group_by, "results": results})

    def _owner(self, request: Request) -> Any:
        """Return whose usage is asked for. Raise PermissionDenied or ValidationError."""
        own = request.user if request.user.is_authenticated else None
        username = self.query.get("owner")
        if not request.user.has_perm(VIEW):
            if username not in (None, request.user.get_username()):
                raise PermissionDenied(ONLY_YOURS)
            return own
        if username is None:
            return EVERYBODY
        users = get_user_model().objects
        if user := users.filter(**{users.model.USERNAME_FIELD: username}).first():
            return user
        raise ValidationError({"owner": ["There is no user with this name."]})
