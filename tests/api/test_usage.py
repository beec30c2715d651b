import csv
from datetime import date, timedelta
from io import StringIO
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.utils import timezone
from rest_framework.test import APIClient

from renders.models import UsageDay
from tests.factories import grant

pytestmark = pytest.mark.django_db


def used(day: date, owner: User | None = None, **fields: Any) -> None:
    defaults = {"region": "us-east-1", "currency": "USD", "renders": 1, "succeeded": 1, "cost": 0.5}
    UsageDay.objects.create(day=day, owner=owner, **{**defaults, **fields})


def get(api: APIClient, **query: str) -> Any:
    return api.get("/api/usage/", query)


DAY = date(2026, 3, 5)
MARCH = {"from": "2026-03-01", "to": "2026-03-31"}


class TestUsage:
    def test_days_are_summed_by_what_is_asked_for(self, api: APIClient, user: User) -> None:
        used(DAY, user, template="promo", video_seconds=5, function_seconds=30)
        used(DAY, user, template="other", failed=1)
        used(DAY + timedelta(days=1), user, template="promo", region="eu-west-1")
        used(date(2026, 4, 1), user)
        by_day = get(api, **MARCH).json()
        assert {name: by_day[name] for name in ("from", "to", "groupBy")} == {**MARCH, "groupBy": "day"}
        assert by_day["results"] == [
            {
                "day": "2026-03-05", "currency": "USD", "renders": 2, "succeeded": 2, "failed": 1, "cancelled": 0,
                "videoSeconds": 5.0, "functionSeconds": 30.0, "cost": 1.0,
            },
            {
                "day": "2026-03-06", "currency": "USD", "renders": 1, "succeeded": 1, "failed": 0, "cancelled": 0,
                "videoSeconds": 0.0, "functionSeconds": 0.0, "cost": 0.5,
            },
        ]  # fmt: skip
        for group_by, names in (("template", ["other", "promo"]), ("region", ["eu-west-1", "us-east-1"])):
            rows = get(api, **MARCH, groupBy=group_by).json()["results"]
            assert [row[group_by] for row in rows] == names

    def test_currencies_are_not_added_to_each_other(self, api: APIClient, user: User) -> None:
        used(DAY, user)
        used(DAY, user, currency="CNY")
        rows = get(api, **MARCH, groupBy="owner").json()["results"]
        assert [(row["owner"], row["currency"], row["cost"]) for row in rows] == [
            ("ada", "CNY", 0.5),
            ("ada", "USD", 0.5),
        ]

    def test_by_default_it_is_this_month_by_day(self, api: APIClient, user: User) -> None:
        today = timezone.now().date()
        used(today, user)
        answer = get(api).json()
        assert (answer["from"], answer["to"]) == (str(today.replace(day=1)), str(today))
        assert [row["day"] for row in answer["results"]] == [str(today)]

    def test_csv_is_streamed(self, api: APIClient, user: User) -> None:
        used(DAY, user, template="=cmd()")
        used(DAY, user, template="")
        response = get(api, **MARCH, groupBy="template", format="csv")
        assert response.streaming
        assert response["Content-Type"] == "text/csv; charset=utf-8"
        assert response["Content-Disposition"] == 'attachment; filename="usage-2026-03-01-2026-03-31.csv"'
        rows = list(csv.reader(StringIO(b"".join(response.streaming_content).decode())))
        assert rows[0][:3] == ["template", "currency", "renders"]
        assert [row[0] for row in rows[1:]] == ["", "'=cmd()"]
        assert len({len(row) for row in rows}) == 1

    @pytest.mark.parametrize(
        ("query", "field"),
        [
            ({"from": "yesterday"}, "from"),
            ({"from": "2026-13-01"}, "from"),
            ({"from": "2026-03-02", "to": "2026-03-01"}, "from"),
            ({"from": "2024-01-01", "to": "2026-03-01"}, "from"),
            ({"groupBy": "month"}, "groupBy"),
            ({"format": "xml"}, "format"),
            ({"until": "2026-03-01"}, "until"),
            ({"to": "0001-01-01"}, ""),
        ],
    )
    def test_what_cannot_be_asked_is_said(self, api: APIClient, query: dict[str, str], field: str) -> None:
        response = get(api, **query)
        if field:
            assert (response.status_code, list(response.json()["details"])) == (400, [field])
        else:
            assert response.json()["results"] == []


class TestWhose:
    def owners(self, response: Any) -> list[str | None]:
        return [row["owner"] for row in response.json()["results"]]

    def test_others_is_not_seen(self, api: APIClient, user: User, staff: User) -> None:
        for owner in (user, staff, None):
            used(DAY, owner)
        assert self.owners(get(api, **MARCH, groupBy="owner")) == ["ada"]
        assert self.owners(get(api, **MARCH, groupBy="owner", owner="ada")) == ["ada"]
        for name in ("grace", "nobody"):
            response = get(api, **MARCH, owner=name)
            assert (response.status_code, response.json()["code"]) == (403, "permission_denied")

    def test_who_may_view_all_renders_sees_all_or_one(self, api: APIClient, user: User, staff: User) -> None:
        grant(user, "view_render")
        api.force_authenticate(User.objects.get(pk=user.pk))
        for owner in (user, staff, None):
            used(DAY, owner)
        assert sorted(self.owners(get(api, **MARCH, groupBy="owner")), key=str) == [None, "ada", "grace"]
        assert self.owners(get(api, **MARCH, groupBy="owner", owner="grace")) == ["grace"]
        assert get(api, owner="nobody").status_code == 400

    def test_without_credentials_it_is_that_of_renders_without_owner(self, user: User, settings: Any) -> None:
        used(DAY, user)
        used(DAY, None)
        assert get(APIClient(), **MARCH).status_code == 401
        settings.API_ALLOW_ANONYMOUS = True
        assert self.owners(get(APIClient(), **MARCH, groupBy="owner")) == [None]
        assert get(APIClient(), **MARCH, owner="ada").status_code == 403
