import pytest

from renders.sandbox.aws import Sandbox
from tests.sandbox.rendering import render

pytestmark = pytest.mark.system

LETTERS = {
    "Latin": "Aß",
    "Greek, Cyrillic": "ΩЖ",
    "Chinese, simplified": "中你发",
    "Chinese, traditional": "龍體灣",
    "Japanese": "あカ直",
    "Korean": "한국",
    "Arabic": "مرح",
    "Hebrew": "שלו",
    "Hindi": "नमह",
    "Thai": "สวด",
}
EMOJI = ["😀", "🚀", "🌈", "🇩🇪", "❤️", "👍🏽", "1️⃣"]

# Draws each text on a canvas; throws a list of those that look like a character that no font has,
# like nothing, or, of those that should have colours, grey.
CODE = """
const draw = (text) => {
  const canvas = document.createElement("canvas");
  canvas.width = canvas.height = 100;
  const context = canvas.getContext("2d");
  context.font = "50px sans-serif";
  context.fillText(text, 10, 70);
  return context.getImageData(0, 0, 100, 100).data;
};
const same = (a, b) => a.every((value, index) => value === b[index]);
const isGrey = (data) => data.every((value, index) => index % 4 === 3 || value === data[index - (index % 4)]);
export const A = ({ letters, emoji }) => {
  const missing = draw("\\u{10FFFD}");
  const isMissing = (text) => same(draw(text), missing) || same(draw(text), draw(""));
  const bad = [...letters.filter(isMissing), ...emoji.filter((text) => isMissing(text) || isGrey(draw(text)))];
  if (bad.length > 0) {
    throw new Error(bad.join(" "));
  }
  return <p />;
};
"""


def test_letters_of_many_scripts_and_emoji_can_be_seen(sandbox: Sandbox) -> None:
    assert render(sandbox, CODE, frames=1, letters=list("".join(LETTERS.values())), emoji=EMOJI) is None
