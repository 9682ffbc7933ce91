"""One comment in rows of spans: text, labels, multi-hot vector, tokens with ids, mask, cut; and the rows similar to it.

Columns in, rows and places to click out, no widget state. Foreign text passes through safe_text here.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import TYPE_CHECKING, Literal

from rich.cells import cell_len, set_cell_size
from textual.content import Content

from goemo_tui import language, safe_text, wording
from goemo_tui.widgets.lines import Row, Span

if TYPE_CHECKING:
    from goemo_tui.services.corpus import SplitColumns
    from goemo_tui.services.similar import Near
    from trainer.corpus.tokens import TokenView

INDENT = 10
"""Cells that a field's name takes."""

ONE_LINE = 76
"""Cells from which a similar comment, its labels and its similarity stand on one line."""

NAMED = 24
"""Tokens beyond the cut that are named."""


@dataclass(frozen=True)
class Place:
    """Cells that can be clicked: a label (its id) or a similar comment (its row in the split)."""

    line: int
    x: int
    width: int
    what: Literal["label", "row"]
    value: int
    height: int = 1


@dataclass(frozen=True)
class Drawn:
    """Rows, and the places in them."""

    rows: tuple[Row, ...]
    places: tuple[Place, ...] = ()


def wrap(text: str, width: int, newlines: bool = False) -> list[str]:
    """`text`, cleaned, in lines of at most `width` cells; at least one line."""
    return [line.plain for line in safe_text.content(text, newlines).wrap(max(4, width))] or [""]


def _named(name: str, rows: Sequence[Row]) -> list[Row]:
    """Rows with a name beside the first of them."""
    return [((f"{name if i == 0 else '':<{INDENT}}", "quiet"), *row) for i, row in enumerate(rows)]


def _flow(pieces: Iterable[tuple[Span, ...]], width: int, gap: int = 1) -> list[list[tuple[int, tuple[Span, ...]]]]:
    """Pieces laid out in rows of at most `width` cells, each with the cell it starts at."""
    rows: list[list[tuple[int, tuple[Span, ...]]]] = [[]]
    used = 0
    for piece in pieces:
        cells = sum(cell_len(text) for text, _ in piece)
        if used and used + gap + cells > width:
            rows.append([])
            used = 0
        start = used + gap if used else 0
        rows[-1].append((start, piece))
        used = start + cells
    return rows


def _spread(placed: list[tuple[int, tuple[Span, ...]]]) -> Row:
    """The pieces of one row with blanks between them."""
    row: list[Span] = []
    used = 0
    for start, piece in placed:
        row += [(" " * (start - used), ""), *piece]
        used = start + sum(cell_len(text) for text, _ in piece)
    return tuple(row)


def both_names(name: str) -> tuple[str, str]:
    """What the screen calls a label, and its name in the other language (empty where there is none)."""
    shown = language.label(name)
    other = language.arabic(name) if language.language() == "en" else safe_text.clean(name)
    return shown, other if other != shown else ""


def _labels(columns: SplitColumns, row: int, width: int, line: int) -> tuple[list[Row], list[Place]]:
    """The labels with ids and both names; each can be clicked."""
    ids = columns.split.labels[row]
    pieces: list[tuple[Span, ...]] = []
    for i in ids:
        shown, other = both_names(columns.labels.names[i])
        pieces.append(((f"{i} ", "quiet"), (shown, "label"), *([(f" {other}", "other")] if other else [])))
    laid = _flow(pieces, width - INDENT, gap=3)
    order = iter(ids)
    places = [
        Place(line + y, INDENT + x, sum(cell_len(text) for text, _ in piece), "label", next(order))
        for y, placed in enumerate(laid)
        for x, piece in placed
    ]
    return _named("labels", [_spread(placed) for placed in laid]), places


def _multi_hot(columns: SplitColumns, row: int, width: int) -> list[Row]:
    """One digit a label, the ones marked."""
    digits = columns.labels.multi_hot(columns.split.labels[row])
    room = max(4, width - INDENT)
    rows = [
        tuple(
            ("".join(map(str, same)), "one" if one else "quiet") for one, same in groupby(digits[start : start + room])
        )
        for start in range(0, len(digits), room)
    ]
    return _named("multi-hot", rows)


def _runs(values: tuple[int, ...]) -> str:
    """`1×24 0×40`."""
    return " ".join(f"{value}×{len(list(group))}" for value, group in groupby(values))


