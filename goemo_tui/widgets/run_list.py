"""The runs, newest first: a sign for the state, the short name, and how far it is or how good it got."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Self

from rich.cells import cell_len, set_cell_size
from textual.content import Content
from textual.geometry import Region
from textual.message import Message
from textual.widgets import OptionList
from textual.widgets.option_list import Option

from goemo_tui.safe_text import cells
from goemo_tui.services.runs import RunView
from goemo_tui.wording import MARKS

_COLOURS = {
    "running": "$success", "starting": "$text-muted", "waiting": "$text-muted", "stalled": "$warning", "stopping": "$warning",
    "finished": "$primary", "failed": "$error", "died": "$error", "stopped": "$text-muted", "unknown": "$text-muted",
}  # fmt: skip


class RunList(OptionList):
    """Selects with the arrows; a line is written again only when its text changed."""

    ABOUT = "The runs of this machine, newest first. Arrow keys choose which one is shown at the right."

    class Chosen(Message):
        """Another run is selected (None: there is none)."""

        def __init__(self, run_id: str | None) -> None:
            super().__init__()
            self.run_id = run_id

    def __init__(self, *, id: str | None = None) -> None:
        self._only: int | None = None
        super().__init__(id=id, markup=False, compact=True)
        self._said: dict[str, tuple[str, str, str]] = {}
        self._width = 0
        self._runs: tuple[RunView, ...] = ()

    @property
    def run_id(self) -> str | None:
        """The selected run."""
        if self.highlighted is None or not self.option_count:
            return None
        return self.get_option_at_index(self.highlighted).id

    def show(self, runs: Sequence[RunView]) -> int:
        """Take the runs as they now are. Returns how many lines were written (0: nothing is sent)."""
        self._runs = tuple(runs)
        lines = {run.id: (run.state, run.short, run.figure) for run in runs}
        width = max(16, self.scrollable_content_region.width or self.size.width or 20)
        if list(lines) != list(self._said) or width != self._width:
            chosen = self.run_id
            self._said, self._width = lines, width
            self.clear_options()
            self.add_options(Option(_line(*line, width), id=run_id) for run_id, line in lines.items())
            if lines:
                keep = chosen if chosen in lines else next(iter(lines))
                self.highlighted = list(lines).index(keep)
            else:
                self.post_message(self.Chosen(None))
            return len(lines)
        changed = [run_id for run_id, line in lines.items() if self._said[run_id] != line]
        self._said = lines
        order = list(lines)
        for run_id in changed:
            # Each line is one row high: only that row is painted again, the list as a whole is not.
            self._only = order.index(run_id)
            self.replace_option_prompt(run_id, _line(*lines[run_id], width))
            self._only = None
        return len(changed)

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
        self.show(self._runs)

    def choose(self, run_id: str) -> None:
        """Select a run that is in the list."""
        if run_id in self._said:
            self.highlighted = list(self._said).index(run_id)

    def on_option_list_option_highlighted(self, event: OptionList.OptionHighlighted) -> None:
        """The arrows moved."""
        event.stop()
        self.post_message(self.Chosen(event.option_id))


def _line(state: str, name: str, figure: str, width: int) -> Content:
    figure = cells(figure, 10)
    room = max(4, width - 2 - cell_len(figure) - 1)
    return Content.assemble(
        (MARKS.get(state, "?"), _COLOURS.get(state, "")),
        " " + set_cell_size(cells(name, room), room) + " ",
        (figure, "$text-muted"),
    )
