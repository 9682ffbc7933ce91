"""The middle of the Data screen: filter line, table of comments, and the figures that may stand in the table's place.

The filter line is the only truth about which rows are shown; whoever wants other rows writes into it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual import on
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.content import Content
from textual.message import Message
from textual.widgets import ContentSwitcher, Static

from goemo_tui import safe_text
from goemo_tui.services.data_state import DataState
from goemo_tui.services.row_finder import Looking, RowFinder, RowsFound
from goemo_tui.services.sorting import Sorting, clicked, next_order, turned
from goemo_tui.widgets.figures import Figures
from goemo_tui.widgets.filter_field import FilterField
from goemo_tui.widgets.filter_line import FilterLine

if TYPE_CHECKING:
    from textual_fastdatatable import DataTable

    from goemo_tui.services.column_widths import Widths
    from goemo_tui.services.corpus import Answer, Rows, SplitColumns
    from goemo_tui.widgets.comment_table import CommentTable

VIEWS: tuple[tuple[str, str], ...] = (
    ("table", "table"),
    ("counts", "counts"),
    ("together", "which go together"),
    ("lengths", "lengths"),
    ("duplicates", "duplicates"),
    ("suspects", "suspect labels"),
)
"""Name and title, in the order in which `v` goes through them."""


class CommentBrowser(Vertical):
    """Shows one split at a time. Posts `Shown` when other rows are shown, `Chose` when what is kept between starts changed."""

    DEFAULT_CSS = """
    CommentBrowser {
        & #refusal { height: auto; max-height: 5; color: $error; display: none; }
        & #views { height: 1fr; }
        & #waiting { color: $quiet; padding: 1 1; }
        & #figures { height: 1fr; }
    }
    """

    class Shown(Message):
        """Other rows are shown, or another one is looked at (`looked_at` None: no row)."""

        def __init__(self, looked_at: int | None) -> None:
            super().__init__()
            self.looked_at = looked_at

    class Chose(Message):
        """A view, an order, a width or a filter was chosen."""

    def __init__(self, *, id: str, classes: str) -> None:
        super().__init__(id=id, classes=classes)
        self.splits: dict[str, SplitColumns] = {}
        self.refusals: dict[str, str] = {}
        self.split = ""
        self.rows: Rows | None = None
        self._finder = RowFinder(self.post_message)
        self.sorting: Sorting = None
        self.widths: Widths = (None, None, None)
        """As chosen: set before the first corpus is opened, and kept by the next ones."""
        self.view = "table"
        self.max_length = 64

    def on_unmount(self) -> None:
        """Nobody waits for rows any more."""
        self._finder.forget()

    def compose(self) -> ComposeResult:
        """Filter line, complaint, and the views."""
        yield FilterLine(id="filter-line")
        yield Static(Content(""), id="refusal")
        with ContentSwitcher(initial="waiting", id="views"):
            yield Static(Content(""), id="waiting")
            yield Figures(id="figures")

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
        found = self.query("#table")
        if not found:
            return None  # before the first corpus its import, and Arrow's, would hold up the first frame
        from goemo_tui.widgets.comment_table import CommentTable

        return found.first(CommentTable)

    @property
    def figures(self) -> Figures:
        """The figures."""
        return self.query_one(Figures)

    @property
    def line(self) -> FilterLine:
        """The filter line."""
        return self.query_one(FilterLine)

    @property
    def field(self) -> FilterField:
        """The field in it."""
        return self.line.field

    @property
    def filter_text(self) -> str:
        """What stands in the filter line."""
        return self.line.text

    @filter_text.setter
    def filter_text(self, text: str) -> None:
        self.line.text = text

    def choose(self, filter_text: str) -> None:
        """A filter that was chosen and not typed: nobody is in the middle of it, so that it is in the history at once."""
        self.filter_text = filter_text
        self.call_after_refresh(self.line.keep)

    def wait(self, said: Content) -> None:
        """Say what is going on while there is no table."""
        self.query_one("#waiting", Static).update(said)

    def loading_of(self, path: str) -> None:
        """Say that another corpus is on its way, also where the present one stays in sight."""
        said = Content.assemble("loading ", safe_text.content(safe_text.cells(path, 60)), " …")
        self.border_subtitle = said if self.table is not None else ""
        self.wait(said)

    async def open(
        self, splits: dict[str, SplitColumns], max_length: int, refusals: dict[str, str], state: DataState
    ) -> None:
        """Take another corpus; `take_split` shows it. `refusals`: a sentence for each split that is refused.

        Filter, order, view and widths are those of `state`. Without any split that has rows there is no table, and the
        sentences stand in its place.
        """
        from goemo_tui.widgets.comment_table import CommentTable

        self.splits, self.max_length, self.refusals, self.rows = splits, max_length, refusals, None
        self._finder.forget()
        self.sorting = state.sorting
        self.view = state.view if splits and state.view in dict(VIEWS) else "table"
        self.line.put(state.filter)
        self.line.complain("")
        self.query_one("#refusal", Static).display = False
        views, table = self.query_one("#views", ContentSwitcher), self.table
        if splits:
            if table is None:
                table = CommentTable(id="table")
                await views.mount(table)
                table.display = self.view == "table"  # the switcher knows only what it switches between
            table.widen(self.widths)
            views.current = "table" if self.view == "table" else "figures"
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
        """Show a split under the present filter; of another than train the table, as only train has suspects."""
        self.split = name
        if self.view == "suspects" and name != "train" and "train" in self.splits:
            self.show_view("table")
        why = self.refusals.get(name) or next(iter(self.refusals.values()), "")
        refusal = self.query_one("#refusal", Static)
        refusal.display = bool(why)
        if why:
            refusal.update(safe_text.content(f"✗ {why}"))
        self.apply()
        self._draw_figures()

    def apply(self, keep: bool = False) -> None:
        """Show what the filter line says. Where it cannot be used every row is shown, and the reason stands below it.

        Of many rows a thread finds them; the title says how far it is.
        """
        from goemo_tui.services.corpus import MANY, answer

        columns, table = self.columns, self.table
        if columns is None or table is None:
            return
        if len(columns) < MANY or (not self.filter_text.strip() and self.sorting is None):
            self._finder.forget()
            self._show(columns, answer(columns, self.filter_text, self.sorting), keep)
            return
        if table.shown.columns_of_split is not columns:
            self._show(columns, answer(columns, "", None), keep)
        self._progress(self._finder.ask(columns, self.filter_text, self.sorting, keep))

    @property
    def looking(self) -> bool:
        """Whether the rows that are shown are not yet those of the filter line and the order."""
        return self._finder.asked is not None

    @on(Looking)
    def _looks(self, message: Looking) -> None:
        message.stop()
        if self._finder.is_wanted(message.asked):
            self._progress(message.said)

    @on(RowsFound)
    def _rows_found(self, message: RowsFound) -> None:
        message.stop()
        asked = message.asked
        if not self._finder.is_wanted(asked):
            return  # something else was asked since
        self._finder.forget()
        if message.answer is not None:
            self._show(asked.columns, message.answer, asked.keep)
            if asked.line is not None:
                self.go_to_line(asked.line)
        elif message.error is not None:
            self.line.complain(str(message.error))
            self._progress("not found")

    def _progress(self, said: str) -> None:
        if self.view == "table":
            self._title(f"{said} …")

    def _show(self, columns: SplitColumns, answer: Answer, keep: bool) -> None:
        table = self.table
        if table is None:
            return
        self.line.complain(answer.found.error, answer.found.note)
        self.rows = answer.rows
        if self.view == "table":
            self._title(f"{len(answer.rows):,} of {len(columns):,}")
        table.show(columns, answer.rows, answer.found.words, self.sorting, keep)
        self.post_message(self.Shown(table.looked_at))

    def look_at(self, row: int) -> None:
        """Put the cursor on a row of the split; a filter that hides it goes."""
        from goemo_tui.services.corpus import MANY

        columns, table = self.columns, self.table
        if columns is None or table is None or not 0 <= row < len(columns):
            return
        self.show_view("table")
        if self.rows is None or self.looking or row not in self.rows:
            self.line.put("")
            if len(columns) >= MANY:
                self.sorting = None  # an order that takes seconds is not waited for
            self.apply()
        assert self.rows is not None
        table.go_to(int((self.rows == row).argmax()))

    def go_to_line(self, line: int) -> None:
        """Put the cursor on the row of a line of the file, if it is among those that are shown."""
        columns, table, rows = self.columns, self.table, self.rows
        if self._finder.asked is not None:
            self._finder.asked.line = line
        if columns is not None and table is not None and rows is not None:
            found = (columns.lines[rows] == line).nonzero()[0]
            if len(found):
                table.go_to(int(found[0]))

    def redraw(self) -> None:
        """The same rows again: labels are called otherwise, or another length cuts."""
        if self.view == "table":
            self.apply(keep=True)
        else:
            self._draw_figures()

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
        if self.table is None or (name == "table" == self.view):
            return
        self.view = name
        self.query_one("#views", ContentSwitcher).current = "table" if name == "table" else "figures"
        if name == "suspects" and self.split != "train" and "train" in self.splits:
            self.take_split("train")  # which is what the suspects are of
        elif name == "table":
            self.apply(keep=True)
        else:
            self._draw_figures()
        self.post_message(self.Chose())

    def next_view(self) -> None:
        """Table, counts, together, lengths, duplicates, suspects."""
        names = [name for name, _ in VIEWS]
        self.show_view(names[(names.index(self.view) + 1) % len(names)])

    def sort(self, sorting: Sorting) -> None:
        """Show the rows in another order."""
        self.sorting = sorting
        self.apply()
        self.post_message(self.Chose())

    def next_sort(self) -> None:
        """The next of the orders."""
        self.sort(next_order(self.sorting))

    def turn_order(self) -> None:
        """The present order the other way round."""
        self.sort(turned(self.sorting))

    def clear(self) -> None:
        """Every row, in file order."""
        self.sorting = None
        if self.filter_text:
            self.filter_text = ""
        else:
            self.apply()
        self.post_message(self.Chose())

    # What happens inside

    def _title(self, said: str) -> None:
        self.border_title = Content.assemble((self.split, "bold"), f" · {said}")

    def _draw_figures(self) -> None:
        """Draw the view that is not the table."""
        columns = self.columns
        if self.view == "table" or columns is None:
            return
        self.figures.show(self.view, columns, self.splits, self.max_length)
        if self.view == "suspects":
            aside = " of all rows, the filter aside" if self.filter_text.strip() else ""
            self.border_title = Content.assemble(("train", "bold"), f" · suspect labels{aside}")
        else:
            self._title(f"{dict(VIEWS)[self.view]} · all {len(columns):,} rows")

    @on(FilterLine.Typed)
    def _typed(self, message: FilterLine.Typed) -> None:
        message.stop()
        self.apply()

    @on(FilterLine.Left)
    def _left(self, message: FilterLine.Left) -> None:
        message.stop()
        self.line.keep()
        table = self.table
        if table is not None:
            self.show_view("table")
            self.screen.set_focus(table)

    @on(FilterLine.Kept)
    def _kept(self, message: FilterLine.Kept) -> None:
        message.stop()
        self.post_message(self.Chose())

    def on_comment_table_looked(self, message: CommentTable.Looked) -> None:
        """The cursor went to another row."""
        message.stop()
        self.post_message(self.Shown(message.row))

    def on_comment_table_widened(self, message: CommentTable.Widened) -> None:
        """Somebody dragged an edge."""
        message.stop()
        self.widths = message.widths
        self.post_message(self.Chose())

    def on_data_table_header_selected(self, event: DataTable.HeaderSelected) -> None:
        """A click on a column's head sorts by it."""
        self.sort(clicked(self.sorting, event.column_index))
