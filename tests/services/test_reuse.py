import threading
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connection

from renders.models import Render, Template
from renders.remotion import start
from renders.remotion.errors import Throttled
from renders.remotion.start import StartedRender
from renders.services.create import Created, create_render
from renders.services.refresh.engine import refresh_render
from renders.services.render_request import RenderRequest
from tests.factories import INPUT_PROPS
from tests.recorded import recorded_answer
from tests.s3 import RENDERS, last_progress, progress_path
from tests.servers import INVOKE, Answer, ScriptedServer, s3_error

pytestmark = pytest.mark.django_db
Status, Kind = Render.Status, Render.Kind


def create(*, owner: Any = None, reuse: bool = True, idempotency_key: str = "", **fields: Any) -> Created:
    request = RenderRequest(**{"input_props": INPUT_PROPS, "reuse": reuse, **fields})
    return create_render(owner=owner, request=request, may_wait=True, idempotency_key=idempotency_key)


def finished(aws: ScriptedServer, **fields: Any) -> Render:
    """A render that has succeeded, with its output on S3."""
    render = create(**fields).render
    aws.answers[progress_path(render)] = last_progress()
    render = refresh_render(render)
    assert render.status == Status.SUCCEEDED
    aws.answers[f"/{render.output_bucket}/{render.output_key}"] = Answer(headers={"Content-Type": "video/mp4"})
    return render


