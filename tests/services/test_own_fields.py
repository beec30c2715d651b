from typing import Any

import pytest
from rest_framework.exceptions import ValidationError

from renders.api.renders.own_fields import MetadataField
from renders.services.own_fields import metadata_problem


class TestMetadataProblem:
    @pytest.mark.parametrize("value", [{}, {"shop": ""}, {"k" * 40: "v" * 500}, {str(n): "" for n in range(20)}])
    def test_what_the_api_takes_is_no_problem(self, value: dict[str, str]) -> None:
        assert metadata_problem(value) == ""
        assert MetadataField().run_validation(value) == value

    @pytest.mark.parametrize(
        ("value", "words"),
        [
            (None, "an object of strings"),
            (["a"], "an object of strings"),
            ({"shop": 1}, "an object of strings"),
            ({str(n): "" for n in range(21)}, "21 pairs; at most 20"),
            ({"a:b": ""}, "no colon"),
            ({"": ""}, "1 to 40 characters"),
            ({"k" * 41: ""}, "1 to 40 characters"),
            ({"k": "v" * 501}, "at most 500 characters"),
        ],
    )
    def test_what_the_api_refuses_is_told(self, value: Any, words: str) -> None:
        assert words in metadata_problem(value)
        with pytest.raises(ValidationError):
            MetadataField().run_validation(value)
