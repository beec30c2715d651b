"""The form that starts a render in a browser."""

import re

import pytest
from playwright.sync_api import Page, expect

ADD = "/admin/renders/render/add/"
CODE = re.compile(r"^Code\*?$")


@pytest.mark.system
def test_back_after_start_shows_what_was_filled_in(signed_in: Page) -> None:
    signed_in.goto(ADD)
    signed_in.get_by_label(CODE).fill("export default () => null;")
    signed_in.get_by_label("Length in frames").fill("77")
    signed_in.get_by_label("Kind").select_option("still")
    signed_in.get_by_role("button", name="Start", exact=True).click()
    signed_in.wait_for_url("**/change/")
    signed_in.go_back()
    expect(signed_in.get_by_label(CODE)).to_have_value("export default () => null;")
    expect(signed_in.get_by_label("Length in frames")).to_have_value("77")
    expect(signed_in.get_by_label("Kind")).to_have_value("still")
    expect(signed_in.get_by_label("Frame", exact=True)).to_be_visible()
    signed_in.goto(ADD)
    expect(signed_in.get_by_label(CODE)).to_have_value("")


@pytest.mark.system
def test_a_mistake_in_json_is_told_once(signed_in: Page) -> None:
    signed_in.goto(ADD)
    signed_in.get_by_label(CODE).fill("x")
    signed_in.get_by_label("Other input props").fill("{bad")
    problem = signed_in.locator("[data-problem]:not(:empty)")
    expect(problem).to_have_count(1)
    signed_in.get_by_role("button", name="Check", exact=True).click()
    expect(signed_in.locator(".start-field .start-errors")).to_have_count(1)
    expect(problem).to_have_count(0)
