import json

from renders.sandbox.demo import EXAMPLE


def test_example_is_the_seeds() -> None:
    assert json.dumps(EXAMPLE) == (
        '{"inputProps": {"code": "Create a rotating 3D cube with blue color", "durationInFrames": 150, "fps": 30}}'
    )
