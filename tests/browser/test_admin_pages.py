"""Every page of the admin, in every size and theme: it works, fits the screen, and can be used by everybody."""

from typing import Any

import pytest
from django.contrib import admin
from django.test import RequestFactory
from django.urls import reverse
from playwright.sync_api import Page

from tests.browser.inspection import faults_of
from tests.browser.rows import fill
from tests.browser.views import VIEWS


@pytest.fixture
def addresses(bucket: Any, webhook_secret: None, staff: Any, server: str) -> list[str]:
    """Of the index, and of each model's list, its form for a new row, and its newest row."""
    fill(bucket)
    request = RequestFactory().get("/")
    request.user = staff
    found = [reverse("admin:index")]
    for model, model_admin in admin.site._registry.items():
        name = f"admin:{model._meta.app_label}_{model._meta.model_name}"
        found.append(reverse(f"{name}_changelist"))
        if model_admin.has_add_permission(request):
            found.append(reverse(f"{name}_add"))
        newest = model._default_manager.order_by("-pk").first()
        assert newest is not None, f"There is no row of {model.__name__}."
        found.append(reverse(f"{name}_change", args=[newest.pk]))
    return found


@pytest.mark.system
@pytest.mark.parametrize("view", VIEWS, ids=str)
def test_every_page_works_fits_the_screen_and_is_accessible(signed_in: Page, addresses: list[str]) -> None:
    faults = [fault for address in addresses for fault in faults_of(signed_in, address)]
    assert not faults, "\n".join(faults)


@pytest.mark.parametrize("view", VIEWS, ids=str)
def test_so_does_the_page_that_signs_in(page: Page) -> None:
    faults = faults_of(page, "/admin/login/")
    assert not faults, "\n".join(faults)
