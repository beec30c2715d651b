"""The tables of docs/options.md, made from the table of options: ``python -m renders.remotion.option_page``."""

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from renders.remotion.codecs import CODECS, WITH_AUDIO, WITH_PICTURE, content_type
from renders.remotion.option import STILL, VIDEO, Option
from renders.remotion.option_table import HOW_IT_RUNS, OUTPUT, PICTURE, SOUND, WHAT_IS_MADE
from renders.remotion.option_values import RESERVED

PAGE = Path(__file__).parents[2] / "docs" / "options.md"
GROUPS: Mapping[str, Sequence[Option]] = {
    "what is made": WHAT_IS_MADE,
    "picture": PICTURE,
    "sound": SOUND,
    "how it runs": HOW_IT_RUNS,
    "output": OUTPUT,
}


def renewed(page: str) -> str:
    """Return the page with each table, between ``<!-- table: <name> -->`` and ``<!-- end -->``, made anew."""
    tables = {name: _options_table(options) for name, options in GROUPS.items()}
    tables |= {"codecs": _codecs_table(), "reserved": _reserved_table()}
    return re.sub(
        r"(<!-- table: ([\w ]+) -->\n).*?(<!-- end -->)",
        lambda match: f"{match[1]}\n{tables[match[2]]}\n{match[3]}",
        page,
        flags=re.DOTALL,
    )


def _options_table(options: Iterable[Option]) -> str:
    rows = ((f"`{o.name}`", _allowed(o), _default(o), _goes_with(o), o.description) for o in options)
    return _table(("option", "value", "default", "goes with", "meaning"), rows)


def _codecs_table() -> str:
    rows = (
        (
            f"`{name}`",
            f"`.{codec.extension}`, {content_type(codec.extension)}",
            ", ".join(f"`{audio}` (`.{extension}`)" for audio, extension in codec.audio.items()) or "none",
            "{} to {}".format(*codec.crf) if codec.crf else "none",
        )
        for name, codec in CODECS.items()
    )
    return _table(("`codec`", "file", "`audioCodec`, the default first", "`crf`"), rows)


def _reserved_table() -> str:
    return _table(("name", "instead"), ((f"`{name}`", sentence) for name, sentence in RESERVED.items()))


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    return "".join(f"| {' | '.join(row)} |\n" for row in (head, ["---"] * len(head), *rows))


def _allowed(option: Option) -> str:
    schema: Mapping[str, Any] = option.schema
    if "enum" in schema:
        return ", ".join(f"`{value}`" for value in schema["enum"])
    if schema.get("type") == "boolean":
        return "`true`, `false`"
    return option.sentence.removeprefix("Send ").rstrip(".")


def _default(option: Option) -> str:
    return "" if option.default is None else f"`{json.dumps(option.default).strip(chr(34))}`"


def _goes_with(option: Option) -> str:
    if VIDEO not in option.kinds:
        return "stills"
    names = ", ".join(f"`{name}`" for name in option.codecs)
    codecs = {tuple(CODECS): "all codecs", WITH_PICTURE: "codecs with a picture", WITH_AUDIO: "codecs with sound"}.get(
        option.codecs, names
    )
    return f"{codecs}; stills" if STILL in option.kinds else codecs


if __name__ == "__main__":
    PAGE.write_text(renewed(PAGE.read_text()))
