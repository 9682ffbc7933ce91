"""The runs, newest first: pinned or not, a sign for the state, the name, how good or how far it is, and its age."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Self

from rich.cells import cell_len, set_cell_size
from textual import events
from textual.binding import Binding
from textual.content import Content
from textual.geometry import Region
from textual.message import Message
from textual.widgets import OptionList
from textual.widgets.option_list import Option

from goemo_tui.safe_text import cells
from goemo_tui.services.runs import RunView
from goemo_tui.widgets.one_tone import OneToneList
from goemo_tui.wording import MARKS, age, score

PINNED = "▪"
WITH_AGE = 28
"""Cells from which the age stands at the end of a line, and the score has its name before it."""

_COLOURS = {
    "running": "$success", "starting": "$text-muted", "waiting": "$text-muted", "stalled": "$warning", "stopping": "$warning",
    "finished": "$primary", "failed": "$error", "died": "$error", "stopped": "$text-muted", "unknown": "$text-muted",
}  # fmt: skip

_Line = tuple[bool, str, str, str, str]
"""Pinned, state, name, figure, age."""


class RunList(OneToneList):
    """Selects with the arrows; a line is written again only when its text changed."""

    ABOUT = (
        "The runs of this machine, newest first. Arrow keys choose which one is shown at the right. Space, or a click "
        "on the sign, pins a run: the charts draw the pinned ones too, c compares them. + and -, or the right edge "
        "dragged, change the width."
    )
    BINDINGS = [
        Binding("j", "cursor_down", "Down", show=False),
        Binding("k", "cursor_up", "Up", show=False),
        Binding("g", "first", "First", show=False),
        Binding("G", "last", "Last", show=False),
        Binding("ctrl+d", "page_down", "Page down", show=False),
        Binding("ctrl+u", "page_up", "Page up", show=False),
    ]

    class Chosen(Message):
        """Another run is selected (None: there is none)."""

        def __init__(self, run_id: str | None) -> None:
            super().__init__()
            self.run_id = run_id

    class PinAsked(Message):
        """The sign before a run was clicked."""

        def __init__(self, run_id: str) -> None:
            super().__init__()
            self.run_id = run_id

    class Dragged(Message):
        """The right edge was dragged to where the list is `width` cells wide."""

        def __init__(self, width: int) -> None:
            super().__init__()
            self.width = width

    def __init__(self, *, id: str | None = None) -> None:
        self._only: int | None = None
        super().__init__(id=id, markup=False, compact=True)
        self._said: dict[str, _Line] = {}
        self._width = 0
        self._runs: tuple[RunView, ...] = ()
        self._pinned: frozenset[str] = frozenset()
        self._dragging = False

    @property
    def run_id(self) -> str | None:
        """The selected run."""
        if self.highlighted is None or not self.option_count:
            return None
        return self.get_option_at_index(self.highlighted).id

    def show(self, runs: Sequence[RunView], pinned: Sequence[str] = ()) -> int:
        """Take the runs as they now are. Returns how many lines were written (0: nothing is sent)."""
        self._runs, self._pinned = tuple(runs), frozenset(pinned)
        width = max(16, self.scrollable_content_region.width or self.size.width or 20)
        now = time.time()
        lines = {run.id: _said(run, run.id in self._pinned, width, now) for run in runs}
        if list(lines) != list(self._said) or width != self._width:
            return self._fill(lines, width)
        changed = [run_id for run_id, line in lines.items() if self._said[run_id] != line]
        self._said = lines
        order = {run_id: row for row, run_id in enumerate(lines)} if changed else {}
        for run_id in changed:
            # Each line is one row high: only that row is painted again, the list as a whole is not.
            self._only = order[run_id]
            self.replace_option_prompt(run_id, _drawn(lines[run_id], width))
            self._only = None
        return len(changed)

    def _fill(self, lines: dict[str, _Line], width: int) -> int:
        chosen = self.run_id
        self._said, self._width = lines, width
        with self.prevent(OptionList.OptionHighlighted):
            self.clear_options()
            self.add_options(Option(_drawn(line, width), id=run_id) for run_id, line in lines.items())
        if lines:
            keep = chosen if chosen in lines else next(iter(lines))
            self.highlighted = list(lines).index(keep)
            self.call_after_refresh(self.tick)  # a scrollbar that came or went leaves other room
        else:
            self.add_option(Option(Content("none yet"), disabled=True))
            self.post_message(self.Chosen(None))
        return len(lines)

    def refresh(self, *regions: Region, repaint: bool = True, layout: bool = False, recompose: bool = False) -> Self:
        """As a widget's; while one line is written, of that line alone."""
        if self._only is not None and not regions:
            row = self._only - round(self.scroll_y)
            if not 0 <= row < self.scrollable_content_region.height:
                return self
            regions, layout = (Region(0, row, self.scrollable_content_region.width, 1),), False
        return super().refresh(*regions, repaint=repaint, layout=layout, recompose=recompose)

    def on_resize(self) -> None:
        """Lines are as wide as the list."""
        self.show(self._runs, tuple(self._pinned))

    def tick(self) -> None:
        """Write the ages that have changed."""
        self.show(self._runs, tuple(self._pinned))

    def choose(self, run_id: str) -> None:
        """Select a run that is in the list."""
        if run_id in self._said:
            self.highlighted = list(self._said).index(run_id)

    def on_option_list_option_highlighted(self, event: OptionList.OptionHighlighted) -> None:
        """The arrows moved."""
        event.stop()
        self.post_message(self.Chosen(event.option_id))

    # The mouse

    def on_click(self, event: events.Click) -> None:
        """A click on the two signs before a name pins the run."""
        place = event.get_content_offset(self)
        option = event.style.meta.get("option")
        if place is not None and place.x < 3 and isinstance(option, int) and option < self.option_count:
            run_id = self.get_option_at_index(option).id
            if run_id is not None:
                self.post_message(self.PinAsked(run_id))

    def on_mouse_down(self, event: events.MouseDown) -> None:
        """Take hold of the right edge."""
        if event.x >= self.outer_size.width - 1:
            event.stop()
            self._dragging = True
            self.capture_mouse()

    def on_mouse_move(self, event: events.MouseMove) -> None:
        """Draw it along."""
        if self._dragging:
            event.stop()
            self.post_message(self.Dragged(event.screen_x - self.region.x + 1))

    def on_mouse_up(self, event: events.MouseUp) -> None:
        """Let it go."""
        if self._dragging:
            event.stop()
            self._dragging = False
            self.release_mouse()


def _said(run: RunView, pinned: bool, width: int, now: float) -> _Line:
    """What a line of `width` cells says of a run."""
    figure = run.figure
    if width < WITH_AGE:
        return pinned, run.state, run.title, figure.removeprefix("F1 "), ""
    if run.living and run.best_f1 is not None:
        figure = f"F1 {score(run.best_f1)} {figure}"
    return pinned, run.state, run.title, figure, age(now - run.since) if run.since else ""


def _drawn(line: _Line, width: int) -> Content:
    pinned, state, name, figure, old = line
    tail = f"{cells(figure, 16)} {old:>3}" if old else cells(figure, 10)
    room = max(4, width - 3 - cell_len(tail) - 1)
    return Content.assemble(
        (PINNED if pinned else " ", "$accent"),
        (MARKS.get(state, "?"), _COLOURS.get(state, "")),
        " " + set_cell_size(cells(name, room), room) + " ",
        (tail, "$text-muted"),
    )
