"""Webhook endpoints and messages in the admin."""

from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone

from renders.models import WebhookAttempt, WebhookEndpoint, WebhookMessage
from renders.services.webhooks.secrets import secret_of
from tests.factories import grant, make_endpoint, make_message, make_render

pytestmark = pytest.mark.django_db
ENDPOINTS, MESSAGES = "/admin/renders/webhookendpoint/", "/admin/renders/webhookmessage/"
URL = "https://example.com/hook"
Status = WebhookMessage.Status


@pytest.fixture
def endpoint(user: User) -> WebhookEndpoint:
    return make_endpoint(user, URL)


def act(admin: Client, path: str, action: str, *rows: Any) -> str:
    body = {"action": action, "_selected_action": [row.pk for row in rows]}
    response = admin.post(path, body, follow=True)
    assert response.status_code == 200
    return response.content.decode()


class TestEndpoints:
    def test_list_and_page_show_it_and_no_secret(self, admin: Client, endpoint: WebhookEndpoint) -> None:
        for path in (f"{ENDPOINTS}?q=ada", f"{ENDPOINTS}{endpoint.pk}/change/"):
            content = admin.get(path).content.decode()
            assert URL in content
            assert secret_of(endpoint) not in content
            assert "whsec_" not in content

    def test_make_one(self, admin: Client, user: User) -> None:
        body = {"owner": user.pk, "url": URL, "description": "", "events": ["render.failed"], "enabled": "on"}
        assert admin.post(f"{ENDPOINTS}add/", body).status_code == 302
        made = WebhookEndpoint.objects.get()
        assert (made.owner, made.url, made.events, made.enabled) == (user, URL, ["render.failed"], True)

    @pytest.mark.parametrize("url", ["", "nonsense", "https://a:b@example.com"])
    def test_what_is_wrong_is_told_beside_its_field(self, admin: Client, user: User, url: str) -> None:
        response = admin.post(f"{ENDPOINTS}add/", {"owner": user.pk, "url": url, "enabled": "on"})
        assert response.status_code == 200
        assert "errorlist" in response.content.decode()
        assert not WebhookEndpoint.objects.exists()

    def test_disabling_it_ends_what_waits(self, admin: Client, endpoint: WebhookEndpoint) -> None:
        message = make_message(endpoint)
        body = {"url": URL, "description": "", "events": []}
        assert admin.post(f"{ENDPOINTS}{endpoint.pk}/change/", body).status_code == 302
        endpoint.refresh_from_db()
        message.refresh_from_db()
        assert (endpoint.enabled, message.status) == (False, Status.FAILED)

    def test_actions(self, admin: Client, endpoint: WebhookEndpoint) -> None:
        failed = make_message(endpoint, status=Status.FAILED)
        assert "1 replayed." in act(admin, ENDPOINTS, "replay_failed", endpoint)
        failed.refresh_from_db()
        assert failed.status == Status.PENDING
        assert "1 pinged" in act(admin, ENDPOINTS, "ping", endpoint)
        assert "1 disabled." in act(admin, ENDPOINTS, "disable", endpoint)
        assert "enable it first" in act(admin, ENDPOINTS, "ping", endpoint)
        assert "1 enabled." in act(admin, ENDPOINTS, "enable", endpoint)
        endpoint.refresh_from_db()
        assert endpoint.enabled

    def test_buttons_ask_first_and_are_in_the_log(self, admin: Client, endpoint: WebhookEndpoint) -> None:
        for name, said in (("ping_this", "1 pinged"), ("replay_failed_of_this", "1 replayed.")):
            address = f"{ENDPOINTS}{endpoint.pk}/{name}/"
            assert "_form_submitted" in admin.get(address).content.decode()
            content = admin.post(address, {"_form_submitted": "True"}, follow=True).content.decode()
            assert said in content
        assert LogEntry.objects.count() == 2
        assert WebhookMessage.objects.count() == 1

    def test_buttons_need_the_permission(self, client: Client, endpoint: WebhookEndpoint) -> None:
        sam = User.objects.create_user("sam", is_staff=True)
        grant(sam, "view_webhookendpoint")
        client.force_login(sam)
        assert client.post(f"{ENDPOINTS}{endpoint.pk}/ping_this/", {"_form_submitted": "True"}).status_code == 403
        assert not WebhookMessage.objects.exists()

    def test_one_too_many_is_refused_in_words(self, admin: Client, user: User) -> None:
        for number in range(50):
            make_endpoint(user, f"{URL}/{number}")
        answer = admin.post(f"{ENDPOINTS}add/", {"owner": user.pk, "url": URL, "enabled": "on"})
        assert answer.status_code == 200
        assert "which is the most" in answer.content.decode()

    def test_says_that_one_fails_and_until_when(self, admin: Client, endpoint: WebhookEndpoint) -> None:
        endpoint.failing_since = timezone.now()
        endpoint.save()
        content = admin.get(ENDPOINTS).content.decode()
        assert "Failing" in content
        assert "It is disabled on" in content


