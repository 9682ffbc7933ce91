"""The left of the Data screen: the corpus's splits, and its labels with how often they occur, which are also a filter.

Draws what it is given; which rows are shown is decided elsewhere.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual import on
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.message import Message

from goemo_tui.language import label
from goemo_tui.services import query
from goemo_tui.widgets.bar_list import BarList, Entry

if TYPE_CHECKING:
    from goemo_tui.services.corpus import Rows, SplitColumns

SPLITS = ("train", "dev", "test")


class CorpusLists(Vertical):
    """Posts `SplitWanted` and `LabelWanted`."""

    class SplitWanted(Message):
        """A split was chosen; it may be one that the corpus has not got."""

        def __init__(self, split: str) -> None:
            super().__init__()
            self.split = split

    class LabelWanted(Message):
        """A label was chosen, by the name that it has in the corpus."""

        def __init__(self, name: str) -> None:
            super().__init__()
            self.name = name

    def __init__(self, *, id: str) -> None:
        super().__init__(id=id)
        self.names: tuple[str, ...] = ()
        self._columns: SplitColumns | None = None
        self._order: list[int] = []

    def compose(self) -> ComposeResult:
        """Splits above labels."""
        splits = BarList(id="splits", classes="pane", about="The corpus's splits. Enter shows one.", bars=False)
        emotions = BarList(
            id="emotions",
            classes="pane",
            about="Labels and how often they occur among the rows shown. Enter filters by one (✓), and again no more.",
        )
        splits.border_title, emotions.border_title = "splits", "emotions"
        splits.empty = emotions.empty = "loading …"
        yield splits
        yield emotions

    def show_splits(self, numbers: dict[str, int], here: str) -> None:
        """Rows of each split; `here` is the one that is shown."""
        self.query_one("#splits", BarList).show(
            tuple(Entry(name, numbers.get(name), "▸" if name == here else " ") for name in SPLITS)
        )

    def show_no_labels(self, why: str) -> None:
        """There are no rows whose labels could be counted."""
        self._columns, self.names = None, ()
        emotions = self.query_one("#emotions", BarList)
        emotions.say(why)
        emotions.border_title = "emotions"

    def show_nothing(self, why: str) -> None:
        """There is no corpus."""
        self.show_no_labels(why)
        self.query_one("#splits", BarList).say(why)

    def show_labels(self, columns: SplitColumns, rows: Rows, filter_text: str) -> None:
        """Counts among `rows`, in the order of the whole split.

        ✓ stands before a label that the filter line asks for, ✗ before one that it shuts out.
        """
        if columns is not self._columns:
            whole = columns.label_counts()
            self._columns = columns
            self._order = sorted(range(len(whole)), key=lambda i: (-int(whole[i]), i))
            self.names = tuple(columns.labels.names[i] for i in self._order)
        counts = columns.label_counts(rows)
        signs = _signs(columns, filter_text)
        most = max(1, int(counts.max(initial=0)))
        emotions = self.query_one("#emotions", BarList)
        emotions.show(
            tuple(
                Entry(label(columns.labels.names[i]), int(counts[i]), signs.get(i, " "), int(counts[i]) / most)
                for i in self._order
            )
        )
        kind = "emotions" if columns.labels.official else "labels"
        emotions.border_title = kind if len(rows) == len(columns) else f"{kind} in {len(rows):,}"

    @on(BarList.Picked, "#splits")
    def _split_picked(self, message: BarList.Picked) -> None:
        message.stop()
        self.post_message(self.SplitWanted(SPLITS[message.index]))

    @on(BarList.Picked, "#emotions")
    def _label_picked(self, message: BarList.Picked) -> None:
        message.stop()
        if message.index < len(self.names):
            self.post_message(self.LabelWanted(self.names[message.index]))


def _signs(columns: SplitColumns, filter_text: str) -> dict[int, str]:
    try:
        expression = query.parse(filter_text, columns.labels).expression
    except query.QueryError:
        return {}
    signs: dict[int, str] = {}
    for term, shut_out in query.conditions(expression):
        if term.kind == "label":
            signs.update(dict.fromkeys(term.labels, "✗" if shut_out else "✓"))
    return signs
