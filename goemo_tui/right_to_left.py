"""Right-to-left text on terminals with and without bidi support: joined and put into order as the last step of painting.

Everything before it (widths, wrapping, filters, the clipboard) sees text in its logical order. Every line keeps its
width in cells. The packages that know the rules are imported when the first such letter is painted.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any, NamedTuple, Protocol

from rich.cells import cell_len
from rich.segment import Segment
from rich.style import Style
from textual.color import Color
from textual.driver import Driver
from textual.filter import LineFilter

EXPLICIT = "\x1b[8l"
"""ECMA-48 BDSM, explicit: asks a terminal that knows it to leave the order of what we send alone."""

IMPLICIT = "\x1b[8h"
"""BDSM, implicit: the terminal orders again, as it does for other programs."""

_RIGHT_TO_LEFT = "\u0590-\u08ff\ufb1d-\ufdff\ufe70-\ufefc\U00010800-\U00010fff\U0001e800-\U0001efff"
_SEEN = re.compile(f"[{_RIGHT_TO_LEFT}]")
APART = "\u200e"
"""Takes no cell and sets columns apart as well: put by us before a text that must not mix with what stands left of it. It
cannot come from elsewhere, for `safe_text` lets no such code through.
"""

_SIGNS = "▸▾▪●○◦◔◑■◼◆◇★☆✓✗✂·"
"""What the app puts before a name or between two parts of a line, each with blanks around it: a cursor, a state, a dot."""

_FIELDS = re.compile(rf"  +|[\u200e\u2500-\u259f\u2800-\u28ff]+|(?<!\S)[{_SIGNS}]+(?!\S)")
"""What sets columns apart: two blanks and more, frames, bars, signs that stand alone, our mark. Nothing is moved across them."""

_mode = "terminal"


def mode_for(setting: str, environment: Mapping[str, str]) -> str:
    """`app` or `terminal`: who orders, by the setting `bidi` and, where it is `auto`, by what the terminal is known to do.

    Most terminals draw cell after cell, and those that order (VTE since 0.58, mintty) can be told by BDSM not to: the app
    orders. Konsole, Apple's Terminal, mlterm and kitty (word by word) order whatever they are told: they do it. A
    multiplexer keeps BDSM to itself, so that VTE behind tmux or screen orders as well.
    """
    if setting in ("app", "terminal"):
        return setting
    program = environment.get("TERM_PROGRAM", "")
    name = environment.get("TERM", "")
    orders = (
        program == "Apple_Terminal"
        or name.startswith(("xterm-kitty", "mlterm"))
        or any(environment.get(key) for key in ("KONSOLE_VERSION", "KITTY_WINDOW_ID", "MLTERM"))
    )
    vte = environment.get("VTE_VERSION", "")
    between = name.startswith(("tmux", "screen")) or bool(environment.get("TMUX") or environment.get("STY"))
    return "terminal" if orders or (between and vte.isdigit() and int(vte) >= 5800) else "app"


def set_mode(setting: str) -> None:
    """Take the setting `bidi` (`auto`, `app`, `terminal`) for what is painted from now on."""
    global _mode
    _mode = mode_for(setting, os.environ)


def mode() -> str:
    """Who puts text into order now: `app` or `terminal`."""
    return _mode


def present(text: str) -> bool:
    """Whether any letter of `text` is written from right to left."""
    return not text.isascii() and _SEEN.search(text) is not None


def for_modal(filters: Sequence[LineFilter]) -> list[LineFilter]:
    """The filters of a modal screen itself: what shows through it was put into order before, and twice is wrong."""
    return [each for each in filters if not isinstance(each, RightToLeft)]


class RightToLeft(LineFilter):
    """Textual hands every painted line to it, still apart by widget; only lines with such letters are touched."""

    def apply(self, segments: list[Segment], background: Color) -> list[Segment]:
        """The line in the order in which it is seen, in the same cells; each character keeps its style."""
        if _mode != "app" or not any(present(segment.text) for segment in segments if not segment.control):
            return segments
        text = "".join(segment.text for segment in segments)
        styles = [segment.style for segment in segments for _ in segment.text]
        return _joined([(piece.text, styles[piece.source]) for piece in ordered(text)])


def explicit(driver: type[Driver]) -> type[Driver]:
    """`driver` asking the terminal to leave our order alone as long as the app has it, where the app orders."""

    class ExplicitDriver(driver):  # type: ignore[valid-type, misc]
        def start_application_mode(self) -> None:
            super().start_application_mode()
            writer: Any = getattr(self, "_writer_thread", None)
            if _mode == "app" and writer is not None:
                self.write(EXPLICIT)

        def stop_application_mode(self) -> None:
            if _mode == "app":
                self.write(IMPLICIT)
            super().stop_application_mode()

    return ExplicitDriver


def apart(text: str) -> str:
    """`text` as it may stand right behind other text, such as a key, without changing places with it."""
    return APART + text if present(text) else text


class Piece(NamedTuple):
    """What stands in one place: a character with its marks, and where in the text it came from."""

    text: str
    source: int


@lru_cache(maxsize=4096)
def ordered(text: str) -> tuple[Piece, ...]:
    """`text` (one line, cleaned) as it is seen from left to right, letters joined, in as many cells as before."""
    pieces: list[Piece] = []
    start = 0
    for gap in _FIELDS.finditer(text):
        pieces += _field(text[start : gap.start()], start)
        pieces += [Piece(char, gap.start() + i) for i, char in enumerate(gap.group()) if char != APART]
        start = gap.end()
    return tuple(pieces + _field(text[start:], start))


def display(text: str) -> str:
    """`text` as it is seen from left to right: `ordered`, for a line without styles."""
    return "".join(piece.text for piece in ordered(text)) if present(text) else text


def _joined(pieces: list[tuple[str, Style | None]]) -> list[Segment]:
    """As few segments as the styles allow."""
    segments: list[Segment] = []
    for text, style in pieces:
        if segments and segments[-1].style is style:
            segments[-1] = Segment(segments[-1].text + text, style)
        else:
            segments.append(Segment(text, style))
    return segments


def _clusters(text: str, start: int) -> list[Piece]:
    """Characters with the marks, joiners and selectors that belong to them, which must never be torn apart or reversed."""
    import unicodedata

    found: list[Piece] = []
    for i, char in enumerate(text):
        held = found and (
            (unicodedata.category(char) in ("Mn", "Me", "Cf", "Sk") and ord(char) > 0x7F)
            or found[-1].text[-1] == "\u200d"
            or (_is_flag(char) and _is_flag(found[-1].text))
        )
        if held:
            found[-1] = Piece(found[-1].text + char, found[-1].source)
        else:
            found.append(Piece(char, start + i))
    return found


def _is_flag(text: str) -> bool:
    """Whether it is one regional indicator; two of them are a flag."""
    return len(text) == 1 and "\U0001f1e6" <= text <= "\U0001f1ff"


def _field(text: str, start: int) -> list[Piece]:
    """One column of a line, or a line without columns, in the order in which it is seen. Blanks at its ends stay there."""
    if not present(text):
        return [Piece(char, start + i) for i, char in enumerate(text)]
    from bidi import algorithm

    bare = text.strip(" ")
    before = len(text) - len(text.lstrip(" "))
    clusters = _clusters(bare, start + before)
    bases = "".join(piece.text[0] for piece in clusters)
    shaped = _shaped(clusters, bases)
    base = algorithm.get_base_level(bases)
    storage = {**algorithm.get_empty_storage(), "base_level": base, "base_dir": ("L", "R")[base]}
    algorithm.get_embedding_levels(bases, storage)
    for piece, char in zip(shaped, storage["chars"], strict=True):
        char["piece"] = piece
        if char["type"] in algorithm.X9_REMOVED:
            char["type"] = char["orig"] = "ON"  # it would be dropped, and cells with it
    algorithm.explicit_embed_and_overrides(storage)
    algorithm.resolve_weak_types(storage)
    algorithm.resolve_neutral_types(storage, False)
    algorithm.resolve_implicit_levels(storage, False)
    algorithm.reorder_resolved_levels(storage, False)
    algorithm.apply_mirroring(storage, False)
    seen = [_mirrored(char["piece"], char["ch"]) for char in storage["chars"]]
    seen = [piece for piece in seen if piece.text]
    missing = cell_len(bare) - cell_len("".join(piece.text for piece in seen))
    # a ligature takes one cell of two: the blank goes to the end of the text as it is read
    if missing < 0:
        return [Piece(char, start + i) for i, char in enumerate(text)]  # never wider than its cells
    blanks = [Piece(" ", clusters[-1].source)] * missing
    seen = blanks + seen if base else seen + blanks
    after = len(text) - before - len(bare)
    return [
        *(Piece(" ", start + i) for i in range(before)),
        *seen,
        *(Piece(" ", start + before + len(bare) + i) for i in range(after)),
    ]


def _mirrored(piece: Piece, base: str) -> Piece:
    """A bracket that was turned round by the order takes its mirrored form."""
    from bidi.mirror import MIRRORED

    head = piece.text[:1]
    return Piece(base + piece.text[1:], piece.source) if MIRRORED.get(head) == base else piece


_LAM = {"\ufedd": 0, "\ufedf": 0, "\ufede": 1, "\ufee0": 1}
"""A shaped lam -> 0 where nothing is joined to it from before, 1 where something is."""

_LAM_ALEF = {"\u0622": "\ufef5\ufef6", "\u0623": "\ufef7\ufef8", "\u0625": "\ufef9\ufefa", "\u0627": "\ufefb\ufefc"}
"""The alef after a lam -> the one sign for both, alone and joined. No other ligature is needed to read Arabic."""


def _shaped(clusters: list[Piece], bases: str) -> list[Piece]:
    """Each letter in the form in which it joins its neighbours. An alef that became one sign with its lam is left empty."""
    forms = _reshaper().reshape(bases)
    if len(forms) != len(bases):
        return clusters  # a sign that the reshaper takes for a mark: rather plain letters than lost ones
    pieces = [Piece(form + piece.text[1:], piece.source) for form, piece in zip(forms, clusters, strict=True)]
    for i in range(len(pieces) - 1):
        alone_or_joined = _LAM.get(forms[i])
        both = _LAM_ALEF.get(bases[i + 1])
        if bases[i] == "\u0644" and alone_or_joined is not None and both and cell_len(pieces[i + 1].text[0]):
            marks = pieces[i].text[1:] + pieces[i + 1].text[1:]
            pieces[i] = Piece(both[alone_or_joined] + marks, pieces[i].source)
            pieces[i + 1] = Piece("", pieces[i + 1].source)
    return pieces


@lru_cache(maxsize=1)
def _reshaper() -> _Reshaper:
    from arabic_reshaper import ArabicReshaper

    options = {"support_ligatures": False, "delete_harakat": False, "support_zwj": False}
    return ArabicReshaper({key: str(value) for key, value in options.items()})  # type: ignore[no-any-return]


class _Reshaper(Protocol):
    """What is used of `arabic_reshaper.ArabicReshaper`."""

    def reshape(self, text: str) -> str:
        """The letters of `text` in their joined forms, in logical order."""
        ...
