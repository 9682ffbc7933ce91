"""The bars of one model, or the paired bars of two, in a part that scrolls and takes the focus."""

from __future__ import annotations

from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Vertical, VerticalScroll

from goemo_tui.services.called import called
from goemo_tui.services.prediction import felt_first
from goemo_tui.services.readings import Readings
from goemo_tui.widgets.emotion_bars import EmotionBars
from goemo_tui.widgets.emotion_pairs import EmotionPairs, PairHead, pair_up


class BarsScroll(VerticalScroll):
    """Scrolls; knows vim's keys."""

    ABOUT = "● reached its threshold, · did not. With two models, ▲ ▼ say how many points B is above or below A."
    BINDINGS = [
        Binding("j", "scroll_down", show=False),
        Binding("k", "scroll_up", show=False),
        Binding("g", "scroll_home", show=False),
        Binding("G", "scroll_end", show=False),
        Binding("ctrl+d", "page_down", show=False),
        Binding("ctrl+u", "page_up", show=False),
    ]


class Feelings(Vertical):
    """`show` draws what one model or two say."""

    DEFAULT_CSS = """
    Feelings { height: 1fr; }
    Feelings > BarsScroll { height: 1fr; }
    """

    def compose(self) -> ComposeResult:
        """Head and bars."""
        yield PairHead()
        with BarsScroll(id="bars-scroll"):
            yield EmotionBars(id="bars")
            yield EmotionPairs(id="pairs")

    def show(self, readings: Readings) -> None:
        """The present answers."""
        a, b = readings.a, readings.b
        two = b is not None
        bars, pairs, head = self.query_one(EmotionBars), self.query_one(EmotionPairs), self.query_one(PairHead)
        if bars.display is two:
            bars.display, pairs.display = not two, two
        answered = any(r.answer is not None for r in readings.all)
        head.display = two and answered
        self.query_one(BarsScroll).display = answered
        if b is None:
            bars.show(felt_first(a.emotions()))
            return
        names = [f"{r.side.upper()} {called(r.model.name) if r.model else '–'}" for r in (a, b)]
        head.show(*names)
        same = a.answer is not None and b.fits(a.answer.request.text)
        pairs.show(pair_up(a.emotions(), b.emotions(), settled=same))
