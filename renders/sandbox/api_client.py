"""A client of this service's API, over HTTP as any other."""

import json
import shutil
import urllib.error
import urllib.request
from collections.abc import Container
from pathlib import Path
from typing import Any

from renders.sandbox.errors import SandboxError


class ApiClient:
    """Calls the API at ``url`` and returns its JSON; raises SandboxError for any other answer.

    With ``LAMBDA_API_ENVELOPE=remotion``, a success is returned without its envelope.
    """

    def __init__(self, url: str) -> None:
        self.url = url

    def get(self, path: str) -> dict[str, Any]:
        return self._send(urllib.request.Request(self.url + path))  # noqa: S310

    def post(self, path: str, body: dict[str, Any], *, retryable: Container[int] = ()) -> dict[str, Any]:
        """Return the answer; an empty one for a status in ``retryable``, also if the envelope makes it a 500."""
        headers = {"Content-Type": "application/json"}
        request = urllib.request.Request(self.url + path, json.dumps(body).encode(), headers)  # noqa: S310
        return self._send(request, retryable)

    def _send(self, request: urllib.request.Request, retryable: Container[int] = ()) -> dict[str, Any]:
        try:
            with urllib.request.urlopen(request, timeout=90) as response:  # noqa: S310
                answer: dict[str, Any] = json.load(response)
        except urllib.error.HTTPError as err:
            if err.code in retryable or (retryable and err.code == 500 and "Retry-After" in err.headers):
                return {}
            said = err.read().decode(errors="replace")
            raise SandboxError(f"{request.full_url} answered {err.code}: {said}") from err
        except OSError as err:
            raise SandboxError(f"{request.full_url} does not answer: {err}") from err
        return answer["data"] if answer.get("type") == "success" else answer


def download(url: str, path: Path, *, size: int) -> None:
    """Save what the URL shows; raise SandboxError if it is not ``size`` bytes."""
    with urllib.request.urlopen(url, timeout=30) as response, path.open("wb") as file:  # noqa: S310
        shutil.copyfileobj(response, file)
    if path.stat().st_size != size:
        raise SandboxError(f"{path} has {path.stat().st_size} bytes; the API said {size}.")
