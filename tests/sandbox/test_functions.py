import json
from pathlib import Path

import pytest

from renders.sandbox.errors import SandboxError
from renders.sandbox.functions import install_function, installed_version


@pytest.mark.parametrize("version", ["latest", "^4.0.0", "../4.0.499", "4.0", "", "4.0.499;"])
def test_only_exact_versions_are_installed(version: str, tmp_path: Path) -> None:
    with pytest.raises(SandboxError, match="is not a version of Remotion"):
        install_function(version, tmp_path, lambda text: None)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.system
def test_a_version_that_npm_does_not_have_is_told(tmp_path: Path) -> None:
    with pytest.raises(SandboxError, match=r"npm has no @remotion/lambda@4\.0\.0-none"):
        install_function("4.0.0-none", tmp_path, lambda text: None)


@pytest.mark.system
def test_a_function_is_installed_once(tmp_path: Path) -> None:
    said: list[str] = []
    node_modules = install_function("4.0.403", tmp_path, said.append)
    assert node_modules == tmp_path / "4.0.403" / "node_modules"
    assert installed_version(node_modules) == "4.0.403"
    assert "Remotion 4.0.403" in said[0]
    said.clear()
    install_function("4.0.403", tmp_path, said.append)
    assert said == []


def test_the_version_is_that_of_the_installed_package(tmp_path: Path) -> None:
    package = tmp_path / "@remotion" / "lambda"
    package.mkdir(parents=True)
    (package / "package.json").write_text(json.dumps({"version": "4.1.0-alpha.2"}))
    assert installed_version(tmp_path) == "4.1.0-alpha.2"
