"""The command palette in a browser, by the keyboard alone."""

import pytest
from playwright.sync_api import Page, expect

from tests.factories import make_render


@pytest.mark.parametrize("keys", [["Enter"], ["ArrowDown", "Enter"]], ids="+".join)
def test_finds_a_render_by_the_beginning_of_its_id_and_opens_it(signed_in: Page, keys: list[str]) -> None:
    render = make_render(render_id="abc123defg")
    signed_in.goto("/admin/renders/template/")
    signed_in.keyboard.press("Control+k")
    field = signed_in.locator("#search-input-command")
    expect(field).to_be_focused()
    signed_in.keyboard.press("Enter")  # before there are results, it does nothing
    signed_in.keyboard.type("abc12")
    expect(signed_in.locator("#command-results-list")).to_contain_text("abc123defg")
    for key in keys:
        signed_in.keyboard.press(key)
    signed_in.wait_for_url(f"**/admin/renders/render/{render.pk}/change/**")
