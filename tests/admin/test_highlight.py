import html
import re
import time

import pytest

from renders.admin import highlight
from renders.admin.highlight import highlight_code, highlight_json

HARD = "{" + '"\\' * 25_000
"""A string that never ends: it takes the lexer 15 seconds."""


def text_of(marked: str) -> str:
    return html.unescape(re.sub(r"<[^>]*>", "", marked))


class TestHighlight:
    @pytest.mark.parametrize("code", ["const a = <b className='x'>{1}</b>;\n\n", "\n  <b>&amp;", "", HARD[:99]])
    def test_the_text_is_that_of_the_code(self, code: str) -> None:
        assert text_of(highlight_code(code)) == code

    def test_syntax_is_marked(self) -> None:
        assert '<span class="kd">const</span>' in highlight_code("const a = 1;")
        assert '<span class="kc">true</span>' in highlight_json({"dark": True})

    def test_plain_words_are_no_code(self) -> None:
        assert highlight_code("Bars that grow with each return & import") == (
            "<code>Bars that grow with each return &amp; import</code>"
        )

    def test_json_is_indented(self) -> None:
        assert text_of(highlight_json({"a": [1]})) == '{\n  "a": [\n    1\n  ]\n}'

    def test_nothing_is_html_but_the_marks(self) -> None:
        assert "<script" not in highlight_code("<script>alert(1)</script>")
        assert "<script" not in highlight_json({"<script>": "<script>"})

    def test_what_takes_long_is_shown_without_colours(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(highlight, "SECONDS", 0.1)
        began = time.monotonic()
        marked = highlight_code(HARD)
        assert time.monotonic() - began < 5
        assert "<span" not in marked
        assert text_of(marked) == HARD
