"""What a sentence feels, as bars: the most probable first, each with its percent and its threshold.

An emotion that reached its threshold is bright and carries a mark; all the others are dim and say so in words.
"""

from __future__ import annotations

from collections.abc import Iterable

from rich.cells import cell_len, set_cell_size

from goemo_tui.language import label, word
from goemo_tui.safe_text import cells
from goemo_tui.services.prediction import Emotion
from goemo_tui.widgets.lines import Lines, Row, Span
from goemo_tui.wording import against, digits_against

ABOVE, BELOW = "●", "·"
CHOSEN = "▸"
"""Before the emotion that is explained under the bars."""

_EIGHTHS = " ▏▎▍▌▋▊▉█"
_NAME = 16
PERCENT, LIMIT = 6, 5
"""Cells for `>99%` and for `.31` with blanks around them, without the digits that an answer has more."""


class EmotionBars(Lines):
    """One row an emotion; as high as there are emotions. Put it into something that scrolls."""

    COMPONENT_CLASSES = {
        "bars--bar", "bars--dim-bar", "bars--tick", "bars--tick-in", "bars--name", "bars--dim", "bars--mark",
    }  # fmt: skip
    DEFAULT_CSS = """
    EmotionBars { height: 1; width: 1fr; }
    EmotionBars > .bars--bar { color: $primary; }
    EmotionBars > .bars--dim-bar { color: $primary 40%; }
    EmotionBars > .bars--tick { color: $quiet; }
    EmotionBars > .bars--tick-in { color: $background; background: $primary; }
    EmotionBars > .bars--name { text-style: bold; }
    EmotionBars > .bars--mark { color: $success; text-style: bold; }
    EmotionBars > .bars--dim { color: $quiet; }
    """

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self.emotions: tuple[Emotion, ...] = ()
        self.chosen = ""

    def show(self, emotions: tuple[Emotion, ...], chosen: str = "") -> int:
        """Draw these, in this order, the `chosen` one marked. Returns how many rows were painted again."""
        self.chosen = chosen
        if len(emotions) != len(self.emotions):
            self.styles.height = max(1, len(emotions))
        self.emotions = emotions
        return self.redraw()

    def rows(self, width: int, height: int) -> list[Row]:
        """One row an emotion."""
        digits = digits_of(self.emotions)
        return [bar_row(emotion, width, digits, emotion.name == self.chosen) for emotion in self.emotions]


def digits_of(emotions: Iterable[Emotion]) -> int:
    """Digits more than usual that all rows of an answer have room for, so that they line up: 0, 2 or 4, in steps that are
    seldom taken while somebody types. Then each row writes one at least, so that 5% never stands under 4.8%; only a row whose
    value and threshold would look alike writes more.
    """
    most = max((digits_against(e.probability, e.threshold, e.above) for e in emotions), default=0)
    return most + most % 2


def bar_row(emotion: Emotion, width: int, digits: int = 0, chosen: bool = False) -> Row:
    """Mark, name, bar with the threshold ticked in it, percent, threshold, and the words for one below it."""
    words = f"  {word('(below its threshold)' if width >= 96 else 'below')}" if width >= 50 else ""
    share, limit = against(emotion.probability, emotion.threshold, emotion.above, min(digits, 1))
    gap = " " if digits else "  "
    tail = f"{on_the_point(share, digits)}{gap}▏{limit:<{LIMIT + digits}}"
    room = max(4, width - 2 - _NAME - len(tail) - cell_len(words))
    name = set_cell_size(cells(label(emotion.name), _NAME - 1), _NAME)
    mark, style = (ABOVE, "bars--name") if emotion.above else (BELOW, "bars--dim")
    return (
        (mark + (CHOSEN if chosen else " "), "bars--mark" if emotion.above else "bars--dim"),
        (name, style),
        *bar(emotion, room),
        (tail, style),
        ("" if emotion.above else words, "bars--dim"),
    )


def on_the_point(share: str, digits: int) -> str:
    """A percentage in a column with room for `digits` behind the point: `  87%`, `  5.6%`, one's point below another's."""
    whole, point, rest = share.removesuffix("%").partition(".")
    return f"{whole:>{PERCENT - 1}}{f'{point}{rest}%':<{1 + (digits + 1 if digits else 0)}}"


def bar(emotion: Emotion, room: int) -> list[Span]:
    """A bar of `room` cells with the threshold ticked in it."""
    eighths = round(min(1.0, max(0.0, emotion.probability)) * room * 8)
    full, rest = divmod(eighths, 8)
    text = "█" * full + (_EIGHTHS[rest] if rest else "")
    text = text.ljust(room)[:room]
    colour = "bars--bar" if emotion.above else "bars--dim-bar"
    at = min(room - 1, int(min(1.0, max(0.0, emotion.threshold)) * room))
    tick = ("│", "bars--tick-in") if at < full and emotion.above else ("│", "bars--tick")
    if at < full and not emotion.above:
        tick = ("█", colour)
    return [(text[:at], colour), tick, (text[at + 1 :], colour)]
