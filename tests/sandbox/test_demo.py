import json

from renders.sandbox.api_client import ApiClient
from renders.sandbox.demo import EXAMPLE, start_example
from tests.servers import Answer, ScriptedServer, reply


def test_example_is_the_seeds() -> None:
    assert json.dumps(EXAMPLE) == (
        '{"inputProps": {"code": "Create a rotating 3D cube with blue color", "durationInFrames": 150, "fps": 30}}'
    )


def test_it_reads_answers_in_remotions_envelope(scripted_server: ScriptedServer) -> None:
    full = reply({"type": "error", "message": "Try again later."}, status=500, headers={"Retry-After": "5"})
    answers = iter([full, reply({"type": "success", "data": {"renderId": "abc123"}})])
    scripted_server.answers = {"/api/lambda/render": lambda: next(answers)}
    assert start_example(ApiClient(scripted_server.url), say=lambda _: None) == {"renderId": "abc123"}


def test_it_waits_for_the_renders_that_the_last_run_has_left(scripted_server: ScriptedServer) -> None:
    answers = iter([Answer(status=429), reply({"renderId": "abc123"})])
    scripted_server.answers = {"/api/lambda/render": lambda: next(answers)}
    said: list[str] = []
    assert start_example(ApiClient(scripted_server.url), say=said.append) == {"renderId": "abc123"}
    assert said == ["Waiting for the renders that the last run has left; --fresh deletes them."]
