"""docs/options.md says what the table of options says."""

import json
import re

import pytest

from renders.remotion.errors import InvalidOptions
from renders.remotion.option_page import PAGE, renewed
from renders.remotion.option_table import OPTIONS
from renders.remotion.options import validate_options


def test_its_tables_are_up_to_date() -> None:
    page = PAGE.read_text()
    assert renewed(page) == page, "run `python -m renders.remotion.option_page`"


def test_it_has_each_option_with_its_meaning() -> None:
    page = PAGE.read_text()
    for option in OPTIONS:
        assert re.search(rf"^\| `{option.name}` \|.*\| {re.escape(option.description)} \|$", page, re.MULTILINE)


def test_its_tables_are_made_anew() -> None:
    stale = "# Title\n<!-- table: codecs -->\nold\n<!-- end -->\nprose\n"
    page = renewed(stale)
    assert "old" not in page
    assert page.startswith("# Title\n<!-- table: codecs -->\n\n| `codec` | file |")
    assert page.endswith("<!-- end -->\nprose\n")
    assert renewed(page) == page


def test_the_error_that_it_shows_is_the_one_that_is_answered() -> None:
    (example,) = re.findall(r"```json\n(.*?)```", PAGE.read_text(), re.DOTALL)
    details = json.loads(example)["details"]["options"]
    with pytest.raises(InvalidOptions) as refused:
        validate_options({"crf": 0}, kind="video")
    assert {name: [sentence] for name, sentence in refused.value.errors.items()} == details
