"""A comparison of runs as rows of text, for the screen and for the command line alike: as wide as there is room.

A row is a tuple of (text, tone); what colour a tone has is the screen's business, and nothing is told by it alone.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING

from rich.cells import cell_len, set_cell_size

from goemo_tui.safe_text import cells
from goemo_tui.services.compare import FIGURES, Comparison, Delta, emotions_counted, shown, signed
from goemo_tui.services.report_words import verdict
from goemo_tui.wording import MARKS, score

if TYPE_CHECKING:
    from goemo_tui.services.evaluation import Paired

Row = tuple[tuple[str, str], ...]
"""(text, tone) pieces; tones: head, name, quiet, warning, better, worse, and "" for plain text."""

NAMES = 16
"""Cells of the column of names: the longest official label has 14."""

WIDEST = 30
WITH_F1 = 24
"""Cells from which a column has room for a score and its difference."""

WITH_WORDS = 12
WITH_REASON = 19
"""Cells from which a column has room for the word beside the sign."""


def page(
    comparison: Comparison, width: int, all_settings: bool, label: Callable[[str], str],
    paired: Sequence[Paired] | None = None,
) -> list[Row]:  # fmt: skip
    """The rows for `width` cells. `label` says what a label is called on the screen; `paired` are the other runs over the
    base, None while that is not known yet.
    """
    c = comparison
    column = max(10, min(WIDEST, (width - NAMES) // len(c.sides)))
    rows = _names([side.title for side in c.sides], column)
    states = [f"{MARKS.get(side.state, '?')} {side.state}" for side in c.sides]
    rows.append(_cells(["", *(state if column >= WITH_WORDS else state[0] for state in states)], column, "quiet"))
    if any(c.other):
        why = [f"≠ {why}" if column >= WITH_REASON else "≠" for why in c.other]
        rows.append(_cells(["", *(w if c.other[i] else "" for i, w in enumerate(why))], column, "warning"))
    rows += [line for note in c.notes for line in _note(note, width)]
    rows += [(), (("Scores of the best epoch on dev", "head"), ("   * the best", "quiet"))]
    rows += [_figure(c, key, name, column) for key, name, _ in FIGURES]
    rows += [(), *_settings(c, column, width, all_settings), (), *_paired(c, paired, width)]
    rows += [(), *_emotions(c, column, label)]
    return rows


def text(rows: Sequence[Row]) -> str:
    """The rows without their tones."""
    return "\n".join("".join(piece for piece, _ in row).rstrip() for row in rows)


def _cells(texts: Sequence[str], column: int, tone: str) -> Row:
    first, *others = texts
    return ((_left(first, NAMES), "head" if tone == "head" else "name"), *((_right(t, column), tone) for t in others))


def _names(titles: Sequence[str], column: int) -> list[Row]:
    """What the runs are called; names that are too long stand on two rows, broken behind a hyphen or a blank."""
    heads, tails = [], []
    for title in titles:
        title = cells(title, 80)
        at = max((i for i, char in enumerate(title) if char in "- " and i < column - 2), default=-1)
        broken = cell_len(title) > column - 2 and at >= 0
        heads.append(title[: at + 1] if broken else title)
        tails.append(title[at + 1 :] if broken else "")
    rows = [_cells(["", *heads], column, "head")]
    return [*rows, _cells(["", *tails], column, "head")] if any(tails) else rows


def _left(value: str, width: int) -> str:
    return set_cell_size(cells(value, width - 1), width)


def _right(value: str, width: int) -> str:
    value = cells(value, width - 2)
    return " " * (width - 1 - cell_len(value)) + value + " "


def _note(note: str, width: int) -> list[Row]:
    import textwrap

    lines = textwrap.wrap(cells(note, 600), max(20, width - 2), break_long_words=True)
    return [(("! " if i == 0 else "  ", "warning"), (line, "warning")) for i, line in enumerate(lines)]


def _figure(c: Comparison, key: str, name: str, column: int) -> Row:
    best = c.best(key)
    row: list[tuple[str, str]] = [(_left(name, NAMES), "name")]
    for i, side in enumerate(c.sides):
        value = _right(shown(key, side.figures[key]), column)
        row.append((value[:-1] + "*", "better") if i in best else (value, ""))
    return tuple(row)


def _paired(c: Comparison, paired: Sequence[Paired] | None, width: int) -> list[Row]:
    """macro-F1 over the base with its interval, and in words whether that is a difference at all."""
    base = cells(c.sides[c.base].title, 24)
    rows: list[Row] = [((f"macro-F1 over {base}", "head"), ("   drawn again on the same comments for both", "quiet"))]
    if paired is None:
        return [*rows, (("drawing the comments of dev again …", "quiet"),)]
    titles = {side.run: side.title for side in c.sides}
    for one in paired:
        name = _left(titles.get(one.run, one.run), NAMES)
        told = one.found.get("macro_f1")
        if told is None:
            rows.append(((name, "name"), (cells(f"not known: {one.trouble}", width - NAMES), "quiet")))
            continue
        tone = ("better" if told.difference > 0 else "worse") if told.clear else ""
        said = f"{signed(told.difference):>6}  95% {signed(told.low)} … {signed(told.high)}  "
        words = verdict({**asdict(told), "clear": told.clear})
        rows.append(((name, "name"), (said, tone), (words, tone or "quiet")))
    return rows


def _settings(c: Comparison, column: int, width: int, all_settings: bool) -> list[Row]:
    found = dict(c.settings) if all_settings else c.differing()
    rows: list[Row] = [(("All settings" if all_settings else "Settings that differ", "head"),)]
    if not found:
        return [*rows, (("none: these runs were asked for the same", "quiet"),)]
    for key, values in found.items():
        mark = "≠ " if all_settings and len(set(values)) > 1 else ""
        if all(cell_len(cells(value, width)) <= column - 2 for value in values):
            rows.append(_cells([mark + key, *values], column, ""))
            continue
        rows.append(((mark + key, "name"),))  # paths: a line for each run
        names = min(NAMES, max(cell_len(cells(side.title, NAMES)) for side in c.sides) + 1)
        for side, value in zip(c.sides, values, strict=True):
            rows.append((("  " + _left(side.title, names), "quiet"), (_end(value, width - names - 2), "")))
    return rows


def _end(value: str, width: int) -> str:
    """The end of a path, which tells it from others."""
    value = cells(value, 4000)
    while cell_len(value) > width:
        value = "…" + value[2:]
    return value


def _emotions(c: Comparison, column: int, label: Callable[[str], str]) -> list[Row]:
    head = f"F1 of each emotion against {cells(c.sides[c.base].title, 24)}"
    rows: list[Row] = [((head, "head"), (f"   {told}" if (told := emotions_counted(c)) else "", "quiet"))]
    if not c.deltas:
        return [*rows, (("no validation yet: the first comes at the end of epoch 1", "quiet"),)]
    if not any(d is not None for row in c.deltas for d in row.deltas):
        rows.append((("nothing to subtract: see above", "quiet"),))
    scale = max((row.size for row in c.deltas), default=0.0)
    return rows + [_emotion(c, row, column, scale, label) for row in c.deltas]


def _emotion(c: Comparison, row: Delta, column: int, scale: float, label: Callable[[str], str]) -> Row:
    pieces: list[tuple[str, str]] = [(_left(label(row.label), NAMES), "name")]
    for i, (f1, delta) in enumerate(zip(row.f1, row.deltas, strict=True)):
        if i == c.base or delta is None:
            pieces.append((_right(score(f1) if i == c.base else "–", column), "" if i == c.base else "quiet"))
            continue
        said = signed(delta)
        tone = {"+": "better", "-": "worse"}.get(said[0], "quiet")
        known = f"{score(f1):>6}" if column >= WITH_F1 else ""
        room = column - len(known) - 7
        pieces.append((f"{known}{said:>6} " + bar(delta, scale, room).ljust(room), tone))
    return tuple(pieces)


def bar(delta: float, scale: float, width: int) -> str:
    """A bar from the middle to the side that `delta` points to, in halves of a cell; `scale` fills that side."""
    side = max(1, (width - 1) // 2)
    halves = round(min(1.0, abs(delta) / scale) * side * 2) if scale > 0 else 0
    full, half = divmod(halves, 2)
    if delta < 0:
        return ("▐" * half + "█" * full).rjust(side) + "│" + " " * side
    return " " * side + "│" + ("█" * full + "▌" * half).ljust(side)
