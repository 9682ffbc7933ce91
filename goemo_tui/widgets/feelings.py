"""The bars of one model, or the paired bars of two, in a part that scrolls and takes the focus."""

from __future__ import annotations

from textual import events
from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Vertical, VerticalScroll
from textual.geometry import Region
from textual.message import Message

from goemo_tui.services.called import called
from goemo_tui.services.explaining import Explaining
from goemo_tui.services.prediction import felt_first
from goemo_tui.services.readings import Readings
from goemo_tui.widgets.emotion_bars import EmotionBars
from goemo_tui.widgets.emotion_pairs import EmotionPairs, PairHead, pair_up
from goemo_tui.widgets.why_lines import WhyLines

TALL = 13
"""Rows from which the explanation may take more of them."""


class BarsScroll(VerticalScroll):
    """Scrolls; knows vim's keys."""

    ABOUT = (
        "● reached its threshold, · did not. With two models, ▲ ▼ say how many points B is above or below A. "
        "The emotion at ▸ is explained below: ↑ ↓ or a click choose another."
    )
    BINDINGS = [
        Binding("down,j", "choose(1)", show=False),
        Binding("up,k", "choose(-1)", show=False),
        Binding("home,g", "choose(-1000)", show=False),
        Binding("end,G", "choose(1000)", show=False),
        Binding("ctrl+d", "page_down", show=False),
        Binding("ctrl+u", "page_up", show=False),
    ]

    class Choose(Message):
        """The emotion so many rows further down is to be explained."""

        def __init__(self, by: int) -> None:
            super().__init__()
            self.by = by

    class Pick(Message):
        """This emotion is to be explained."""

        def __init__(self, name: str) -> None:
            super().__init__()
            self.name = name

    def action_choose(self, by: int) -> None:
        """Up and Down."""
        self.post_message(self.Choose(by))


class Feelings(Vertical):
    """`show` draws what one model or two say."""

    DEFAULT_CSS = """
    Feelings { height: 1fr; }
    Feelings > BarsScroll { height: 1fr; }
    """

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._shown: tuple[Readings, Explaining] | None = None

    def compose(self) -> ComposeResult:
        """Head and bars."""
        yield PairHead()
        with BarsScroll(id="bars-scroll"):
            yield EmotionBars(id="bars")
            yield EmotionPairs(id="pairs")
        yield WhyLines(id="why")

    @property
    def names(self) -> tuple[str, ...]:
        """The emotions in the order of the rows."""
        if self._shown is not None and self._shown[0].b is not None:
            return tuple(pair.name for pair in self.query_one(EmotionPairs).pairs)
        return tuple(emotion.name for emotion in self.query_one(EmotionBars).emotions)

    @property
    def has_why(self) -> bool:
        """Whether there is room for an explanation, and it is wanted."""
        return bool(self.query_one(WhyLines).display)

    def keep_in_sight(self, name: str) -> None:
        """Scroll until the row of `name` is seen."""
        if name in self.names:
            row = Region(0, self.names.index(name), 1, 1)
            self.query_one(BarsScroll).scroll_to_region(row, animate=False, force=True)

    def on_click(self, event: events.Click) -> None:
        """A click on a bar."""
        if isinstance(event.widget, EmotionBars | EmotionPairs):
            names = self.names
            if 0 <= event.y < len(names):
                self.post_message(BarsScroll.Pick(names[event.y]))

    def on_resize(self) -> None:
        """Other rows are left for the explanation."""
        if self._shown is not None:
            self.show(*self._shown)

    def show(self, readings: Readings, explaining: Explaining) -> None:
        """The present answers, and the explanation of one emotion."""
        self._shown = (readings, explaining)
        self._bars(readings, explaining)
        why = self.query_one(WhyLines)
        answered = any(r.answer is not None for r in readings.all)
        height = self.size.height - (readings.b is not None)
        why.fit_into(height, height >= TALL, answered and not explaining.hidden)
        why.show(explaining, readings.side.upper() if readings.b is not None else "")

    def _bars(self, readings: Readings, explaining: Explaining) -> None:
        a, b = readings.a, readings.b
        two = b is not None
        bars, pairs, head = self.query_one(EmotionBars), self.query_one(EmotionPairs), self.query_one(PairHead)
        if bars.display is two:
            bars.display, pairs.display = not two, two
        answered = any(r.answer is not None for r in readings.all)
        head.display = two and answered
        self.query_one(BarsScroll).display = answered
        if b is None:
            felt = felt_first(a.emotions())
            bars.show(felt, explaining.emotion(tuple(e.name for e in felt)))
            return
        names = [f"{r.side.upper()} {called(r.model.name) if r.model else '–'}" for r in (a, b)]
        head.show(*names)
        same = a.answer is not None and b.fits(a.answer.request.text)
        paired = pair_up(a.emotions(), b.emotions(), settled=same)
        pairs.show(paired, explaining.emotion(tuple(pair.name for pair in paired)))
