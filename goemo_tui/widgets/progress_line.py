"""How far a run is and how fast it goes, in three rows that change a few cells at a time."""

from __future__ import annotations

from dataclasses import dataclass

from goemo_tui.safe_text import clean
from goemo_tui.widgets.lines import Lines, Row, Span, fit, row_width
from goemo_tui.wording import percent


@dataclass(frozen=True)
class Progress:
    """What the rows say. `share` is 0..1 (None: not known yet); the texts are ready to be shown.

    `facts` and `scores` are (name, value) pairs for the second and third row; `verdict` closes the third.
    """

    head: str = ""
    share: float | None = None
    tail: str = ""
    facts: tuple[tuple[str, str], ...] = ()
    scores: tuple[tuple[str, str], ...] = ()
    verdict: str = ""
    alarm: bool = False


class ProgressLine(Lines):
    """A bar with its figures."""

    COMPONENT_CLASSES = {"progress--done", "progress--rest", "progress--name", "progress--value", "progress--alarm"}
    DEFAULT_CSS = """
    ProgressLine { height: 3; width: 1fr; }
    ProgressLine > .progress--done { color: $primary; }
    ProgressLine > .progress--rest { color: $foreground 30%; }
    ProgressLine > .progress--name { color: $foreground 60%; }
    ProgressLine > .progress--value { text-style: bold; }
    ProgressLine > .progress--alarm { color: $error; text-style: bold; }
    """

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self.progress = Progress()

    def show(self, progress: Progress) -> int:
        """Draw this. Returns how many rows were painted again."""
        self.progress = progress
        return self.redraw()

    def rows(self, width: int, height: int) -> list[Row]:
        """Bar, speed, scores."""
        p = self.progress
        verdict: Row = ((clean(p.verdict), "progress--alarm" if p.alarm else "progress--value"),) if p.verdict else ()
        rows = [_bar(p, width), fit(_pairs(p.facts), width)]
        scores = _pairs(p.scores)
        if verdict:
            scores = (*scores, ("  " if scores else "", ""), *verdict)
        return [*rows, fit(scores, width)][:height]


def _pairs(pairs: tuple[tuple[str, str], ...]) -> Row:
    spans: list[Span] = []
    for name, value in pairs:
        if spans:
            spans.append(("  ", ""))
        if name:
            spans.append((name + " ", "progress--name"))
        number, _, unit = value.partition(" ")
        spans.append((number, "progress--value"))
        if unit:
            spans.append((" " + unit, "progress--name"))
    return tuple(spans)


def _bar(p: Progress, width: int) -> Row:
    if p.share is None:
        return fit(((p.head, ""), ("  " if p.head and p.tail else "", ""), (p.tail, "progress--name")), width)
    share = min(1.0, max(0.0, p.share))
    figure = f" {percent(share):>4}  "
    room = width - row_width(((p.head, ""), (" ", ""), (figure, ""), (p.tail, "")))
    room = max(6, min(room, 48))
    halves = round(share * room * 2)
    done = "━" * (halves // 2) + ("╸" if halves % 2 else "")
    return fit(
        (
            (p.head + " ", ""),
            (done, "progress--done"),
            ("─" * (room - len(done)), "progress--rest"),
            (figure, "progress--value"),
            (p.tail, "progress--name"),
        ),
        width,
    )
