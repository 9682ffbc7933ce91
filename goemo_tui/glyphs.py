"""ASCII for terminals that show nothing else: frames, bars, curves and signs are replaced as the last step of painting.

Every line keeps its width in cells, so that nothing else has to know. Which terminals want it is a pure function of the
environment; it never guesses in favour of signs where the locale says otherwise.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping
from functools import lru_cache

from rich.cells import cell_len
from rich.segment import Segment
from textual.color import Color
from textual.filter import LineFilter


def ascii_only(setting: str, environment: Mapping[str, str], coerced: bool = False, encoding: str = "utf-8") -> bool:
    """Whether to draw in ASCII: by the setting `signs`, and where it is `auto` by locale and terminal.

    The first of LC_ALL, LC_CTYPE and LANG that is set decides; where none is, the terminal is taken to be as modern as most.
    `coerced`: Python set LC_CTYPE to C.UTF-8 itself, because the locale was C. `encoding`: that of what we write to.
    The console of Linux has a font of at most 512 signs, without most of ours.
    """
    if setting != "auto":
        return setting == "ascii"
    if environment.get("TERM") == "linux" or encoding.lower().replace("-", "").replace("_", "") != "utf8":
        return True
    for name in ("LC_ALL", "LC_CTYPE", "LANG"):
        value = environment.get(name, "")
        if value and not (coerced and name == "LC_CTYPE" and value in ("C.UTF-8", "C.utf8", "UTF-8")):
            charset = value.partition(".")[2].partition("@")[0].lower().replace("-", "")
            return value in ("C", "POSIX") or charset not in ("", "utf8")
    return False


class Ascii(LineFilter):
    """Textual hands every painted line to it; text of plain ASCII passes untouched."""

    def apply(self, segments: list[Segment], background: Color) -> list[Segment]:
        """The line in ASCII, in the same cells and styles."""
        return [
            segment if segment.text.isascii() else Segment(transliterated(segment.text), segment.style, segment.control)
            for segment in segments
        ]


@lru_cache(maxsize=4096)
def transliterated(text: str) -> str:
    """`text` in ASCII and in as many cells: our signs become what they look like, letters lose their accents, and
    whatever has no such form is a question mark for each of its cells.
    """
    plain = "".join(_plain(char) for char in text)
    width = cell_len(text)
    return plain if len(plain) == width else plain[:width].ljust(width)


_SIGNS = {
    **dict.fromkeys("─━╌╍┄┅┈┉═╴╶╸╺╼╾–—―‐‑−¯‾▔", "-"),
    **dict.fromkeys("│┃╎╏┆┇┊┋║╵╷╹╻╽╿▏▎▍▌▐▕", "|"),
    **dict.fromkeys("█▉▊▋■◼▮▰▓", "#"),
    **dict.fromkeys("▒▚▞", ":"),
    **dict.fromkeys("░·∙•◦‧⋅", "."),
    "═": "=", "║": "|", "…": "~",  # a dot would make a whole sentence of what was cut
    "▁": "_", "▂": "_", "▃": ".", "▄": "=", "▅": "+", "▆": "*", "▇": "#", "▀": "\"",
    "●": "*", "◉": "*", "⬤": "*", "○": "o", "◯": "o", "◔": "c", "◌": "~", "◐": "%", "◑": "%", "◆": "*", "◇": "o",
    "✓": "v", "✔": "v", "✗": "x", "✘": "x", "×": "x", "†": "t", "□": "o", "★": "*", "☆": "*", "⚠": "!",
    "▸": ">", "▶": ">", "►": ">", "→": ">", "⟶": ">", "›": ">", "»": ">", "⟫": ">", "≥": ">", "◂": "<", "◀": "<",
    "←": "<", "‹": "<", "«": "<", "⟪": "<", "≤": "<", "▾": "v", "▼": "v", "↓": "v", "⌄": "v", "▴": "^", "▲": "^",
    "↑": "^", "⌃": "^", "↵": "<", "⏎": "<", "⇧": "^", "⇥": ">", "“": '"', "”": '"', "„": '"', "‘": "'", "’": "'",
    "‚": ",", "±": "+", "≈": "~", "∼": "~", "≠": "#", "∞": "8", "°": "o", "Δ": "d", "∆": "d", "µ": "u", "μ": "u",
    "σ": "s", "∑": "S", "√": "v", "÷": "/", "␤": "$", "␊": "$", "␍": "$", "␛": "^", "\ufffd": "?", "╱": "/", "╲": "\\",
    "╳": "x", "⊕": "+", "⊖": "-", "ß": "s", "æ": "a", "œ": "o", "ø": "o", "đ": "d", "ł": "l", "ı": "i",
}  # fmt: skip


@lru_cache(maxsize=4096)
def _plain(char: str) -> str:
    """ASCII for one character, in its cells."""
    if char.isascii():
        return char
    if char in _SIGNS:
        return _SIGNS[char]
    code = ord(char)
    if 0x2500 <= code <= 0x257F:
        return "+"  # corners and crossings
    if 0x2580 <= code <= 0x259F:
        return "#"
    if 0x2800 <= code <= 0x28FF:
        return _braille(code - 0x2800)
    width = cell_len(char)
    base = unicodedata.normalize("NFKD", char)[:1]
    if base.isascii() and base.isprintable() and width == 1:
        return base
    return "?" * width


def _braille(dots: int) -> str:
    """A character for a cell of a curve: by how many dots it has, and how high they are."""
    rows = [bool(dots & mask) for mask in (0x09, 0x12, 0x24, 0xC0)]
    if not any(rows):
        return " "
    if sum(rows) >= 3:
        return "|" if sum(rows) == 4 and dots.bit_count() <= 4 else ":" if dots.bit_count() < 6 else "#"
    if rows[0]:
        return "'" if not rows[2] and not rows[3] else ":"
    return "." if rows[3] and not rows[1] else "-" if not rows[3] else ":"
