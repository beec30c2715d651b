"""Templates of a site, as Remotion's function lists its compositions."""

import pytest
from django.contrib.auth.models import User
from rest_framework.test import APIClient

from renders.models import Render, Template
from renders.remotion.errors import SetupError
from renders.sandbox.aws import Sandbox
from renders.services.templates.sync import sync_templates

pytestmark = [pytest.mark.system, pytest.mark.django_db]


def test_a_site_is_synced_and_its_templates_render(sandbox: Sandbox, user: User) -> None:
    first = sync_templates()
    assert "dynamiccomp" in first.created
    template = Template.objects.get(name="dynamiccomp")
    assert (template.composition, template.site, template.enabled) == ("DynamicComp", "", True)
    assert (template.length, template.duration_in_frames, template.fps) == ("input_props", 150, 30)
    assert template.input_schema
    assert template.input_schema["properties"]["code"] == {"type": "string"}
    assert sync_templates().unchanged == sorted(first.created)

    api = APIClient()
    api.force_authenticate(user)
    body = api.get("/api/templates/dynamiccomp/").json()["example"]
    still = api.post("/api/renders/", {**body, "kind": "still", "frame": 10}, format="json")
    assert (still.status_code, still.json()["status"]) == (201, Render.Status.SUCCEEDED)
    assert (still.json()["template"], still.json()["templateVersion"]) == ("dynamiccomp", 1)


def test_a_site_that_there_is_not_is_told(sandbox: Sandbox) -> None:
    with pytest.raises(SetupError, match="cannot open the site"):
        sync_templates(site="http://127.0.0.1:9/none/index.html")
    assert not Template.objects.exists()
