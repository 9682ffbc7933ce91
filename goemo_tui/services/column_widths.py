"""How wide the table's columns are. Plain numbers, so that they can be kept between starts and tested.

The comment always takes what the others leave, and never less than it needs to be read.
"""

from __future__ import annotations

Widths = tuple[int | None, int | None, int | None]
"""Cells wanted for number, emotions and tokens; None leaves the choice to the room there is."""

NUMBER, EMOTIONS, TOK = range(3)

LEAST_COMMENT = 10
PADDING = 8
"""Cells that the four columns' blanks at both sides take."""

_BOUNDS = ((3, 12), (6, 80), (3, 12))


def laid_out(total: int, digits: int, wanted: Widths, sorted_by: int | None = None) -> tuple[int, int, int, int]:
    """Widths of number, comment, emotions and tokens in `total` cells.

    `digits` are those of the largest line number; `sorted_by` is the column whose head carries an arrow.
    """
    room = total - PADDING
    own = (
        max(3, digits),
        8 if total < 46 else 12 if total < 64 else 18 if total < 100 else 28 if total < 150 else 40,
        5 if sorted_by == 3 else 3,
    )
    number, emotions, tok = (own[i] if width is None else _within(i, width) for i, width in enumerate(wanted))
    comment = room - number - emotions - tok
    least = min(LEAST_COMMENT, max(4, room - sum(own)))
    if comment < least:
        # a wish from a wider terminal: the comment goes first
        emotions = max(_BOUNDS[EMOTIONS][0], emotions - (least - comment))
        comment = room - number - emotions - tok
    if comment < least:
        number, emotions, tok = own
        comment = max(4, room - sum(own))
    return number, comment, emotions, tok


def dragged(now: tuple[int, int, int, int], wanted: Widths, edge: int, cells: int) -> Widths:
    """The wishes once the edge right of column `edge` is moved by `cells` to the right, as far as both its sides allow.

    `now` are the widths of number, comment, emotions and tokens as they are drawn.
    """
    number, _, emotions, tok = now
    if edge == 0:
        return (_within(NUMBER, number + cells), wanted[EMOTIONS], wanted[TOK])
    if edge == 1:
        return (wanted[NUMBER], _within(EMOTIONS, emotions - cells), wanted[TOK])
    moved = _within(EMOTIONS, emotions + tok - _within(TOK, tok - cells)) - emotions
    return (wanted[NUMBER], emotions + moved, tok - moved)


def _within(column: int, width: int) -> int:
    return max(_BOUNDS[column][0], min(_BOUNDS[column][1], width))


def kept(value: object) -> Widths:
    """Widths as a file may hold them; what cannot be one counts as no wish."""
    if not isinstance(value, list) or len(value) != 3:
        return (None, None, None)
    number, emotions, tok = (
        width if isinstance(width, int) and low <= width <= high else None
        for width, (low, high) in zip(value, _BOUNDS, strict=True)
    )
    return (number, emotions, tok)
