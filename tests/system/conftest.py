import os
import shutil
import subprocess
from pathlib import Path

import pytest
from django.conf import settings

from renders.sandbox.steps import NODE, NPM_CLI

PROJECT = Path(settings.BASE_DIR) / "tests" / "sandbox" / "project"


@pytest.fixture(scope="session")
def project_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A Remotion project with its packages installed, in a folder outside the checkout."""
    folder = tmp_path_factory.mktemp("projects") / "my-video"
    shutil.copytree(PROJECT, folder, ignore=shutil.ignore_patterns("node_modules"))
    subprocess.run(
        [NODE, NPM_CLI, "install", "--ignore-scripts", "--no-audit", "--no-fund", "--prefer-offline"],
        cwd=folder,
        env={**os.environ, "PATH": f"{NODE.parent}{os.pathsep}{os.environ['PATH']}"},
        check=True,
        capture_output=True,
    )
    return folder
