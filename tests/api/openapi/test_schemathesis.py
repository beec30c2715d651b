"""Thousands of requests made of the description, to a live server: nothing is answered that it does not say."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from django.conf import settings
from django.contrib.auth.models import User

from renders.services.api_keys import create_api_key
from tests.api.openapi.description import OPERATIONS
from tests.api.streams.server import running_stream_server
from tests.factories import BUCKET, make_render, make_template
from tests.s3 import last_progress
from tests.servers import ScriptedServer
from tests.webhooks import SECRET

pytestmark = pytest.mark.system

CASES = 2000
STREAM = "stream_"
ENDING = [operation_id for operation_id in OPERATIONS if not operation_id.startswith(STREAM)]
CHECKS = (
    "not_a_server_error",
    "status_code_conformance",
    "content_type_conformance",
    "response_headers_conformance",
    "response_schema_conformance",
    "code_is_described",
)


@pytest.fixture
def aws_settings(numbered: ScriptedServer) -> dict[str, str]:
    """Settings of a service whose every start succeeds, and whose every render has succeeded when it is looked at."""
    numbered.answers[f"/{BUCKET}/renders/"] = last_progress()
    names = ("REMOTION_AWS_ACCESS_KEY_ID", "REMOTION_AWS_SECRET_ACCESS_KEY", "REMOTION_BUCKET_NAME")
    return {
        **{name: getattr(settings, name) for name in (*names, "REMOTION_SITE_NAME")},
        "AWS_ENDPOINT_URL_S3": numbered.url,
        "AWS_ENDPOINT_URL_LAMBDA": numbered.url,
        "REMOTION_WEBHOOK_SECRET": SECRET,
    }


def test_no_answer_is_undescribed(transactional_db: None, aws_settings: dict[str, str], tmp_path: Path) -> None:
    staff = User.objects.create_superuser("grace")
    make_template("promo", input_schema={"type": "object", "properties": {"title": {"type": "string"}}})
    for status in ("queued", "rendering", "succeeded", "failed", "cancelled"):
        make_render(status, owner=staff)
    _, secret = create_api_key(user=staff, name="test")
    with running_stream_server(tmp_path / "web.log", **aws_settings) as server:
        output = run_schemathesis(f"http://127.0.0.1:{server.port}", secret=secret, folder=tmp_path)
    (cases,) = re.findall(r"Test cases:\s+([\d,]+) generated", output)
    assert int(cases.replace(",", "")) >= CASES, output


def run_schemathesis(url: str, *, secret: str, folder: Path) -> str:
    """Run all phases, links too; return what it prints. Fail if an answer is not described."""
    hooks = Path(__file__).with_name("schemathesis_hooks.py")
    environment = {**os.environ, "SCHEMATHESIS_HOOKS": hooks.stem, "PYTHONPATH": str(hooks.parent)}
    process = subprocess.run(
        [
            *(sys.executable, "-m", "schemathesis.cli", "run", f"{url}/api/schema/", "--no-color"),
            *("--header", f"Authorization: Bearer {secret}"),
            *("--exclude-operation-id-regex", f"^{STREAM}"),  # they do not end
            *("--checks", ",".join(CHECKS)),
            *("--max-examples", str(CASES // len(ENDING))),
            *("--suppress-health-check", "all", "--generation-deterministic"),
        ],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert process.returncode == 0, f"{process.stdout}\n{process.stderr}"
    return process.stdout
