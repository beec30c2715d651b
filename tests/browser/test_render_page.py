"""A render's page in a browser."""

import pytest
from django.utils import timezone
from playwright.sync_api import Page, expect

from renders.models import Render
from tests.factories import make_render


@pytest.mark.system
def test_a_question_stays_open_when_the_status_changes_and_is_gone_once_it_is_closed(signed_in: Page) -> None:
    render = make_render(progress=0.1)
    signed_in.goto(f"/admin/renders/render/{render.pk}/change/")
    signed_in.locator("#button-cancel").click()
    dialog, head = signed_in.locator("#dialog-cancel"), signed_in.locator("#page-head")
    Render.objects.update(cancel_requested_at=timezone.now())
    expect(head.locator("[data-live=label]")).to_have_text("Cancelling")
    Render.objects.update(progress=0.5)
    expect(head.locator("[data-live=percent]")).to_have_text("50%")  # two seconds later
    expect(dialog).to_be_visible()
    dialog.get_by_role("button", name="No, leave it").click()
    expect(signed_in.locator("#button-cancel")).to_have_count(0)


WATCH = """() => {
    window.seen = [];
    const look = () => {
        const [label, what] = ["[data-live=label]", ".page-what"].map((part) =>
            document.querySelector(`#page-head ${part}`).textContent.trim());
        window.seen.push(`${label}: ${what}`);
    };
    look();
    new MutationObserver(look).observe(document.getElementById("page-head"), {
        subtree: true, childList: true, characterData: true,
    });
}"""


@pytest.mark.system
def test_the_label_changes_together_with_what_is_said_of_it_and_old_messages_go(signed_in: Page) -> None:
    render = make_render(progress=0.1)
    signed_in.goto(f"/admin/renders/render/{render.pk}/change/")
    signed_in.locator("#button-cancel").click()
    signed_in.locator("#dialog-cancel button[type=submit]").click()
    message = signed_in.get_by_text("It is being cancelled: Remotion is asked within seconds.")
    expect(message).to_be_visible()
    signed_in.evaluate(WATCH)
    Render.objects.update(status=Render.Status.CANCELLED, finished_at=timezone.now())
    expect(signed_in.locator("#page-head [data-live=label]")).to_have_text("Cancelled")
    expect(message).to_have_count(0)
    assert list(dict.fromkeys(signed_in.evaluate("seen"))) == [
        "Cancelling: It is being cancelled: Remotion's functions stop within seconds.",
        "Cancelled: It was cancelled at 10%.",
    ]


@pytest.mark.system
def test_ages_in_the_list_count_on(signed_in: Page) -> None:
    make_render("succeeded", created_at=timezone.now())
    signed_in.clock.install()
    signed_in.goto("/admin/renders/render/")
    age = signed_in.locator("time[data-age]")
    expect(age).to_contain_text("s ago")
    signed_in.clock.fast_forward("03:00")
    expect(age).to_have_text("3\N{NO-BREAK SPACE}min ago")
