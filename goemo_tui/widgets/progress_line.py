"""How far a run is, how fast it goes and how good it is by now, in rows that change a few cells at a time.

Whole pieces are left out where there is no room for them; none is cut in its middle.
"""

from __future__ import annotations

from dataclasses import dataclass

from goemo_tui.safe_text import clean
from goemo_tui.widgets.curve import fitting
from goemo_tui.widgets.lines import Lines, Row, fit, row_width
from goemo_tui.wording import percent

SHORTEST_BAR = 4


@dataclass(frozen=True)
class Progress:
    """What the rows say. `share` is 0..1 (None: not known yet); the texts are ready to be shown.

    `facts` and `scores` are (name, value) pairs for the second and third row; `verdict` closes the third, or the second
    where it does not fit there; `advice` is one sentence for a fourth row or behind the verdict.
    """

    head: str = ""
    share: float | None = None
    tail: str = ""
    facts: tuple[tuple[str, str], ...] = ()
    scores: tuple[tuple[str, str], ...] = ()
    verdict: str = ""
    alarm: bool = False
    advice: str = ""


class ProgressLine(Lines):
    """A bar with its figures."""

    COMPONENT_CLASSES = {"progress--done", "progress--rest", "progress--name", "progress--value", "progress--alarm"}
    DEFAULT_CSS = """
    ProgressLine { height: 3; width: 1fr; }
    ProgressLine > .progress--done { color: $primary; }
    ProgressLine > .progress--rest { color: $foreground 30%; }
    ProgressLine > .progress--name { color: $quiet; }
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
        """Bar, speed, scores, advice."""
        p = self.progress
        facts, scores = _pieces(p.facts), _pieces(p.scores)
        verdict = [((clean(p.verdict), "progress--alarm" if p.alarm else "progress--value"),)] if p.verdict else []
        advice = [((clean(p.advice), "progress--name"),)] if p.advice else []
        if _width([*scores, *verdict]) <= width:
            scores += verdict
        else:
            facts += verdict
        if height > 3:
            lines = _wrapped(clean(p.advice), width, height - 3)
            return [_bar(p, width), fitting(facts, width), fitting(scores, width), *lines]
        for line in (scores, facts):
            if line[-1:] == verdict and _width([*line, *advice]) <= width:
                line += advice
        return [_bar(p, width), fitting(facts, width), fitting(scores, width)][:height]


def _width(pieces: list[Row], gap: int = 2) -> int:
    return sum(row_width(piece) for piece in pieces) + gap * max(0, len(pieces) - 1)


def _wrapped(text: str, width: int, lines: int) -> list[Row]:
    """A sentence over so many lines at most; nothing where it does not fit whole."""
    made, line = [], ""
    for word in text.split():
        longer = f"{line} {word}".strip()
        if len(longer) > width and line:
            made.append(line)
            longer = word
        line = longer
    made.append(line)
    return [((line, "progress--name"),) for line in made] if text and len(made) <= lines else []


def _pieces(pairs: tuple[tuple[str, str], ...]) -> list[Row]:
    pieces: list[Row] = []
    for name, value in pairs:
        number, _, unit = value.partition(" ")
        spans = [(name + " " * bool(value), "progress--name")] if name else []
        spans += [(number, "progress--value")] if number else []
        spans += [(" " + unit, "progress--name")] if unit else []
        pieces.append(tuple(spans))
    return pieces


def _bar(p: Progress, width: int) -> Row:
    if p.share is None:
        return fit(((p.head, ""), ("  " if p.head and p.tail else "", ""), (p.tail, "progress--name")), width)
    share = min(1.0, max(0.0, p.share))
    # what changes most stands first: a change costs the terminal the row up to it
    told: Row = (
        (f"{p.head}  " if p.head else "", ""),
        (f"{percent(share):>4}  ", "progress--value"),
        (f"{p.tail}  ", "progress--name"),
    )
    room = min(width - row_width(told), 60)
    if room < SHORTEST_BAR:
        return fit(told, width)
    halves = round(share * room * 2)
    done = "━" * (halves // 2) + ("╸" if halves % 2 else "")
    return (*told, (done, "progress--done"), ("─" * (room - len(done)), "progress--rest"))
