"""The reliability plot: how often something is true, over how probable it was held. On the diagonal the two are one."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from textual.binding import Binding
from textual.message import Message

from goemo_tui.language import figure, label, word
from goemo_tui.safe_text import cells
from goemo_tui.widgets import plot
from goemo_tui.widgets.curve import fitting
from goemo_tui.widgets.lines import Lines, Row
from goemo_tui.widgets.scale import Axes
from goemo_tui.widgets.trace import Trace
from goemo_tui.wording import count, percent, score

if TYPE_CHECKING:
    from goemo_tui.services.evaluation import RunEvaluation
    from trainer.scoring.calibration import Reliability

AXES = Axes(0.0, 1.0, 0.0, 1.0, "said", whole=False)
TABLE = 27
"""Cells of the bins in figures, beside the plot where there is room."""
WIDEST = 64


class ReliabilityPlot(Lines, can_focus=True):
    """All decisions of the split, and those of one emotion. `show()` takes both."""

    ABOUT = (
        "How often something is true, over how probable the model held it: ● all emotions, ◆ the selected one. On the dotted "
        "diagonal a probability means what it says; below it the model is too sure. ← → show another emotion."
    )
    BINDINGS = [
        Binding("left,h,up,k", "step(-1)", "Emotion before", show=False),
        Binding("right,l,down,j", "step(1)", "Next emotion", show=False),
    ]
    COMPONENT_CLASSES = {"plot--axis", "plot--raw", "plot--line", "plot--mark", "plot--title"}
    DEFAULT_CSS = """
    ReliabilityPlot { height: 1fr; width: 1fr; min-height: 4; }
    ReliabilityPlot > .plot--axis { color: $quiet; }
    ReliabilityPlot:focus > .plot--axis { color: $accent; }
    ReliabilityPlot > .plot--raw { color: $quiet; }
    ReliabilityPlot > .plot--line { color: $primary; text-style: bold; }
    ReliabilityPlot > .plot--mark { color: $success; text-style: bold; }
    ReliabilityPlot > .plot--title { text-style: bold; }
    """

    class Stepped(Message):
        """Another emotion is asked for: the next (1) or the one before (-1)."""

        def __init__(self, by: int) -> None:
            super().__init__()
            self.by = by

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._found: RunEvaluation | None = None
        self._label = ""

    def show(self, found: RunEvaluation | None, name: str) -> None:
        """Draw all decisions and those of the emotion `name`."""
        if found is not self._found or name != self._label:
            self._found, self._label = found, name
            self.redraw()

    def action_step(self, by: int) -> None:
        """Another emotion."""
        self.post_message(self.Stepped(by))

    def watch_has_focus(self, has_focus: bool) -> None:
        """The keys are told where they work."""
        super().watch_has_focus(has_focus)
        self.redraw()

    def rows(self, width: int, height: int) -> list[Row]:
        """A title, the plot, and beside it the bins in figures where there is room."""
        found = self._found
        if found is None:
            return []
        k = found.column(self._label)
        own = found.scores.reliabilities[k] if k is not None and found.scores.counts.support[k] else None
        whole = found.scores.reliability
        name = cells(label(self._label), 16)
        title: list[Row] = [
            ((f"● {word('all')} ", "plot--line"), (figure(word("error"), score(whole.ece)), "plot--title")),
            (
                (f"◆ {name} ", "plot--mark"),
                (figure(word("error"), score(own.ece)) if own else word("no row"), "plot--title"),
            ),
            ((word("← → another emotion" if self.has_focus else "Tab, then ← → another emotion"), "plot--axis"),),
        ]
        room = min(WIDEST, width - TABLE - 3) if width - TABLE - 3 >= 40 else width
        drawn = plot.draw(_layers(whole, own), replace(AXES, x_name=word(AXES.x_name)), room, height - 1)
        if room == width:
            return [fitting(title, width), *drawn]
        table = _table(whole)
        beside = [
            (*row, (" " * (room + 3 - sum(len(text) for text, _ in row)), ""), *(table[y] if y < len(table) else ()))
            for y, row in enumerate(drawn)
        ]
        return [fitting(title, width), *beside]


def _layers(whole: Reliability, own: Reliability | None) -> list[plot.Layer]:
    diagonal = Trace()
    steps = [i / 40 for i in range(41)]
    diagonal.feed(steps, list(steps))
    layers = [plot.Layer(diagonal, "points", "plot--raw", mark="·")]
    for points, style, mark in ((whole, "plot--line", "●"), (own, "plot--mark", "◆")):
        if points is not None and points.points:
            trace = Trace()
            trace.feed([p for p, _, _ in points.points], [t for _, t, _ in points.points])
            layers.append(plot.Layer(trace, "marks", style, mark=mark))
    return layers


def _table(whole: Reliability) -> list[Row]:
    """The bins: said on average, true, decisions."""
    head: Row = ((f"{word('said'):>6}{word('true'):>7}{word('decisions'):>12}", "plot--axis"),)
    return [head, *(((f"{percent(p):>6}{percent(t):>7}{count(n):>12}", ""),) for p, t, n in whole.points)]
