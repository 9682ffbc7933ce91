"""What two models feel in one sentence: a row an emotion, the bars of both beside each other, and how far they are apart.

Which is higher is said by an arrow and a number, never by colour alone. A label that a model lacks is a dash.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from rich.cells import cell_len, set_cell_size

from goemo_tui.language import label
from goemo_tui.safe_text import cells
from goemo_tui.services.prediction import Emotion
from goemo_tui.widgets.emotion_bars import ABOVE, BELOW, CHOSEN, PERCENT, bar, digits_of, on_the_point
from goemo_tui.widgets.lines import Lines, Row, Span
from goemo_tui.wording import against, percent

NAME = 16
DIFFERENCE = 10
"""Cells of ` ▲ 100 pt` with a blank before it."""

LIMIT = 7
"""Cells of `▏.059` with two blanks before it; left out where a bar would get none."""

LEAST_BAR = 4


@dataclass(frozen=True)
class Pair:
    """One emotion as A and B see it; None where a model has no such label, or no answer yet."""

    name: str
    a: Emotion | None
    b: Emotion | None
    settled: bool = True
    """Whether both have read the same sentence: only then are they compared."""

    @property
    def felt(self) -> bool:
        """Whether it reached the threshold of either."""
        return any(e is not None and e.above for e in (self.a, self.b))

    @property
    def difference(self) -> float | None:
        """How much higher B's probability is, -1..1."""
        if self.a is None or self.b is None or not self.settled:
            return None
        return self.b.probability - self.a.probability


def pair_up(a: tuple[Emotion, ...], b: tuple[Emotion, ...], settled: bool = True) -> tuple[Pair, ...]:
    """Every label of both: those that either feels, then the others, the one that either holds most probable first;
    equals as A orders them."""
    of_a, of_b = {e.name: e for e in a}, {e.name: e for e in b}
    pairs = [Pair(name, of_a.get(name), of_b.get(name), settled) for name in dict.fromkeys((*of_a, *of_b))]
    return tuple(sorted(pairs, key=lambda p: (not p.felt, -max(e.probability for e in (p.a, p.b) if e is not None))))


class EmotionPairs(Lines):
    """As high as there are labels. Put it into something that scrolls."""

    COMPONENT_CLASSES = {
        "bars--bar", "bars--dim-bar", "bars--tick", "bars--tick-in", "bars--name", "bars--dim", "bars--mark", "bars--up",
        "bars--down",
    }  # fmt: skip
    DEFAULT_CSS = """
    EmotionPairs { height: 1; width: 1fr; }
    EmotionPairs > .bars--bar { color: $primary; }
    EmotionPairs > .bars--dim-bar { color: $primary 40%; }
    EmotionPairs > .bars--tick { color: $quiet; }
    EmotionPairs > .bars--tick-in { color: $background; background: $primary; }
    EmotionPairs > .bars--name { text-style: bold; }
    EmotionPairs > .bars--mark { color: $success; text-style: bold; }
    EmotionPairs > .bars--dim { color: $quiet; }
    EmotionPairs > .bars--up { color: $success; }
    EmotionPairs > .bars--down { color: $warning; }
    """

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self.pairs: tuple[Pair, ...] = ()
        self.chosen = ""

    def show(self, pairs: tuple[Pair, ...], chosen: str = "") -> int:
        """Draw these, in this order, the `chosen` one marked. Returns how many rows were painted again."""
        self.chosen = chosen
        if len(pairs) != len(self.pairs):
            self.styles.height = max(1, len(pairs))
        self.pairs = pairs
        return self.redraw()

    def rows(self, width: int, height: int) -> list[Row]:
        """One row a label."""
        digits = digits_of(e for pair in self.pairs for e in (pair.a, pair.b) if e is not None)
        return [pair_row(pair, width, digits, pair.name == self.chosen) for pair in self.pairs]


class PairHead(Lines):
    """The names over the two columns."""

    COMPONENT_CLASSES = {"head--quiet"}
    DEFAULT_CSS = """
    PairHead { height: 1; width: 1fr; }
    PairHead > .head--quiet { color: $quiet; text-style: bold; }
    """

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self.names = ("A", "B")

    def show(self, a: str, b: str) -> int:
        """The text over either column."""
        self.names = (a, b)
        return self.redraw()

    def rows(self, width: int, height: int) -> list[Row]:
        """The one row."""
        name, half, _ = _columns(width)
        a, b = (set_cell_size(cells(text, half - 2), half) for text in self.names)
        return [((f"{'':{name}}{a}{b}{'B−A':>{DIFFERENCE}}", "head--quiet"),)]


def _columns(width: int, digits: int = 0) -> tuple[int, int, bool]:
    """Cells of the name and of either half in a row of `width` cells, and whether thresholds are shown."""
    name = NAME if width >= 70 else 12
    half = max(2 + PERCENT + LEAST_BAR, (width - name - DIFFERENCE) // 2)
    return name, half, half >= 2 + PERCENT + LIMIT + 2 * digits + bool(digits) + LEAST_BAR


def pair_row(pair: Pair, width: int, digits: int = 0, chosen: bool = False) -> Row:
    """Name, A's half, B's half, difference; without room for the thresholds, `digits` more tell nothing."""
    name, half, limits = _columns(width, digits)
    digits = digits if limits else 0
    text = set_cell_size(cells(label(pair.name), name - 1), name - 1) + (CHOSEN if chosen else " ")
    return (
        (text, "bars--name" if pair.felt else "bars--dim"),
        *_half(pair.a, half, limits, digits),
        *_half(pair.b, half, limits, digits),
        _difference(pair.difference),
    )


def _half(emotion: Emotion | None, half: int, limits: bool, digits: int) -> tuple[Span, ...]:
    if emotion is None:
        return ((set_cell_size("– ", half), "bars--dim"),)
    share, limit = against(emotion.probability, emotion.threshold, emotion.above, min(digits, 1))
    if limits:
        tail = f"{on_the_point(share, digits)} ▏{limit:<{LIMIT - 2 + digits}}"
    else:
        tail = f"{percent(emotion.probability):>{PERCENT}} "
    style = "bars--name" if emotion.above else "bars--dim"
    return (
        (f"{ABOVE if emotion.above else BELOW} ", "bars--mark" if emotion.above else "bars--dim"),
        *bar(emotion, half - 2 - cell_len(tail)),
        (tail, style),
    )


def _difference(value: float | None) -> Span:
    """`▲ 22 pt`: B is higher by 22 points of a hundred; `=` where they round to the same."""
    if value is None or not math.isfinite(value):
        return (f"{'–':>{DIFFERENCE}}", "bars--dim")
    points = round(100 * value)
    if points == 0:
        return (f"{'=':>{DIFFERENCE}}", "bars--dim")
    return (
        f"{'▲' if points > 0 else '▼':>{DIFFERENCE - 7}} {abs(points):>3} pt",
        "bars--up" if points > 0 else "bars--down",
    )
