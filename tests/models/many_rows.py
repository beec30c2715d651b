"""A few thousand renders, arranged so that a scan never meets what is asked for soon."""

from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlencode

from django.contrib.auth.models import User
from django.db import connection
from django.test import Client
from django.utils import timezone
from rest_framework.test import APIClient

from renders.models import (
    Batch,
    EndCount,
    EndKey,
    RefreshState,
    Render,
    RenderMetadata,
    RenderText,
    WebhookDelivery,
)
from tests.factories import BODY, BUCKET, make_render, make_template

COUNT = 4000
Status = Render.Status
# Nearly all renders succeed. The others are among the oldest 800, behind all that a list of the newest reads.
SUCCEEDED_FROM = 800
OTHERS = {
    0: (Status.QUEUED, ""),
    1: (Status.SUBMITTING, ""),
    2: (Status.RENDERING, ""),
    3: (Status.FAILED, "lost"),
    4: (Status.FAILED, "timed_out"),
    5: (Status.CANCELLED, ""),
}


class ManyRows:
    """The rows, and requests about them. ``ada`` and ``bob`` have many renders, ``eve`` few, and some have no owner."""

    def __init__(self) -> None:
        if connection.vendor == "postgresql":
            with connection.cursor() as cursor:
                # Until this transaction is rolled back, new files: what earlier tests rolled back stays in tables and
                # indexes until they are vacuumed, and a scan of the table seems cheaper than so large an index.
                cursor.execute("TRUNCATE renders_batch, renders_render, renders_webhookdelivery CASCADE")
        self.now = timezone.now()
        self.staff = User.objects.create_superuser("grace")
        self.ada, self.bob, self.eve = (User.objects.create_user(name) for name in ("ada", "bob", "eve"))
        self.template = make_template()
        self.batches = [Batch(owner=None) for _ in range(COUNT // 100)]
        template = make_render(Status.SUCCEEDED)
        renders = [self._render(template, number) for number in range(1, COUNT)]
        Batch.objects.bulk_create(self.batches)
        Render.objects.bulk_create(renders)
        RenderMetadata.objects.store(renders)
        RenderText.objects.store(renders)
        RefreshState.objects.bulk_create(
            RefreshState(render=render, region=render.region, bucket_name=BUCKET, next_refresh_at=self._due_at(number))
            for number, render in enumerate(renders)
            if render.status == Status.RENDERING or render.is_presumed_failed
        )
        self._make_deliveries()
        EndCount.objects.add({EndKey(self.now.date(), "failed", reason): 1 for reason in ("lost", "timed_out")})
        ended = [render for render in renders if render.status == Status.SUCCEEDED]
        self.owned = next(render for render in ended if render.owner_id == self.ada.pk)
        self.ownerless = next(render for render in ended if render.owner_id is None)
        self.retried = template
        self.render_ids = [render.render_id for render in renders if render.render_id]
        if connection.vendor == "postgresql":
            with connection.cursor() as cursor:
                # Autovacuum does it in an installation; on SQLite nobody does.
                cursor.execute("ANALYZE")
                # By default, so small a table is cheaper to scan than to look up a hundred rows in.
                cursor.execute("SET LOCAL random_page_cost = 1.1")

    def _render(self, template: Render, number: int) -> Render:
        """Return the row of this number; 1 is the oldest."""
        status, reason = (Status.SUCCEEDED, "")
        if number < SUCCEEDED_FROM:
            status, reason = OTHERS.get(number % 12, (status, reason))
        is_remote = status not in (Status.QUEUED, Status.SUBMITTING) and reason != "lost"
        at = self.created_at(number)
        values: dict[str, Any] = {
            field.attname: getattr(template, field.attname)
            for field in Render._meta.concrete_fields
            if not field.primary_key
        }
        values |= {
            "owner_id": self._owner(number),
            "status": status,
            "failure_reason": reason,
            "error": "Error: boom" if reason else "",
            "render_id": f"r{number}" if is_remote else "",
            "bucket_name": BUCKET if is_remote else "",
            "cloudwatch_logs": "https://cloudwatch.example/".ljust(500, "x"),
            "folder_in_s3_console": "https://s3.example/".ljust(500, "x"),
            "created_at": at,
            "queue_rank": at,
            "finished_at": at if status in Render.TERMINAL else None,
            "retry_of_id": template.pk if number % 1000 == 500 else None,
            # What lists are filtered by is rare among the newest, and an owner has few of it.
            "kind": "still" if number < 2000 and number % 5 == 0 else "video",
            "frame": 0 if number < 2000 and number % 5 == 0 else None,
            "template_id": self.template.pk if number < 2000 and number % 4 == 1 else None,
            "external_id": "order" if number < 2000 and number % 4 == 0 else "",
            "metadata": {"shop": "a"} if number < 2000 and number % 4 == 2 else {"shop": "b"},
            "batch_id": self.batches[number // 100].pk,
            "submitted_at": at,
            "refreshed_at": at + timedelta(hours=1),
            "idempotency_key": f"key {number}" if number % 100 == 0 else "",
        }
        return Render(**values)

    def _owner(self, number: int) -> int | None:
        if number % 50 == 9:
            return None
        user = self.eve if number % 50 < 3 else self.ada if number % 24 < 12 else self.bob
        return user.pk

    def created_at(self, number: int) -> datetime:
        return self.now - timedelta(hours=COUNT - number)

    def _due_at(self, number: int) -> datetime:
        # In steps of hours: as many are due when the last test asks as when the first one does.
        return self.now + timedelta(hours=number % 60 - 10)

    def _make_deliveries(self) -> None:
        WebhookDelivery.objects.bulk_create(
            WebhookDelivery(
                received_at=self.created_at(number),
                headers={},
                body="x" * 500,
                render_id=f"r{number}",
                is_processed=number % 100 != 0,
            )
            for number in range(1, COUNT)
        )

    def get(self, user: User | None, path: str) -> Any:
        """GET a path of the API; return the JSON."""
        response = self._api(user).get(path)
        assert response.status_code == 200, response.content
        return response.json()

    def post(self, user: User | None, path: str, body: Any, **headers: str) -> int:
        """POST to the API; return the status code."""
        return self._api(user).post(path, body, format="json", headers=headers).status_code

    def progress(self, user: User | None, render: Render, **changes: str) -> None:
        body = {"id": render.render_id, "bucketName": render.bucket_name, **changes}
        assert self.post(user, "/api/lambda/progress", body) == 200

    def replay(self, user: User, key: str) -> None:
        """POST with a key that another request has used."""
        assert self.post(user, "/api/renders/", BODY, **{"Idempotency-Key": key}) == 409

    def list(self, user: User | None, **query: str) -> None:
        """GET two pages of the API's list."""
        page = self.get(user, f"/api/renders/?{urlencode({'pageSize': 20, **query})}")
        assert len(self.get(user, page["next"])["results"]) == 20

    def list_all_of_batch(self, user: User, **query: str) -> None:
        """GET the renders of one batch."""
        found = self.get(user, f"/api/renders/?{urlencode({'batch': str(self.batches[3].pk), **query})}")["results"]
        assert found

    def dashboard(self, path: str) -> None:
        """GET the dashboard, or the part of it that is asked for again and again."""
        client = Client()
        client.force_login(self.staff)
        assert client.get(path).status_code == 200

    def admin(self, expected: int = 50, of: str = "render", **query: object) -> None:
        """GET a list of the admin, which shows so many rows."""
        client = Client()
        client.force_login(self.staff)
        response = client.get(f"/admin/renders/{of}/?{urlencode(query)}")
        assert len(response.context["cl"].result_list) == expected

    def _api(self, user: User | None) -> APIClient:
        client = APIClient()
        client.force_authenticate(user)
        return client
