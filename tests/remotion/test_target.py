import json
import re
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings as django_settings
from remotion_lambda.version import VERSION

from renders.remotion.errors import SetupError
from renders.remotion.site import configured_site
from renders.remotion.target import (
    NOT_SET_UP,
    SECRET_KEY_MISSING,
    LambdaTarget,
    deploy_command,
    how_to_deploy,
    memory_in_name,
)
from renders.sandbox.toolchain import SOURCES

ROOT = Path(django_settings.BASE_DIR)


class TestOneVersionOfRemotion:
    def test_python_and_npm_pin_the_same(self) -> None:
        assert f"remotion-lambda=={VERSION}\n" in (ROOT / "requirements.txt").read_text()
        dependencies = json.loads((SOURCES / "package.json").read_text())["dependencies"]
        ours = {name: pin for name, pin in dependencies.items() if "remotion" in name}
        assert ours == dict.fromkeys(("@remotion/bundler", "@remotion/lambda", "remotion"), VERSION)

    def test_lock_file_installs_no_other(self) -> None:
        packages = json.loads((SOURCES / "package-lock.json").read_text())["packages"]
        named = {path.rpartition("node_modules/")[2]: entry for path, entry in packages.items()}
        versions = {entry["version"] for name, entry in named.items() if name.startswith(("@remotion/", "remotion"))}
        assert versions == {VERSION}

    def test_lock_file_names_no_host(self) -> None:
        assert "resolved" not in (SOURCES / "package-lock.json").read_text()

    def test_the_documented_command_deploys_it(self) -> None:
        command = deploy_command(LambdaTarget.from_settings())
        assert f"\n{command}\n" in (ROOT / "docs" / "deployment.md").read_text()


class TestHowToDeploy:
    def test_a_name_that_remotion_gave_is_deployed_as_it_is(self, settings: Any) -> None:
        settings.REMOTION_FUNCTION_NAME = "remotion-render-4-0-500-mem2048mb-disk512mb-900sec"
        target = LambdaTarget.from_settings()
        assert (target.memory_size, target.disk_size, target.function_timeout) == (2048, 512, 900)
        assert how_to_deploy(target) == (
            "Deploy it: npx -p @remotion/cli@4.0.500 -p @remotion/lambda@4.0.500 remotion lambda functions deploy"
            " --region=us-east-1 --memory=2048 --disk=512 --timeout=900"
        )

    def test_for_another_name_it_is_the_pinned_version(self, settings: Any) -> None:
        settings.REMOTION_FUNCTION_NAME = "our-function"
        said = how_to_deploy(LambdaTarget.from_settings())
        assert "Deploy remotion-render-4-0-527-mem3009mb-disk10240mb-240sec and remove REMOTION_FUNCTION_NAME" in said
        assert "@remotion/lambda@4.0.527" in said


class TestCredentials:
    def test_no_access_key_at_all(self, settings: Any) -> None:
        settings.REMOTION_AWS_ACCESS_KEY_ID = ""
        with pytest.raises(SetupError, match=re.escape(NOT_SET_UP)):
            LambdaTarget.from_settings().require_credentials()

    def test_access_key_without_secret(self, settings: Any) -> None:
        settings.REMOTION_AWS_SECRET_ACCESS_KEY = ""
        with pytest.raises(SetupError, match=re.escape(SECRET_KEY_MISSING)):
            LambdaTarget.from_settings().require_credentials()

    def test_boto3s_own_chain_needs_neither(self, settings: Any) -> None:
        settings.REMOTION_AWS_ACCESS_KEY_ID = settings.REMOTION_AWS_SECRET_ACCESS_KEY = ""
        settings.REMOTION_USE_DEFAULT_CREDENTIALS = True
        LambdaTarget.from_settings().require_credentials()

    def test_remotions_own_variables_win(self, settings: Any) -> None:
        settings.AWS_ACCESS_KEY_ID, settings.AWS_SECRET_ACCESS_KEY, settings.AWS_SESSION_TOKEN = "a", "b", "c"
        config = LambdaTarget.from_settings()
        assert (config.access_key_id, config.secret_access_key) == ("AKIATEST", "not-a-secret")
        assert config.session_token == "", "the token of the other key does not fit this one"

    def test_plain_variables_are_taken_with_their_token(self, settings: Any) -> None:
        settings.REMOTION_AWS_ACCESS_KEY_ID = settings.REMOTION_AWS_SECRET_ACCESS_KEY = ""
        settings.AWS_ACCESS_KEY_ID, settings.AWS_SECRET_ACCESS_KEY, settings.AWS_SESSION_TOKEN = "a", "b", "c"
        config = LambdaTarget.from_settings()
        assert (config.access_key_id, config.secret_access_key, config.session_token) == ("a", "b", "c")

    def test_secrets_are_not_shown(self) -> None:
        assert "AKIATEST" not in repr(LambdaTarget.from_settings())
        assert "not-a-secret" not in repr(LambdaTarget.from_settings())


def test_a_site_is_needed(settings: Any) -> None:
    settings.REMOTION_SITE_NAME = ""
    with pytest.raises(SetupError, match="REMOTION_SERVE_URL"):
        configured_site()


def test_serve_url_wins_over_the_site_name(settings: Any) -> None:
    settings.REMOTION_SERVE_URL = "https://example.com/site"
    assert configured_site() == "https://example.com/site"


@pytest.mark.parametrize(
    ("name", "memory"),
    [("remotion-render-4-0-527-mem3009mb-disk10240mb-240sec", 3009), ("renderer", None)],
)
def test_a_function_of_remotions_name_tells_its_memory(name: str, memory: int | None) -> None:
    assert memory_in_name(name) == memory