class TestReuse:
    def test_a_succeeded_render_of_the_same_is_answered(self, aws: ScriptedServer) -> None:
        first = finished(aws)
        again = create()
        assert (again.render, again.is_reused) == (first, True)
        assert aws.count(INVOKE) == 1

    def test_so_is_one_that_is_under_way(self, aws: ScriptedServer) -> None:
        first = create(reuse=False)
        again = create()
        assert (again.render, again.is_reused, first.is_reused) == (first.render, True, False)

    def test_only_who_asks_for_it_gets_it(self, aws: ScriptedServer) -> None:
        create()
        aws.answers[INVOKE] = Answer(b'{"type":"success","renderId":"other12345","bucketName":"b"}')
        assert not create(reuse=False).is_reused
        assert Render.objects.count() == 2

    def test_an_output_that_is_gone_is_rendered_again(self, aws: ScriptedServer) -> None:
        first = finished(aws)
        aws.answers[f"/{first.output_bucket}/{first.output_key}"] = s3_error(404, "NoSuchKey")
        aws.answers[INVOKE] = Answer(b'{"type":"success","renderId":"other12345","bucketName":"b"}')
        again = create()
        assert (again.is_reused, again.render.render_id) == (False, "other12345")
        asked = len(aws.requests)
        assert create().render == again.render
        assert len(aws.requests) == asked

    def test_those_that_are_gone_are_looked_for_once(self, aws: ScriptedServer) -> None:
        first = finished(aws)
        path = f"/{first.output_bucket}/{first.output_key}"
        aws.answers[path] = s3_error(404, "NoSuchKey")
        for number in range(3):
            aws.answers[INVOKE] = Answer(b'{"type":"success","renderId":"other%d","bucketName":"b"}' % number)
            again = create().render
            Render.objects.filter(pk=again.pk).update(status=Status.CANCELLED, finished_at=first.finished_at)
        assert aws.count(path) == 1

    def test_where_s3_cannot_be_asked_nothing_is_paid_twice(self, aws: ScriptedServer) -> None:
        first = finished(aws)
        aws.answers[RENDERS] = s3_error(403, "AccessDenied")
        aws.answers[f"/{first.output_bucket}/{first.output_key}"] = s3_error(403, "AccessDenied")
        assert create().render == first

    @pytest.mark.parametrize("status", [Status.FAILED, Status.CANCELLED])
    def test_one_that_ended_badly_is_not(self, aws: ScriptedServer, status: str) -> None:
        first = create().render
        reason = "render_error" if status == Status.FAILED else ""
        Render.objects.update(status=status, finished_at=first.created_at, render_id="", failure_reason=reason)
        assert not create().is_reused

    def test_nor_is_one_that_is_to_be_cancelled(self, aws: ScriptedServer) -> None:
        first = create().render
        Render.objects.update(cancel_requested_at=first.created_at, render_id="first")
        assert not create().is_reused

    @pytest.mark.parametrize(
        "change",
        [
            {"input_props": {**INPUT_PROPS, "code": "Another."}},
            {"options": {"codec": "vp8"}},
            {"kind": Kind.STILL, "frame": 0},
            {"poster": {"frame": 1}},
        ],
    )
    def test_anything_else_is_another_render(self, aws: ScriptedServer, change: dict[str, Any]) -> None:
        started = aws.answers[INVOKE]
        if "frame" in change:
            aws.answers[INVOKE] = recorded_answer("still-png")
        aws.answers["/"] = Answer()  # every output is there
        first = create(**change).render
        Render.objects.update(render_id="first")
        assert create(**change).render == first
        aws.answers[INVOKE] = started
        assert not create().is_reused

    def test_nor_is_another_owners(self, aws: ScriptedServer, user: User) -> None:
        create()
        Render.objects.update(render_id="first")
        assert not create(owner=user).is_reused

    def test_nor_is_another_version_of_the_template(self, aws: ScriptedServer) -> None:
        promo = Template.objects.create(name="promo", composition="Promo")
        first = create(template=promo).render
        Render.objects.update(render_id="first")
        assert create(template=promo).render == first
        promo.site = "https://example.com/new"
        promo.save()
        assert not create(template=promo).is_reused

    def test_nor_is_that_of_another_site_where_the_settings_name_it(self, aws: ScriptedServer, settings: Any) -> None:
        promo = Template.objects.create(name="promo", composition="Promo")
        create(template=promo)
        Render.objects.update(render_id="first")
        settings.REMOTION_SITE_NAME = "newer"
        assert not create(template=promo).is_reused

    def test_the_order_of_keys_does_not_matter(self, aws: ScriptedServer) -> None:
        first = create(options={"crf": 20, "scale": 2}).render
        assert create(options={"scale": 2, "crf": 20}).render == first

    def test_a_start_that_cannot_wait_is_shared_once_it_has_its_render_id(self, aws: ScriptedServer) -> None:
        request = RenderRequest(input_props=INPUT_PROPS)
        first = create_render(owner=None, request=request, may_wait=False).render
        assert create().render == first

    def test_before_that_it_may_be_deleted_and_is_not(
        self, aws: ScriptedServer, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        other: list[Created] = []

        def without_capacity(*_: Any) -> StartedRender:
            monkeypatch.undo()
            other.append(create())
            raise Throttled("No capacity.")

        monkeypatch.setattr(start, "start", without_capacity)
        with pytest.raises(Throttled):
            create_render(owner=None, request=RenderRequest(input_props=INPUT_PROPS), may_wait=False)
        assert list(Render.objects.all()) == [other[0].render]

    def test_with_a_key_of_its_own_it_is_replayed_and_not_reused(self, aws: ScriptedServer) -> None:
        first = create(idempotency_key="k")
        again = create(idempotency_key="k")
        assert (again.render, again.is_replayed, again.is_reused) == (first.render, True, False)


@pytest.mark.django_db(transaction=True)
def test_two_requests_at_once_start_one_render(aws: ScriptedServer) -> None:
    barrier = threading.Barrier(2)
    created: list[Created] = []

    def ask() -> None:
        try:
            barrier.wait(timeout=10)
            created.append(create())
        finally:
            connection.close()

    threads = [threading.Thread(target=ask) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(item.is_reused for item in created) == [False, True]
    assert created[0].render == created[1].render
    assert aws.count(INVOKE) == 1
