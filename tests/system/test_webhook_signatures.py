"""Our webhooks, verified by the official library for JavaScript."""

import json
import subprocess
from pathlib import Path

import pytest
from django.utils import timezone

from renders.models import WebhookEndpoint
from renders.sandbox.steps import NODE, NPM_CLI
from renders.services.webhooks.secrets import secret_of, signed_headers

pytestmark = pytest.mark.system

LIBRARY = "standardwebhooks@1.1.0"
VERIFY = """
const { Webhook } = require("standardwebhooks");
const { secret, body, headers } = JSON.parse(process.argv[1]);
console.log(JSON.stringify(new Webhook(secret).verify(body, headers)));
"""
BODY = '{"type":"render.failed","timestamp":"2026-03-01T12:00:00Z","data":{"error":"Größe – 🎬"}}'


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("library")
    subprocess.run([NODE, NPM_CLI, "install", "--no-audit", "--no-fund", LIBRARY], cwd=folder, check=True)
    return folder


def verify(folder: Path, secret: str, body: str) -> "subprocess.CompletedProcess[str]":
    endpoint = WebhookEndpoint(secret_version=2, previous_secret_until=None)
    headers = signed_headers(endpoint, message_id="msg_1", body=BODY, at=timezone.now())
    argument = json.dumps({"secret": secret or secret_of(endpoint), "body": body, "headers": headers})
    return subprocess.run([NODE, "-e", VERIFY, argument], cwd=folder, capture_output=True, text=True, check=False)


def test_what_we_sign_is_accepted(folder: Path) -> None:
    result = verify(folder, "", BODY)
    assert result.returncode == 0, result.stderr
    assert json.loads(result.stdout) == json.loads(BODY)


@pytest.mark.parametrize(("secret", "body"), [("", BODY.replace("failed", "queued")), ("whsec_" + "A" * 44, BODY)])
def test_what_we_have_not_signed_is_not(folder: Path, secret: str, body: str) -> None:
    result = verify(folder, secret, body)
    assert result.returncode == 1
    assert "No matching signature found" in result.stderr
