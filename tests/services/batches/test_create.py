"""Batches that are created at the same time, and reuse of outputs that are gone."""

import threading
from typing import Any

import pytest
from django.db import connection

from renders.models import Batch, Quota, Render
from renders.services.batches import create
from renders.services.batches.create import CreatedBatch, ItemsInOrder, create_batch
from renders.services.render_request import RenderRequest
from renders.services.reuse import reuse_key
from tests.factories import BUCKET, INPUT_PROPS


def ask(*, reuse: bool = False, key: str = "") -> CreatedBatch:
    items = ItemsInOrder(owner=None)
    request = RenderRequest(input_props=INPUT_PROPS, reuse=reuse)
    return create_batch(
        owner=None,
        items=[items.item(request, priority=0) for _ in range(2)],
        idempotency_key=key,
        idempotency_fingerprint="same" if key else "",
    )


@pytest.mark.django_db(transaction=True)
def test_of_two_with_one_key_at_once_one_is_created() -> None:
    created: list[CreatedBatch] = []
    barrier = threading.Barrier(2)

    def create() -> None:
        try:
            barrier.wait(10)
            created.append(ask(key="k"))
        finally:
            connection.close()

    threads = [threading.Thread(target=create) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(each.is_replayed for each in created) == [False, True]
    assert len({each.batch.pk for each in created}) == Batch.objects.count() == 1
    assert Render.objects.count() == 2


@pytest.mark.django_db
def test_the_second_of_two_with_one_key_is_not_refused_by_the_quota_that_the_first_fills(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    Quota.objects.create(max_waiting=2)
    first = ask(key="k")
    found = iter([None, first.batch])  # it is committed just after the second has looked for it
    monkeypatch.setattr(create, "find_replayed", lambda **key: next(found))
    second = ask(key="k")
    assert second.is_replayed
    assert second.batch == first.batch


@pytest.mark.django_db
class TestReuse:
    def earlier(self) -> Render:
        """A render that has succeeded, with the same request."""
        render = Render.objects.get(pk=ask().batch.results[0]["id"])
        Render.objects.exclude(pk=render.pk).delete()
        Render.objects.update(
            status="succeeded",
            finished_at=render.created_at,
            render_id="abc",
            bucket_name=BUCKET,
            output_bucket=BUCKET,
            output_key="out.mp4",
        )
        assert render.reuse_key == reuse_key(render)
        return render

    def test_an_output_that_exists_is_answered(self, bucket: Any) -> None:
        render = self.earlier()
        bucket.put_object(Bucket=BUCKET, Key="out.mp4", Body=b"x")
        assert ask(reuse=True).batch.results == [{"status": 200, "id": str(render.pk), "reused": True}] * 2

    def test_one_that_is_gone_is_rendered_again_once(self, bucket: Any) -> None:
        render = self.earlier()
        first, second = ask(reuse=True).batch.results
        assert first["id"] not in (None, str(render.pk))
        assert second == {**first, "reused": True}
