"""nginx as S3, over TLS: recorded progress.json files of renders that go on, in two versions."""

import json
import os
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from renders.sandbox.network import free_port
from tests.benchmarks import tls
from tests.factories import load_recording

BUCKETS = 10
RENDERS = 10_000
"""In each bucket; the buckets are names for one folder."""

VERSIONS = 2
CONFIGURATION = """
daemon off;
pid {folder}/nginx.pid;
worker_processes 1;
error_log stderr error;
events {{ worker_connections 1024; }}
http {{
    access_log off;
    default_type application/json;
    keepalive_requests 1000000;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    {servers}
}}
"""
SERVER = """
server {{
    listen 127.0.0.1:{port} ssl;
    ssl_certificate {folder}/{certificate};
    ssl_certificate_key {folder}/{key};
    root {root};
}}
"""


@dataclass(frozen=True)
class S3:
    """Two servers whose files differ: a row that was read from one finds news at the other."""

    urls: list[str]
    folder: Path

    def settings(self, version: int = 0) -> dict[str, Any]:
        return {
            "AWS_ENDPOINT_URL_S3": self.urls[version],
            "REMOTION_AWS_ACCESS_KEY_ID": "AKIATEST",
            "REMOTION_AWS_SECRET_ACCESS_KEY": "not-a-secret",
        }


def bucket_name(number: int) -> str:
    return f"bucket{number}"


def render_id(number: int) -> str:
    return f"r{number:09d}"


@contextmanager
def served() -> Iterator[S3]:
    """nginx with the files, from ``with`` to its end."""
    if not (nginx := shutil.which("nginx", path="/usr/sbin:/usr/local/sbin:/usr/bin:/usr/local/bin")):
        raise SystemExit("nginx is missing: apt-get install nginx-light")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        folder.chmod(0o755)  # nginx's worker is another user
        tls.make(folder)
        os.environ["AWS_CA_BUNDLE"] = str(folder / tls.AUTHORITY)
        servers, urls = [], []
        for version in range(VERSIONS):
            root = folder / f"version{version}"
            _write(root, version)
            port = free_port(0)
            servers.append(SERVER.format(port=port, root=root, folder=folder, certificate=tls.SERVER, key=tls.KEY))
            urls.append(f"https://127.0.0.1:{port}")
        configuration = folder / "nginx.conf"
        configuration.write_text(CONFIGURATION.format(folder=folder, servers="\n".join(servers)))
        with subprocess.Popen([nginx, "-c", configuration], stderr=subprocess.DEVNULL) as process:
            try:
                _wait(port)
                yield S3(urls, folder)
            finally:
                process.terminate()


def recorded(version: int) -> list[bytes]:
    """The recorded steps of a render that has begun, with its end still far: even steps and odd ones."""
    far = int((time.time() + 86_400) * 1000)
    steps = [{**step["progress.json"], "timeoutTimestamp": far} for step in load_recording("succeeds")[2:-1]]
    return [json.dumps(step, separators=(",", ":")).encode() for step in steps[version::VERSIONS]]


def _write(root: Path, version: int) -> None:
    files = recorded(version)
    for number in range(RENDERS):
        folder = root / "files" / "renders" / render_id(number)
        folder.mkdir(parents=True)
        (folder / "progress.json").write_bytes(files[number % len(files)])
    for number in range(BUCKETS):
        (root / bucket_name(number)).symlink_to(root / "files")


def _wait(port: int) -> None:
    for _ in range(200):
        try:
            socket.create_connection(("127.0.0.1", port), timeout=5).close()
        except OSError:
            time.sleep(0.05)
        else:
            return
    raise SystemExit("nginx did not start.")