class TestMessages:
    def test_list_and_page_show_body_and_attempts(self, admin: Client, endpoint: WebhookEndpoint) -> None:
        render = make_render()
        message = make_message(endpoint, render)
        WebhookAttempt.objects.create(
            message=message, duration_ms=7, status_code=500, answer="<b>No.</b>", error="Bad."
        )
        assert str(message) in admin.get(f"{MESSAGES}?q={render.pk}").content.decode()
        assert str(message) not in admin.get(f"{MESSAGES}?q=nonsense").content.decode()
        assert str(message) in admin.get(f"{MESSAGES}?endpoint__id__exact={endpoint.pk}").content.decode()
        content = admin.get(f"{MESSAGES}{message.pk}/change/").content.decode()
        assert "render.succeeded" in content
        assert "&lt;b&gt;No.&lt;/b&gt;" in content
        assert admin.post(f"{MESSAGES}{message.pk}/change/", {"status": "delivered"}).status_code == 403

    def test_send_again(self, admin: Client, endpoint: WebhookEndpoint) -> None:
        failed, waiting = make_message(endpoint, status=Status.FAILED), make_message(endpoint)
        content = act(admin, MESSAGES, "send_again", failed, waiting)
        assert "1 queued" in content
        assert "still being delivered" in content
        failed.refresh_from_db()
        assert failed.status == Status.PENDING

    def test_who_may_only_look_cannot_send(self, client: Client, endpoint: WebhookEndpoint) -> None:
        looker = User.objects.create_user("linus", is_staff=True)
        grant(looker, "view_webhookmessage", "view_webhookendpoint")
        client.force_login(looker)
        failed = make_message(endpoint, status=Status.FAILED)
        act(client, MESSAGES, "send_again", failed)
        failed.refresh_from_db()
        assert failed.status == Status.FAILED

    def test_one_is_sent_again_by_its_button_and_its_render_tells(
        self, admin: Client, endpoint: WebhookEndpoint
    ) -> None:
        message = make_message(endpoint, make_render(), status=Status.FAILED)
        address = f"{MESSAGES}{message.pk}/send_this_again/"
        assert "1 queued" in admin.post(address, {"_form_submitted": "True"}, follow=True).content.decode()
        message.refresh_from_db()
        assert message.status == Status.PENDING
        said = {entry.get_change_message() for entry in LogEntry.objects.all()}
        assert said == {"Sent again.", f"Webhook {message} sent again."}

    @pytest.mark.parametrize("query", ["endpoint__id__exact=x", "status__exact=x", "q=%00", "endpoint__id__exact="])
    def test_takes_any_filter(self, admin: Client, query: str) -> None:
        assert admin.get(f"{MESSAGES}?{query}").status_code in (200, 302)
