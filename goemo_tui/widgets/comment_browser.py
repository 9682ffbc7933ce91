"""The middle of the Data screen: filter line, table of comments, and the figures that may stand in the table's place.

The filter line is the only truth about which rows are shown; whoever wants other rows writes into it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual import on
from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical, VerticalScroll
from textual.content import Content
from textual.message import Message
from textual.widgets import ContentSwitcher, Input, Static

from goemo_tui import safe_text
from goemo_tui.widgets.field import Field

if TYPE_CHECKING:
    from textual_fastdatatable import DataTable

    from goemo_tui.services.corpus import Rows, SplitColumns
    from goemo_tui.widgets.comment_table import CommentTable

VIEWS: tuple[tuple[str, str], ...] = (
    ("table", "table"),
    ("counts", "counts"),
    ("together", "which go together"),
    ("lengths", "lengths"),
    ("duplicates", "duplicates"),
)
"""Name and title, in the order in which `v` goes through them."""

_SORTS: tuple[tuple[int, bool] | None, ...] = (None, (1, False), (2, False), (3, True), (3, False))
"""What `t` goes through: file order, comment, emotions, longest first, shortest first."""


class CommentBrowser(Vertical):
    """Shows one split at a time. Posts `Shown` when other rows are shown."""

    DEFAULT_CSS = """
    CommentBrowser {
        & #filter-line { height: 1; }
        & #slash { width: 2; color: $accent; text-style: bold; }
        & #filter { width: 1fr; }
        & #complaint { height: auto; max-height: 2; color: $error; display: none; }
        & #complaint.-note { color: $quiet; }
        & #refusal { height: auto; max-height: 3; color: $error; display: none; }
        & #views { height: 1fr; }
        & #waiting { color: $quiet; padding: 1 1; }
        & #figures { height: 1fr; }
        & #figures-text { width: 1fr; height: auto; }
    }
    """

    class Shown(Message):
        """Other rows are shown, or another one is looked at (`looked_at` None: no row)."""

        def __init__(self, looked_at: int | None) -> None:
            super().__init__()
            self.looked_at = looked_at

    def __init__(self, *, id: str, classes: str) -> None:
        super().__init__(id=id, classes=classes)
        self.splits: dict[str, SplitColumns] = {}
        self.refusals: dict[str, str] = {}
        self.split = ""
        self.rows: Rows | None = None
        self.sorting: tuple[int, bool] | None = None
        self.view = "table"
        self.max_length = 64

    def compose(self) -> ComposeResult:
        """Filter line, complaint, and the views."""
        with Horizontal(id="filter-line"):
            yield Static("/", id="slash")
            yield Field(
                id="filter",
                placeholder='words "a phrase" label:joy -label:neutral tokens:>20 labels:>1 /regex/',
                about='All must hold: words, "phrases", label:joy, -label:neutral, tokens:>20, labels:>1, '
                "line:10..20, id:…, /regex/. A minus in front turns any of them round.",
            )
        yield Static(Content(""), id="complaint")
        yield Static(Content(""), id="refusal")
        with ContentSwitcher(initial="waiting", id="views"):
            yield Static(Content(""), id="waiting")
            with VerticalScroll(id="figures"):
                yield Static(Content(""), id="figures-text")

    def on_mount(self) -> None:
        """Nothing is loaded yet."""
        self.border_title = "comments"

    # What the screen asks for

    @property
    def columns(self) -> SplitColumns | None:
        """The split that is shown."""
        return self.splits.get(self.split)

    @property
    def table(self) -> CommentTable | None:
        """The table, once there is something to show."""
        from goemo_tui.widgets.comment_table import CommentTable

        found = self.query("#table")
        return found.first(CommentTable) if found else None

    @property
    def filter_text(self) -> str:
        """What stands in the filter line."""
        return self.query_one("#filter", Field).value

    @filter_text.setter
    def filter_text(self, text: str) -> None:
        field = self.query_one("#filter", Field)
        field.value = text
        field.cursor_position = len(text)

    def wait(self, said: Content) -> None:
        """Say what is going on while there is no table."""
        self.query_one("#waiting", Static).update(said)

    def complain(self, error: str, note: str = "") -> None:
        """Say below the filter line what is wrong with it, or else what to know about it; nothing where nothing is."""
        complaint = self.query_one("#complaint", Static)
        complaint.display = bool(error or note)
        complaint.set_class(not error, "-note")
        if error or note:
            complaint.update(safe_text.content(f"✗ {error}" if error else note))

    async def open(self, splits: dict[str, SplitColumns], max_length: int, refusals: dict[str, str]) -> None:
        """Take another corpus; `take_split` shows it. `refusals`: a sentence for each split that is refused.

        Without any split that has rows there is no table, and the sentences stand in its place.
        """
        from goemo_tui.widgets.comment_table import CommentTable

        self.splits, self.max_length, self.sorting, self.view = splits, max_length, None, "table"
        self.refusals, self.rows = refusals, None
        with self.prevent(Input.Changed):
            self.filter_text = ""
        self.complain("")
        self.query_one("#refusal", Static).display = False
        views, table = self.query_one("#views", ContentSwitcher), self.table
        if splits:
            if table is None:
                await views.mount(CommentTable(id="table"))
            views.current = "table"
            return
        self.split, self.border_title = "", "comments"
        said = [Content.assemble(("✗ ", "bold $error"), safe_text.content(why)) for why in refusals.values()]
        said.append(
            Content.styled("\nno row to show · p lists every reason · o opens another folder or file", "$quiet")
        )
        self.wait(Content("\n").join(said))
        views.current = "waiting"
        if table is not None:
            await table.remove()

    def take_split(self, name: str) -> None:
        """Show a split under the present filter."""
        self.split = name
        why = self.refusals.get(name) or next(iter(self.refusals.values()), "")
        refusal = self.query_one("#refusal", Static)
        refusal.display = bool(why)
        if why:
            refusal.update(safe_text.content(f"✗ {why}"))
        self.apply()
        self._draw_figures()

    def apply(self, keep: bool = False) -> None:
        """Show what the filter line says. Where it cannot be used every row is shown, and the reason stands below it."""
        from goemo_tui.services.corpus import find

        columns, table = self.columns, self.table
        if columns is None or table is None:
            return
        found = find(columns, self.filter_text)
        self.complain(found.error, found.note)
        # Never the rows of an earlier line: they would be the answer to half a word.
        rows = columns.all_rows() if found.rows is None else found.rows
        if self.sorting is not None:
            rows = columns.sorted_by(rows, *self.sorting)
        self.rows = rows
        if self.view == "table":
            self._title(f"{len(rows):,} of {len(columns):,}")
        table.show(columns, rows, found.words, self.sorting, keep)
        self.post_message(self.Shown(table.looked_at))

    def counted(self, split: str, until: int) -> None:
        """Rows before `until` of a split have their token counts now."""
        columns, table = self.columns, self.table
        if split != self.split or columns is None or table is None:
            return
        finished = until >= len(columns)
        if finished and ("tokens:" in self.filter_text or (self.sorting is not None and self.sorting[0] == 3)):
            self.apply(keep=True)
        elif finished or table.waits_for(until):
            table.refresh_cells(until)
        if finished and self.view == "lengths":
            self._draw_figures()

    def show_view(self, name: str) -> None:
        """Show the table or one of the figures."""
        if self.table is None:
            return
        self.view = name
        self.query_one("#views", ContentSwitcher).current = "table" if name == "table" else "figures"
        if name == "table":
            self.apply(keep=True)
        else:
            self._draw_figures()

    def next_view(self) -> None:
        """Table, counts, together, lengths, duplicates."""
        names = [name for name, _ in VIEWS]
        self.show_view(names[(names.index(self.view) + 1) % len(names)])

    def next_sort(self) -> None:
        """The next of the orders."""
        self.sorting = _SORTS[(_SORTS.index(self.sorting) + 1) % len(_SORTS)] if self.sorting in _SORTS else None
        self.apply()

    def clear(self) -> None:
        """Every row, in file order."""
        self.sorting = None
        if self.filter_text:
            self.filter_text = ""
        else:
            self.apply()

    # What happens inside

    def _title(self, said: str) -> None:
        self.border_title = Content.assemble((self.split, "bold"), f" · {said}")

    def _draw_figures(self) -> None:
        """Draw the view that is not the table, at its present width."""
        columns = self.columns
        if self.view == "table" or columns is None:
            return
        from goemo_tui.widgets import corpus_views  # numpy comes with it: not before the first paint

        box = self.query_one("#figures", VerticalScroll)
        width = max(30, (box.scrollable_content_region.width or self.size.width) - 1)
        if self.view == "counts":
            text = corpus_views.counts(self.splits, width)
        elif self.view == "together":
            text = corpus_views.together(columns, width)
        elif self.view == "lengths":
            text = corpus_views.lengths(columns, width, self.max_length)
        else:
            text = corpus_views.duplicates(columns, width)
        self.query_one("#figures-text", Static).update(text)
        self._title(f"{dict(VIEWS)[self.view]} · all {len(columns):,} rows")

    def on_resize(self) -> None:
        """Figures are drawn for a width."""
        if self.view != "table":
            self.call_after_refresh(self._draw_figures)

    @on(Input.Changed, "#filter")
    def _typed(self, event: Input.Changed) -> None:
        event.stop()
        self.apply()

    @on(Input.Submitted, "#filter")
    @on(Field.Onward, "#filter")
    def _left(self) -> None:
        table = self.table
        if table is not None:
            self.show_view("table")
            self.screen.set_focus(table)

    def on_comment_table_looked(self, message: CommentTable.Looked) -> None:
        """The cursor went to another row."""
        message.stop()
        self.post_message(self.Shown(message.row))

    def on_data_table_header_selected(self, event: DataTable.HeaderSelected) -> None:
        """A click on a column's head: ascending (tokens descending), the other way round, file order."""
        column = event.column_index
        first = column == 3
        if self.sorting is None or self.sorting[0] != column:
            self.sorting = (column, first)
        else:
            self.sorting = (column, not first) if self.sorting[1] == first else None
        self.apply()
