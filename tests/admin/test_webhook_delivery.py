import pytest
from django.contrib.auth.models import User
from django.test import Client

from renders.models import Render, WebhookDelivery
from renders.services import incoming_webhooks
from tests.webhooks import body_of, deliver, post

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("webhook_secret")]
Status = Render.Status


class TestAdmin:
    LIST = "/admin/renders/webhookdelivery/"

    @pytest.fixture
    def admin(self, staff: User, client: Client) -> Client:
        client.force_login(staff)
        return client

    def test_list_filters_and_finds(self, admin: Client, failed: WebhookDelivery) -> None:
        post(body_of(), None)
        rejected = WebhookDelivery.objects.rejected().get()
        for query, shown, hidden in [
            ("valid__exact=0", rejected, failed),
            ("valid__exact=1&processed__exact=0", failed, rejected),
            ("error__isempty=0&q=abc123", failed, rejected),
        ]:
            content = admin.get(f"{self.LIST}?{query}").content.decode()
            assert f"{self.LIST}{shown.pk}/change/" in content
            assert f"{self.LIST}{hidden.pk}/change/" not in content

    def test_page_shows_everything_and_nothing_can_be_changed(self, admin: Client) -> None:
        delivery = deliver(body_of("<b>bold</b>"))
        content = admin.get(f"{self.LIST}{delivery.pk}/change/").content.decode()
        for words in ("&lt;b&gt;bold&lt;/b&gt;", "X-Remotion-Signature", incoming_webhooks.UNKNOWN_RENDER):
            assert words in content
        assert 'name="_save"' not in content
        assert [admin.get(f"{self.LIST}{path}").status_code for path in ("add/", f"{delivery.pk}/delete/")] == [403] * 2

    def test_chosen_ones_are_processed_again(self, admin: Client, failed: WebhookDelivery) -> None:
        post(body_of(), None)
        deliver(b"not json")
        data = {"action": "process_again", "_selected_action": [str(pk) for pk in self.ids()]}
        content = admin.post(self.LIST, data, follow=True).content.decode()
        assert "Deliveries: 1 rejected and left alone, 1 processed, 1 failed." in content
        assert Render.objects.get().status == Status.SUCCEEDED

    def ids(self) -> list[int]:
        return list(WebhookDelivery.objects.values_list("pk", flat=True))
