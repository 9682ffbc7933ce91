"""A chart of curves over steps or epochs: a title that says the newest values, braille, numbered axes.

Drawn on the Line API, row by row; a new point repaints the rows it touches.
"""

from __future__ import annotations

from dataclasses import dataclass

from goemo_tui.widgets import plot
from goemo_tui.widgets.lines import Lines, Row, Span, fit

SHORTEST = 20
"""Steps that a step axis spans at least, where the run has as many."""


@dataclass(frozen=True)
class Legend:
    """What the title row says of one layer: a sign, a name and the newest value."""

    sign: str
    name: str
    value: str
    style: str


class Curve(Lines):
    """A chart. `show()` takes the layers as they now are; what did not change is not painted again."""

    COMPONENT_CLASSES = {"plot--axis", "plot--raw", "plot--line", "plot--mark", "plot--title"}
    DEFAULT_CSS = """
    Curve { height: 1fr; width: 1fr; min-height: 4; }
    Curve > .plot--axis { color: $foreground 45%; }
    Curve > .plot--raw { color: $primary 50%; }
    Curve > .plot--line { color: $primary-lighten-2; text-style: bold; }
    Curve > .plot--mark { color: $success; text-style: bold; }
    Curve > .plot--title { text-style: bold; }
    """

    def __init__(self, title: str, x_name: str, empty: str, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self.title, self.x_name, self.empty = title, x_name, empty
        self._layers: list[plot.Layer] = []
        self._legend: tuple[Legend, ...] = ()
        self._x_end = 1.0
        self._x_start = 0.0

    def show(
        self, layers: list[plot.Layer], legend: tuple[Legend, ...] = (), x_end: float = 1.0, x_start: float = 0.0
    ) -> int:
        """Draw these layers over x_start..x_end. Returns how many rows were painted again."""
        self._layers, self._legend, self._x_end, self._x_start = layers, legend, x_end, x_start
        return self.redraw()

    def rows(self, width: int, height: int) -> list[Row]:
        """A title row and the drawing below it."""
        title: list[Span] = [(self.title, "plot--title")]
        for entry in self._legend:
            title += [("  ", ""), (f"{entry.sign} {entry.name} ", entry.style), (entry.value, "plot--title")]
        spread = plot.value_range(self._layers)
        if spread is None:
            return [fit(tuple(title), width), (), fit(((f"  {self.empty}", "plot--axis"),), width)]
        low, high = plot.nice_range(*spread, parts=max(2, (height - 2) // 3))
        if spread[0] >= 0:
            low = max(0.0, low)
        axes = plot.Axes(self._x_start, max(self._x_end, self._x_start + 1e-9), low, high, self.x_name)
        return [fit(tuple(title), width), *plot.draw(self._layers, axes, width, height - 1)]


def step_end(step: int, steps: int) -> float:
    """Where a step axis ends: the whole run once it is under way, a round share of it while it is young.

    The end moves a few times in a run and not with every step, so a chart is not repainted whole each time.
    """
    end = float(max(steps, step, 1))
    while end / 2 >= max(step, SHORTEST):
        end /= 2
    return end
