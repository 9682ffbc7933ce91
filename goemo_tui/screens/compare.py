"""Runs side by side: what was asked for differently, the scores, and each emotion against the first run.

Reads the run folders beside the screen; it changes nothing in them.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, cast

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import VerticalScroll
from textual.content import Content
from textual.widgets import Static

from goemo_tui.language import label
from goemo_tui.safe_text import clean, content
from goemo_tui.screens.dialog import Dialog
from goemo_tui.services.beside import Done, beside
from goemo_tui.services.compare import Comparison, Side, compare, paired_with, side_of
from goemo_tui.services.compare_page import Row, page
from goemo_tui.services.runs import RunsChanged, RunWatch

if TYPE_CHECKING:
    from goemo_tui.services.evaluation import Paired

READING, PAIRING = "compare", "compare on the same resamples"
COLOURS = {
    "head": "bold $accent",
    "name": "$quiet",
    "quiet": "$quiet",
    "warning": "$warning",
    "better": "$success",
    "worse": "$error",
}


class CompareScreen(Dialog[None]):
    """The page, scrolling. `folders` are two to six runs, the one that others are held against first."""

    HEADING = "compare"
    FOOT = "↑↓ scroll · Esc closes"
    BINDINGS = [
        Binding("a", "all_settings", "All settings"),
        Binding("b", "next_base", "Other base"),
        Binding("q,c", "close", show=False),
        Binding("j,down", "scroll(1)", show=False),
        Binding("k,up", "scroll(-1)", show=False),
        Binding("ctrl+d,pagedown,space", "scroll(10)", show=False),
        Binding("ctrl+u,pageup", "scroll(-10)", show=False),
        Binding("g,home", "scroll(-100000)", show=False),
        Binding("G,end", "scroll(100000)", show=False),
    ]
    DEFAULT_CSS = """
    CompareScreen > #box { width: 100%; max-width: 200; height: 100%; max-height: 100%; padding: 0 1; }
    CompareScreen #page-scroll { height: 1fr; }
    CompareScreen #page { height: auto; }
    CompareScreen #switches { height: 1; dock: bottom; color: $quiet; }
    """

    def __init__(self, folders: Sequence[Path], watch: RunWatch) -> None:
        super().__init__()
        self._folders = tuple(folders)
        self._runs = watch
        self._sides: tuple[Side, ...] = ()
        self._base = 0
        self._all = False
        self._paired: dict[int, tuple[Paired, ...]] = {}
        """Over each base, of the runs as they were last read."""

    def body(self) -> ComposeResult:
        """The page, and what can be switched."""
        with VerticalScroll(id="page-scroll", can_focus=True):
            yield Static("reading the runs …", id="page", markup=False)
        yield Static(self._switches(), id="switches")

    def on_mount(self) -> None:
        """Read the runs, and again whenever one of them says something new."""
        self.query_one("#page-scroll").focus()
        self._runs.subscribe(self.post_message)

    def on_unmount(self) -> None:
        """Follow them no more."""
        self._runs.unsubscribe(self.post_message)

    @on(RunsChanged)
    def _changed(self, message: RunsChanged) -> None:
        message.stop()
        if not self._sides or message.changed & {folder.name for folder in self._folders}:
            beside(READING, lambda: tuple(side_of(folder) for folder in self._folders), self.post_message)

    @on(Done)
    def _read(self, message: Done) -> None:
        message.stop()
        if message.name.startswith(PAIRING):
            self._take_paired(message)
            return
        if message.error is not None:
            self._sides = ()  # what is drawn anew for another size would cover the reason
            self.query_one("#page", Static).update(
                content(f"{message.error}\n\nEsc closes; pin other runs with space.", newlines=True)
            )
            return
        sides = cast("tuple[Side, ...]", message.value)
        if sides != self._sides:
            self._sides = sides
            self._paired.clear()
            self._pair()
            self.redraw()

    def _pair(self) -> None:
        """Draw the comments again for the present base, unless that was done."""
        found, base, folders = self.comparison, self._base, self._folders
        if found is not None and base not in self._paired:
            # the sides are told too: what comes of runs that have gone on meanwhile is not taken
            sides = self._sides
            beside(f"{PAIRING} {base}", lambda: (sides, base, paired_with(found, folders)), self.post_message)

    def _take_paired(self, message: Done) -> None:
        if message.error is not None:
            self.notify(str(message.error), severity="error")
            return
        sides, base, paired = cast("tuple[tuple[Side, ...], int, tuple[Paired, ...]]", message.value)
        if sides == self._sides:
            self._paired[base] = paired
            self.redraw()

    def on_resize(self) -> None:
        """Columns are as wide as there is room."""
        self.redraw()

    @property
    def comparison(self) -> Comparison | None:
        """What is shown; None until the runs are read."""
        return compare(self._sides, self._base) if self._sides else None

    def redraw(self) -> None:
        """Write the page."""
        found = self.comparison
        if found is None:
            return
        scroll = self.query_one("#page-scroll", VerticalScroll)
        rows = page(found, max(40, scroll.size.width - 1), self._all, label, self._paired.get(self._base))
        self.query_one("#page", Static).update(Content("\n").join(_drawn(row) for row in rows))
        self.query_one("#switches", Static).update(self._switches())

    def _switches(self) -> Content:
        base = clean(self._sides[self._base].title, limit=30) if self._sides else "…"
        settings = "only those that differ" if self._all else "all settings"
        return Content.assemble(
            Content.from_markup(f"[@click=screen.all_settings][$accent]a[/] {settings}[/]   "),
            Content.from_markup("[@click=screen.next_base][$accent]b[/] another base[/]  now: "),
            Content(base),
        )

    def action_all_settings(self) -> None:
        """All settings, or only those that differ."""
        self._all = not self._all
        self.redraw()

    def action_next_base(self) -> None:
        """Hold the runs against the next one."""
        if self._sides:
            self._base = (self._base + 1) % len(self._sides)
            self._pair()
            self.redraw()

    def action_scroll(self, rows: int) -> None:
        """Move the page."""
        self.query_one("#page-scroll", VerticalScroll).scroll_relative(y=rows, animate=False)


def _drawn(row: Row) -> Content:
    return Content.assemble(*((piece, COLOURS.get(tone, "")) for piece, tone in row))
