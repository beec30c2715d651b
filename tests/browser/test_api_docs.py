"""The pages that show the API's description, in a browser that reaches no other host."""

import re

from playwright.sync_api import Page, expect


class TestSwagger:
    def test_it_shows_the_operations_and_sends_a_request(self, signed_in: Page) -> None:
        signed_in.goto("/api/docs/")
        expect(signed_in).to_have_title("renderhub")
        operation = signed_in.locator(".opblock-get", has=signed_in.locator("[data-path='/api/options/']"))
        operation.locator(".opblock-summary-control").click()
        operation.get_by_role("button", name="Try it out").click()
        operation.get_by_role("button", name="Execute").click()
        answer = operation.locator(".live-responses-table")
        expect(answer.locator("tbody .response-col_status").first).to_have_text(re.compile("^200"))
        expect(answer).to_contain_text("framesPerLambda")


class TestRedoc:
    def test_it_shows_the_operations_and_finds_one(self, page: Page) -> None:
        page.goto("/api/redoc/")
        expect(page).to_have_title("renderhub")
        expect(page.locator("h1", has_text="renderhub")).to_be_visible()
        expect(page.get_by_text("API docs by Redocly")).to_be_visible()
        page.get_by_role("textbox").first.fill("usage")
        found = page.locator("[role=search] li", has_text=re.compile("usage", re.IGNORECASE))
        expect(found.first).to_be_visible()
