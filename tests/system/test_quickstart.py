"""The programs of docs/quickstart.md, run as a reader runs them, against the sandbox with its worker."""

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests
from django.conf import settings

from renders.sandbox.aws import Sandbox
from renders.sandbox.network import free_port
from renders.sandbox.steps import NODE
from renders.sandbox.toolchain import Toolchain
from renders.sandbox.web_service import WebService

pytestmark = pytest.mark.system

PAGE = Path(settings.BASE_DIR) / "docs" / "quickstart.md"
PROGRAMS = dict(
    re.findall(r"[Ss]ave it as `([\w.]+)`:\n\n```\w+\n(.*?)^```$", PAGE.read_text(), re.MULTILINE | re.DOTALL)
)


@pytest.fixture(scope="module")
def service(toolchain: Toolchain, tmp_path_factory: pytest.TempPathFactory) -> Iterator[WebService]:
    with Sandbox(toolchain, data=tmp_path_factory.mktemp("data")) as sandbox:
        service = WebService(sandbox, port=free_port(0))
        service.start()
        yield service


@pytest.fixture(scope="module")
def environment(service: WebService) -> dict[str, str]:
    """What the page has exported, in a shell that has no database of the tests."""
    shell = {name: value for name, value in os.environ.items() if name != "DATABASE_URL"}
    exported = {**shell, "RENDERHUB_ENV_FILE": str(service.env_file), "RENDERHUB_URL": service.url}
    command = [sys.executable, "manage.py", "create_api_key", "admin", "--name", "quickstart"]
    key = subprocess.check_output(command, cwd=settings.BASE_DIR, env=exported, text=True)
    return {**exported, "RENDERHUB_KEY": key.strip()}


def run(name: str, *command: object, folder: Path, environment: dict[str, str]) -> str:
    """Run a program of the page in a folder; return what it prints."""
    (folder / name).write_text(PROGRAMS[name])
    process = subprocess.run(
        [*map(str, command), name], cwd=folder, env=environment, capture_output=True, text=True, check=False
    )
    assert process.returncode == 0, process.stdout + process.stderr
    return process.stdout


def assert_is_video(toolchain: Toolchain, video: Path) -> None:
    assert toolchain.probe_video(video)["nb_read_frames"] == "30"


def test_every_program_is_run() -> None:
    assert sorted(PROGRAMS) == ["generated.py", "quickstart.py", "quickstart.ts", "receiver.py"]


def test_python(toolchain: Toolchain, environment: dict[str, str], tmp_path: Path) -> None:
    output = run("quickstart.py", sys.executable, folder=tmp_path, environment=environment)
    assert "bytes, cost 0." in output
    assert_is_video(toolchain, tmp_path / "python.mp4")


def test_a_generated_client(toolchain: Toolchain, environment: dict[str, str], tmp_path: Path) -> None:
    generate = [sys.executable, "-m", "openapi_python_client", "generate", "--url"]
    subprocess.check_call([*generate, f"{environment['RENDERHUB_URL']}/api/schema/"], cwd=tmp_path)
    found = {**environment, "PYTHONPATH": str(tmp_path / "renderhub-client")}
    output = run("generated.py", sys.executable, folder=tmp_path, environment=found)
    assert "bytes, cost 0." in output
    assert_is_video(toolchain, tmp_path / "generated.mp4")


def test_a_receiver_of_webhooks(service: WebService, environment: dict[str, str], tmp_path: Path) -> None:
    port = free_port(0)
    headers = {"Authorization": f"Bearer {environment['RENDERHUB_KEY']}"}
    endpoints = f"{service.url}/api/webhook-endpoints/"
    endpoint = requests.post(endpoints, json={"url": f"http://127.0.0.1:{port}/"}, headers=headers, timeout=30).json()
    (tmp_path / "receiver.py").write_text(PROGRAMS["receiver.py"])
    receiver = subprocess.Popen(
        [sys.executable, "receiver.py"],
        cwd=tmp_path,
        env={**environment, "RENDERHUB_SECRET": endpoint["secret"], "PORT": str(port)},
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        requests.post(f"{endpoints}{endpoint['id']}/ping/", headers=headers, timeout=30).raise_for_status()
        assert receiver.stdout
        assert receiver.stdout.readline() == "ping None None\n"
        run("quickstart.py", sys.executable, folder=tmp_path, environment=environment)
        told = [receiver.stdout.readline().split()[0] for _ in range(2)]
    finally:
        receiver.kill()
        receiver.communicate()
    assert told == ["render.started", "render.succeeded"]


def test_typescript(toolchain: Toolchain, environment: dict[str, str], tmp_path: Path) -> None:
    output = run("quickstart.ts", NODE, folder=tmp_path, environment=environment)
    assert "bytes, cost 0." in output
    assert_is_video(toolchain, tmp_path / "typescript.mp4")
