"""The only door from foreign text to the screen: comments, label names, run ids, paths and messages of exceptions.

`clean` leaves nothing that a terminal could obey, reorder or stack, and keeps what a person can read, Arabic included.
This module may not import textual at the top: the command line cleans its output with it too.
"""

from __future__ import annotations

import json
import re
import unicodedata
from functools import lru_cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from textual.content import Content

LIMIT = 20_000
"""Characters of one text that are shown. Nobody reads a line of a megabyte, and no widget should lay it out."""

MARKS = 8
"""Combining marks in a row that are kept; human writing needs at most five."""

_NAMES = {
    0x202A: "LRE", 0x202B: "RLE", 0x202C: "PDF", 0x202D: "LRO", 0x202E: "RLO",
    0x2066: "LRI", 0x2067: "RLI", 0x2068: "FSI", 0x2069: "PDI",
}  # fmt: skip
"""Codes that reorder what follows them. Plain Arabic and Hebrew need none of them."""

_UNSEEN = {0x034F, 0x115F, 0x1160, 0x17B4, 0x17B5, 0x3164, 0xFFA0, *range(0x180B, 0x1810), *range(0xFE00, 0xFE0F)}
"""Characters that count as printable and show nothing."""

_ZWJ = "\u200d"
_EMOJI = "\u203c\u2049\u20e3\u2122\u2139\u2190-\u2bff\u3030\u303d\u3297\u3299\ufe0f\U0001f000-\U0001faff"
_LONE_ZWJ = re.compile(f"(?<![{_EMOJI}]){_ZWJ}|{_ZWJ}(?![{_EMOJI}])")
_LONE_VS16 = re.compile(f"(?<![#*0-9{_EMOJI}])\ufe0f")
_UNSTEADY = re.compile(f"[{_ZWJ}\ufe0f\U0001f3fb-\U0001f3ff]")
"""What joins emoji, makes them wide, or tints their skin."""

# A mark is no word character for `re`, so only such runs are looked at one by one.
_MARK_RUN = re.compile(rf"[^\w\s!-~]{{{MARKS + 1},}}")


@lru_cache(maxsize=4096)
def _replacement(char: str) -> str:
    """What stands for one character that is not plainly printable."""
    code = ord(char)
    if code < 0x20:
        return " " if char == "\t" else chr(0x2400 + code)
    if code == 0x7F:
        return "␡"
    if code < 0xA0:
        return f"⟪{code:02X}⟫"
    if code in _NAMES:
        return f"⟪{_NAMES[code]}⟫"
    if char == _ZWJ:
        return char  # judged by its neighbours afterwards
    if code in _UNSEEN or 0xE0000 <= code <= 0xE0FFF:
        return ""
    category = unicodedata.category(char)
    if category in ("Zl", "Zp"):
        return "␤"
    if category == "Zs":
        return " "
    if category == "Cf":
        return ""
    if category in ("Cs", "Co") or code & 0xFFFE == 0xFFFE or 0xFDD0 <= code <= 0xFDEF:
        return "\ufffd"
    return char  # assigned by a newer Unicode than this Python's: an emoji of the year, most likely


def _cap_marks(run: re.Match[str]) -> str:
    kept: list[str] = []
    marks = 0
    for char in run.group():
        marks = marks + 1 if unicodedata.category(char) in ("Mn", "Me") else 0
        if marks <= MARKS:
            kept.append(char)
    return "".join(kept)


def clean(text: str, newlines: bool = False, limit: int = LIMIT) -> str:
    """`text` as it may be shown: one line, or several with `newlines`; at most `limit` characters and an ellipsis.

    Control codes become their pictures (␛ for ESC), C1 codes ⟪9B⟫, bidi overrides ⟪RLO⟫, tabs blanks; zero-width
    characters go, except the joiner inside an emoji; more than eight combining marks in a row are dropped.
    """
    if len(text) > limit:
        text = text[:limit] + "…"
    if text.isascii():
        if text.isprintable():
            return text
        if newlines:
            text = text.replace("\r\n", "\n")
            if text.replace("\n", "").isprintable():
                return text
    elif newlines:
        text = text.replace("\r\n", "\n").replace("\u2028", "\n").replace("\u2029", "\n")
    odd = {char for char in set(text) if not char.isprintable() or ord(char) in _UNSEEN or ord(char) > 0xE0000}
    if newlines:
        odd.discard("\n")
    if odd:
        text = text.translate({ord(char): _replacement(char) for char in odd})
        if _ZWJ in text:
            text = _LONE_ZWJ.sub("", text)
    if text.isascii():
        return text
    if "\ufe0f" in text:
        text = _LONE_VS16.sub("", text)
    return _MARK_RUN.sub(_cap_marks, text)


def content(text: str, newlines: bool = False, style: str = "") -> Content:
    """`text` cleaned, as Content that no markup parser will touch. `style` is ours, never the text's."""
    from textual.content import Content

    return Content.styled(clean(text, newlines), style) if style else Content(clean(text, newlines))


def cells(text: str, width: int) -> str:
    """`text` cleaned and cut to at most `width` terminal cells, with an ellipsis where something was cut.

    Emoji stand side by side and plain: terminals do not agree how wide a joined or tinted one is, and what stands
    behind it in the row would move.
    """
    from rich.cells import cell_len, set_cell_size

    text = clean(text, limit=max(4 * width, 16))
    if not text.isascii():
        text = _UNSTEADY.sub("", text)
    if cell_len(text) <= width:
        return text
    return set_cell_size(text, width - 1).rstrip() + "…" if width > 0 else ""


def json_line(document: object) -> str:
    """`document` as JSON on one line: what can be seen stands there as it is, everything else as `\\uXXXX`.

    So it may go to a terminal, and says the same to a program. Nothing is left out.
    """
    text = json.dumps(document, ensure_ascii=False)
    if text.isprintable():
        return text
    return "".join(char if char.isprintable() else _escaped(char) for char in text)


def _escaped(char: str) -> str:
    return json.dumps(char)[1:-1] if char > "\x7f" else f"\\u{ord(char):04x}"