def _chips(view: TokenView, width: int) -> list[Row]:
    """Tokens as chips, each with its id below it; the place of the cut, and the padding."""
    unknown = set(view.unknown)
    pairs: list[tuple[str, str, str]] = []
    for i, (token, number) in enumerate(zip(view.tokens, view.ids, strict=True)):
        text = safe_text.cells(token, max(4, width - INDENT - 2))
        if view.cut == i:
            pairs.append((f"✂{view.lost:,}", "", "cut"))
        special = token.startswith("[") and token.endswith("]")
        style = "unknown" if i in unknown else "special" if special else "odd" if i % 2 else "even"
        pairs.append((f"{text}?" if i in unknown else text, str(number), style))
    padding = view.padded_to - len(view.ids)
    if padding:
        pairs.append((f"[PAD]×{padding}", f"0×{padding}", "quiet"))
    upper: list[tuple[Span, ...]] = []
    lower: list[str] = []
    for text, below, style in pairs:
        cells = max(cell_len(text), len(below))
        upper.append(((set_cell_size(text, cells), style),))
        lower.append(f"{below:<{cells}}")
    rows: list[Row] = []
    numbers = iter(lower)
    for k, placed in enumerate(_flow(upper, width - INDENT)):
        ids = _spread([(x, ((next(numbers), "quiet"),)) for x, _ in placed])
        rows += [
            ((f"{'tokens' if k == 0 else '':<{INDENT}}", "quiet"), *_spread(placed)),
            ((f"{'ids' if k == 0 else '':<{INDENT}}", "quiet"), *ids),
        ]
    return rows


def _plain(name: str, text: str, width: int, style: str) -> list[Row]:
    return _named(name, [((line, style),) for line in wrap(text, width - INDENT)])


def token_rows(view: TokenView, width: int) -> list[Row]:
    """Tokens, ids and attention mask, and in words what is cut off and what the vocabulary does not have."""
    whole = len(view.ids) + view.lost
    rows = _chips(view, width)
    rows += _plain("mask", f"{_runs(view.mask)}   {whole} of at most {view.padded_to} tokens", width, "")
    if view.cut is not None:
        named = view.left_out[:NAMED]
        rest = f" … and {view.lost - len(named):,} more" if view.lost > len(named) else ""
        said = f"✂ the last {view.lost:,} tokens are not seen: {' '.join(named)}{rest}"
        rows += _plain("cut off", said, width, "cut")
    if view.unknown:
        number = len(view.unknown)
        seen = " ".join(dict.fromkeys(text for text in view.unknown_texts if text))
        said = f"{number} {'token is' if number == 1 else 'tokens are'} unknown to the vocabulary, marked ?"
        rows += _plain("unknown", f"{said}: {seen}" if seen else said, width, "warn")
    return rows


def describe(
    columns: SplitColumns, row: int, view: TokenView | None, note: str, width: int, airy: bool = True
) -> Drawn:
    """Everything about one row in `width` cells. Without `view`, `note` says why there are no tokens.

    `airy` puts a blank line below the comment.
    """
    split = columns.split
    rows: list[Row] = [((line, "text"),) for line in wrap(split.text[row], width, newlines=True)]
    if airy:
        rows.append(())
    labels, places = _labels(columns, row, width, len(rows))
    rows += [*labels, *_multi_hot(columns, row, width)]
    rows += token_rows(view, width) if view is not None else _plain("tokens", note, width, "")
    where = f"{split.name} · id {split.ids[row] or 'none'} · line {columns.lines[row]}"
    rows += _plain("from", where + (f" of {split.file}" if split.file is not None else ""), width, "quiet")
    return Drawn(tuple(rows), tuple(places))


def similar_rows(columns: SplitColumns, row: int, near: Sequence[Near], width: int) -> Drawn:
    """The comment in short, and the ones that share most words with it; each can be clicked."""
    rows: list[Row] = [((safe_text.cells(columns.split.text[row], width), "text"),)]
    if not near:
        rows.append((("No other comment of this split shares a word with it.", "quiet"),))
        return Drawn(tuple(rows))
    places: list[Place] = []
    for found in near:
        names = ", ".join(language.label(columns.labels.names[i]) for i in columns.split.labels[found.row])
        same = columns.split.labels[found.row] == columns.split.labels[row]
        mark = "same text" if found.same_text else wording.percent(found.similarity)
        text = columns.split.text[found.row]
        start = len(rows)
        if width >= ONE_LINE:
            labels = set_cell_size(safe_text.cells(names, 26), 26)
            rows.append(
                (
                    (f"  {mark:>9} ", "cut" if found.same_text else "one"),
                    (f"{'=' if same else '≠'} {labels} ", "quiet"),
                    (safe_text.cells(text, max(8, width - 41)), ""),
                )
            )
        else:
            labels = safe_text.cells(f"{'=' if same else '≠'} {names}", max(4, width - 13))
            rows.append(((f"  {mark:>9}  ", "cut" if found.same_text else "one"), (labels, "quiet")))
            rows.append(((" " * 4, ""), (safe_text.cells(text, max(4, width - 4)), "")))
        places.append(Place(start, 0, width, "row", found.row, len(rows) - start))
    return Drawn(tuple(rows), tuple(places))


def said(text: str, width: int) -> Drawn:
    """A sentence in place of a comment."""
    lines = [line.plain for line in Content(text).wrap(max(4, width))]
    return Drawn(tuple(((line, "quiet"),) for line in lines))
