"""The compositions of a project through the API: a first render, and the request that renders each."""

import json
import shlex
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from renders.remotion.compositions import Composition
from renders.sandbox.api_client import ApiClient, download
from renders.sandbox.demo import advance, progress_bar
from renders.sandbox.errors import SandboxError
from renders.sandbox.steps import Say

LONGEST_INPUT_PROPS = 300
"""Characters of input props that a printed request shows; the template's defaults stand for longer ones."""


@dataclass(frozen=True)
class Renderable:
    """A composition, and the body of a request that renders it."""

    composition: Composition
    body: dict[str, Any]

    @property
    def is_still(self) -> bool:
        return self.composition.duration_in_frames == 1


def find_renderables(api: ApiClient, compositions: Sequence[Composition]) -> list[Renderable]:
    """Return the compositions that have a template, in their order, with the example that it gives."""
    templates = api.get("/api/templates/?pageSize=200")["results"]
    names = {template["composition"]: template["name"] for template in reversed(templates)}
    return [
        Renderable(composition, _body(composition, api.get(f"/api/templates/{names[composition.id]}/")["example"]))
        for composition in compositions
        if composition.id in names
    ]


def choose(renderables: Sequence[Renderable], name: str) -> Renderable:
    """Return the composition of this name, the first where none is named. Raise SandboxError."""
    found = next((one for one in renderables if name in ("", one.composition.id)), None)
    if not found:
        names = ", ".join(one.composition.id for one in renderables)
        raise SandboxError(f"The project has no composition {name}: name one of {names} with --composition.")
    return found


def render_first(api: ApiClient, chosen: Renderable, *, folder: Path, say: Say) -> Path:
    """Render with the default props, save the file in ``folder`` under the composition's name, return its path.

    Raise SandboxError if the render fails.
    """
    started_at = time.monotonic()
    body = {name: value for name, value in chosen.body.items() if name != "inputProps"}
    render = _wait_until_ended(api, api.post("/api/renders/", body))
    name = chosen.composition.id
    if render["status"] != "succeeded":
        raise SandboxError(f"The render of {name} has {render['status']}: {render['error']}")
    path = folder / f"{name}{Path(render['outputKey']).suffix}"
    download(render["outputUrl"], path, size=render["outputSize"])
    say(f"{path} ({render['outputSize']:,} bytes); it took {time.monotonic() - started_at:.1f} s")
    return path


def describe(renderables: Sequence[Renderable], *, url: str) -> str:
    """Return two lines for each composition: what it is, and the command that renders it."""
    return "\n".join(f"  {_title(one)}\n    {_curl(one, url)}" for one in renderables)


def _body(composition: Composition, example: dict[str, Any]) -> dict[str, Any]:
    kind = {"kind": "still"} if composition.duration_in_frames == 1 else {}
    props = example.get("inputProps")
    is_shown = props and len(json.dumps(props)) <= LONGEST_INPUT_PROPS
    return {"template": example["template"], **kind, **({"inputProps": props} if is_shown else {})}


def _title(one: Renderable) -> str:
    composition = one.composition
    size = f"{composition.id}  {composition.width}×{composition.height}"
    if one.is_still:
        return f"{size}, a still"
    return f"{size}, {composition.fps:g} fps, {composition.duration_in_frames} frames"


def _curl(one: Renderable, url: str) -> str:
    data = shlex.quote(json.dumps(one.body, ensure_ascii=False))
    return f"curl -X POST {url}/api/renders/ -H 'Content-Type: application/json' -d {data}"


def _wait_until_ended(api: ApiClient, render: dict[str, Any]) -> dict[str, Any]:
    """Poll the row until the render has ended; return it."""
    with progress_bar() as bar:
        while True:
            row = api.get(f"/api/renders/{render['id']}/")
            if row["status"] in {"succeeded", "failed", "cancelled"}:
                return row
            advance(bar, row["progress"])
            time.sleep(0.5)
