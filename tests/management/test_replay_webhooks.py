from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from renders.models import Render, WebhookDelivery
from renders.services import incoming_webhooks
from tests.servers import ScriptedServer
from tests.webhooks import body_of, deliver, post

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
        assert (failed.processed, failed.error) == (True, "")
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

    def test_a_rejected_one_cannot_be(self) -> None:
        post(body_of(), None)
        rejected = WebhookDelivery.objects.get()
        assert self.run("--failed")[0] == "Processed 0 deliveries.\n"
        with pytest.raises(CommandError, match="1 could not be processed"):
            self.run("--id", str(rejected.pk))
        rejected.refresh_from_db()
        assert not rejected.processed

    @pytest.mark.parametrize("arguments", [[], ["--failed", "--id", "1"], ["--id", "x"], ["--id", "0"]])
    def test_what_is_to_be_done_must_be_clear(self, arguments: list[str]) -> None:
        with pytest.raises(CommandError):
            self.run(*arguments)

    @pytest.mark.parametrize("pk", ["4711", "9" * 30])
    def test_an_id_that_there_is_not(self, pk: str) -> None:
        with pytest.raises(CommandError, match=f"There is no delivery {pk}"):
            self.run("--id", pk)
