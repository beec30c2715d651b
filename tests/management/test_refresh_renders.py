import os
import signal
import threading
import time
from datetime import timedelta
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from renders.management.commands.refresh_renders import _choose
from renders.models import Render
from renders.services.refresh import engine, lease
from renders.services.refresh.engine import refresh_renders
from tests.factories import BUCKET, load_recording, make_render
from tests.servers import ScriptedServer, reply, s3_error

pytestmark = pytest.mark.django_db
DONE = load_recording("succeeds")[-1]["progress.json"]
Status = Render.Status


def run(*arguments: str) -> tuple[str, str]:
    """The command's output and its errors."""
    out, err = StringIO(), StringIO()
    try:
        call_command("refresh_renders", *arguments, stdout=out, stderr=err)
    except CommandError as error:
        return out.getvalue(), f"{err.getvalue()}CommandError: {error}"
    return out.getvalue(), err.getvalue()


def path(render: Render) -> str:
    return f"/{BUCKET}/renders/{render.render_id}/"


def test_every_active_row_is_refreshed_once(aws: ScriptedServer) -> None:
    done, young, _ = make_render(), make_render(), make_render(Status.SUCCEEDED)
    aws.answers[path(done)] = reply(DONE)
    assert run() == ("Refreshed 2: 1 rendering, 1 succeeded.\n", "")
    assert aws.count(path(done)) == aws.count(path(young)) == 1


def test_only_what_a_refresh_needs_is_loaded(aws: ScriptedServer) -> None:
    render = make_render()
    aws.answers[path(render)] = reply(DONE)
    for ids in (None, [render.render_id]):
        with CaptureQueriesContext(connection) as queries:
            assert list(refresh_renders(_choose(ids)))
        assert not [query["sql"] for query in queries if "input_props" in query["sql"]]


def test_presumed_failed_rows_are_read_when_their_recheck_is_due(aws: ScriptedServer) -> None:
    failed: dict[str, Any] = {"status": Status.FAILED, "failure_reason": "timed_out"}
    due = make_render(**failed, next_refresh_at=timezone.now())
    later = make_render(**failed, next_refresh_at=timezone.now() + timedelta(minutes=1))
    aws.answers[path(due)] = reply(DONE)
    assert run() == ("Refreshed 1: 1 succeeded.\n", "")
    assert aws.count(path(later)) == 0


def test_nothing_to_do_is_no_error(aws: ScriptedServer) -> None:
    assert run() == ("Refreshed 0.\n", "")


def test_one_failing_row_is_told_and_the_rest_go_on(aws: ScriptedServer) -> None:
    bad, good = make_render(), make_render()
    aws.answers[path(bad)] = s3_error(403, "AccessDenied")
    aws.answers[path(good)] = reply(DONE)
    out, err = run()
    assert out == "Refreshed 1: 1 succeeded.\n"
    assert f"{bad.id}: AWS does not let these credentials" in err
    assert err.endswith("CommandError: 1 could not be refreshed.")


def test_the_oldest_come_first_up_to_the_limit(aws: ScriptedServer) -> None:
    now = timezone.now()
    rows = [make_render(created_at=now - timedelta(minutes=age)) for age in (1, 3, 2)]
    run("--limit", "2")
    assert [aws.count(path(row)) for row in rows] == [0, 1, 1]


def test_chosen_rows_by_either_id(aws: ScriptedServer) -> None:
    first, second, other = make_render(), make_render(), make_render()
    run("--id", str(first.id), "--id", second.render_id)
    assert [aws.count(path(row)) for row in (first, second, other)] == [1, 1, 0]


def test_an_id_that_there_is_not_is_told(aws: ScriptedServer) -> None:
    assert run("--id", "nonsense") == ("", "CommandError: There is no render nonsense.")


@pytest.mark.parametrize("arguments", [("--limit", "0"), ("--limit", "x"), ("--watch", "0"), ("--watch", "nan")])
def test_options_are_checked(arguments: tuple[str, str]) -> None:
    assert "over 0" in run(*arguments)[1]


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_watching_goes_on_until_a_signal(aws: ScriptedServer, number: signal.Signals) -> None:
    render = make_render()
    before = {name: signal.getsignal(name) for name in (signal.SIGINT, signal.SIGTERM)}

    def stop_after_two_rounds() -> None:
        deadline = time.monotonic() + 10
        while aws.count(path(render)) < 2 and time.monotonic() < deadline:
            time.sleep(0.01)
        os.kill(os.getpid(), number)

    stopper = threading.Thread(target=stop_after_two_rounds)
    stopper.start()
    try:
        out, err = run("--watch", "0.05")
    finally:
        stopper.join()
        for name, handler in before.items():
            signal.signal(name, handler)
    assert out.count("Refreshed 1: 1 rendering.") >= 2
    assert out.endswith("Stopped.\n")
    assert err == ""


def test_more_rows_take_no_more_queries(aws: ScriptedServer) -> None:
    def count_queries(rows: int) -> int:
        for _ in range(rows):
            aws.answers[path(make_render())] = reply(DONE)
        with CaptureQueriesContext(connection) as queries:
            assert run() == (f"Refreshed {rows}: {rows} succeeded.\n", "")
        return len(queries)

    count_queries(1)  # the first end of a day inserts its total
    assert count_queries(2) == count_queries(20)


@pytest.mark.django_db(transaction=True)
def test_another_process_may_write_while_many_rows_are_refreshed(
    aws: ScriptedServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """More rows than a database cursor reads at once."""
    rows = [make_render(Status.SUCCEEDED) for _ in range(501)]
    claim_now = lease.claim_now

    def write() -> None:
        Render.objects.filter(pk=rows[0].pk).update(error="Written meanwhile.")
        connection.close()

    def claim_after_another(renders: list[Render]) -> list[Render]:
        writer = threading.Thread(target=write)
        writer.start()
        writer.join()
        return claim_now(renders)

    monkeypatch.setattr(engine, "claim_now", claim_after_another)
    Render.objects.update(status=Status.RENDERING, finished_at=None)
    assert "Refreshed 501: 501 rendering." in run()[0]
