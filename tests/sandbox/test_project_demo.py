import json
import shlex
from pathlib import Path
from typing import Any

import pytest

from renders.remotion.compositions import Composition
from renders.sandbox.api_client import ApiClient
from renders.sandbox.errors import SandboxError
from renders.sandbox.project_demo import Renderable, choose, describe, find_renderables, render_first
from tests.servers import Answer, ScriptedServer, reply

TITLE = Composition(id="Title", width=640, height=360, fps=29.97, duration_in_frames=60)
COVER = Composition(id="Cover", width=100, height=50, fps=1, duration_in_frames=1)


def renderable(composition: Composition = TITLE, **body: Any) -> Renderable:
    return Renderable(composition, {"template": composition.id.lower(), **body})


class TestFindRenderables:
    def test_they_are_in_the_projects_order_with_the_examples_of_their_templates(
        self, scripted_server: ScriptedServer
    ) -> None:
        props = {"title": "Hello"}
        templates = [{"name": "cover", "composition": "Cover"}, {"name": "title", "composition": "Title"}]
        scripted_server.answers = {
            "/api/templates/": reply({"results": templates}),
            "/api/templates/title/": reply({"example": {"template": "title", "inputProps": props}}),
            "/api/templates/cover/": reply({"example": {"template": "cover", "inputProps": {}}}),
        }
        hidden = Composition(id="Hidden", width=1, height=1, fps=1, duration_in_frames=2)
        assert find_renderables(ApiClient(scripted_server.url), [TITLE, hidden, COVER]) == [
            Renderable(TITLE, {"template": "title", "inputProps": props}),
            Renderable(COVER, {"template": "cover", "kind": "still"}),
        ]

    def test_long_input_props_are_left_to_the_template(self, scripted_server: ScriptedServer) -> None:
        example = {"template": "title", "inputProps": {"text": "x" * 300}}
        scripted_server.answers = {
            "/api/templates/": reply({"results": [{"name": "title", "composition": "Title"}]}),
            "/api/templates/title/": reply({"example": example}),
        }
        (found,) = find_renderables(ApiClient(scripted_server.url), [TITLE])
        assert found.body == {"template": "title"}


class TestChoose:
    def test_the_first_one_unless_another_is_named(self) -> None:
        both = [renderable(TITLE), renderable(COVER)]
        assert choose(both, "").composition is TITLE
        assert choose(both, "Cover").composition is COVER

    def test_an_unknown_name_is_told_with_those_that_there_are(self) -> None:
        with pytest.raises(SandboxError, match="no composition Titel: name one of Title, Cover with --composition"):
            choose([renderable(TITLE), renderable(COVER)], "Titel")


class TestRenderFirst:
    ENDED = {"id": "1", "status": "succeeded", "outputKey": "renders/abc/1.webm", "outputSize": 5}

    def test_it_waits_and_saves_the_file_with_its_extension(
        self, scripted_server: ScriptedServer, tmp_path: Path
    ) -> None:
        url = f"{scripted_server.url}/signed"
        rows = iter([{"status": "rendering", "progress": 0.4}, {**self.ENDED, "outputUrl": url}])
        scripted_server.answers = {
            "/api/renders/": reply({"id": "1"}, status=201),
            "/api/renders/1/": lambda: reply(next(rows)),
            "/signed": Answer(b"video"),
        }
        scripted_server.requests.clear()
        said: list[str] = []
        chosen = renderable(inputProps={"title": "Hello"})
        path = render_first(ApiClient(scripted_server.url), chosen, folder=tmp_path, say=said.append)
        assert path == tmp_path / "Title.webm"
        assert path.read_bytes() == b"video"
        assert said[0].startswith(f"{path} (5 bytes); it took ")
        (body,) = [body for method, _, body in scripted_server.requests if method == "POST"]
        assert json.loads(body) == {"template": "title"}, "with its default props"

    def test_a_render_that_fails_is_told(self, scripted_server: ScriptedServer, tmp_path: Path) -> None:
        scripted_server.answers = {
            "/api/renders/": reply({"id": "1"}, status=201),
            "/api/renders/1/": reply({"status": "failed", "error": "Error: boom"}),
        }
        with pytest.raises(SandboxError, match="The render of Title has failed: Error: boom"):
            render_first(ApiClient(scripted_server.url), renderable(), folder=tmp_path, say=lambda text: None)

    def test_a_request_that_is_refused_is_told(self, scripted_server: ScriptedServer, tmp_path: Path) -> None:
        scripted_server.answers = {"/api/renders/": reply({"error": "No such template."}, status=400)}
        with pytest.raises(SandboxError, match=r"/api/renders/ answered 400: .*No such template"):
            render_first(ApiClient(scripted_server.url), renderable(), folder=tmp_path, say=lambda text: None)


class TestDescribe:
    def test_a_shell_reads_the_body_back(self) -> None:
        body = {"template": "title", "inputProps": {"title": "It's “5 €”", "html": '<a href="$HOME">'}}
        title, curl = describe([Renderable(TITLE, body)], url="http://127.0.0.1:8000").splitlines()
        assert title == "  Title  640×360, 29.97 fps, 60 frames"
        words = shlex.split(curl)
        assert words[:4] == ["curl", "-X", "POST", "http://127.0.0.1:8000/api/renders/"]
        assert words[4:6] == ["-H", "Content-Type: application/json"]
        assert json.loads(words[7]) == body

    def test_a_still_is_called_one(self) -> None:
        assert describe([renderable(COVER)], url="").splitlines()[0] == "  Cover  100×50, a still"
