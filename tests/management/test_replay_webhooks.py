from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from renders.management.commands import replay_webhooks
from renders.models import Render, WebhookDelivery
from renders.services import incoming_webhooks
from tests.factories import make_render
from tests.s3 import store
from tests.servers import ScriptedServer
from tests.webhooks import about, body_of, deliver

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("webhook_secret")]
Status = Render.Status


class TestReplay:
    def run(self, *arguments: str) -> tuple[str, str]:
        out, err = StringIO(), StringIO()
        call_command("replay_webhooks", *arguments, stdout=out, stderr=err)
        return out.getvalue(), err.getvalue()

    def test_failed_ones_are_processed(self, failed: WebhookDelivery) -> None:
        assert self.run("--failed") == ("Processed 1 deliveries.\n", "")
        failed.refresh_from_db()
        assert (failed.is_processed, failed.error) == (True, "")
        assert Render.objects.get().status == Status.SUCCEEDED
        assert self.run("--failed") == ("Processed 0 deliveries.\n", "")

    def test_chosen_ones_are_processed_again(self, aws: ScriptedServer) -> None:
        first, second = deliver(body_of("one")), deliver(body_of("two"))
        out, err = self.run("--id", str(second.pk), "--id", str(first.pk))
        assert out == "Processed 2 deliveries.\n"
        assert (
            err == f"{first.pk}: {incoming_webhooks.UNKNOWN_RENDER}\n{second.pk}: {incoming_webhooks.UNKNOWN_RENDER}\n"
        )

    def test_one_that_fails_again_is_told_and_keeps_no_other(self, failed: WebhookDelivery) -> None:
        bad = deliver(b"not json")
        WebhookDelivery.objects.filter(pk=bad.pk).update(id=failed.pk - 1)
        with pytest.raises(CommandError, match="1 could not be processed"):
            self.run("--failed")
        assert Render.objects.get().status == Status.SUCCEEDED

    def test_more_than_a_batch_are_processed(self, aws: ScriptedServer, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(replay_webhooks, "BATCH_SIZE", 2)
        renders = [make_render() for _ in range(5)]
        for render in renders:
            store(aws, render.render_id)
            WebhookDelivery.objects.create(headers={}, body=about(render).decode())
        assert self.run("--failed") == ("Processed 5 deliveries.\n", "")
        assert {render.status for render in Render.objects.all()} == {Status.SUCCEEDED}

    @pytest.mark.parametrize("arguments", [[], ["--failed", "--id", "1"], ["--id", "x"], ["--id", "0"]])
    def test_what_is_to_be_done_must_be_clear(self, arguments: list[str]) -> None:
        with pytest.raises(CommandError):
            self.run(*arguments)

    @pytest.mark.parametrize("pk", ["4711", "9" * 30])
    def test_an_id_that_there_is_not(self, pk: str) -> None:
        with pytest.raises(CommandError, match=f"There is no delivery {pk}"):
            self.run("--id", pk)
