"""What the keys of Data do: each action of the table of actions, in the words of the parts that do it."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from goemo_tui.safe_text import clean
from goemo_tui.screens.corpus_place import CorpusPlace
from goemo_tui.services.data_state import DataState
from goemo_tui.widgets.comment_browser import CommentBrowser
from goemo_tui.widgets.comment_detail import CommentDetail
from goemo_tui.widgets.corpus_lists import CorpusLists
from goemo_tui.widgets.stacked_panes import StackedPanes
from trainer.errors import GoemoError

if TYPE_CHECKING:
    from goemo_tui.services.export import Exported
    from trainer.corpus.decisions import Verdict


class DataKeys(CorpusPlace):
    """The screen's parts and its actions. `DataScreen` says how they hang together."""

    def __init__(self) -> None:
        super().__init__()
        self.state = DataState()
        self.asked = ""
        """What was opened, or tried to, last."""
        self.line_wanted: int | None = None
        """The line that the cursor is to stand on once the corpus is read again."""
        self.detail_wanted = True
        """Whether the detail pane stands beside the table; figures have its room in any case."""

    @property
    def FIRST_KEYS(self) -> tuple[str, ...]:
        """What can be done in the view that is shown, and nowhere else: the footer begins with it."""
        return {
            "counts": ("data.grouping",),
            "suspects": ("data.fine", "data.wrong", "data.model"),
        }.get(self.browser.view, ())

    @property
    def browser(self) -> CommentBrowser:
        """Filter, table and figures."""
        return self.query_one(CommentBrowser)

    @property
    def detail(self) -> CommentDetail:
        """The pane of one comment."""
        return self.query_one(CommentDetail)

    @property
    def lists(self) -> CorpusLists:
        """Splits and labels."""
        return self.query_one(CorpusLists)

    @property
    def panes(self) -> StackedPanes:
        """Browser and detail above each other."""
        return self.query_one(StackedPanes)

    def open(self, path: str) -> None:
        """Open another corpus."""
        raise NotImplementedError

    def show_detail(self) -> None:
        """Show the row at the cursor."""
        raise NotImplementedError

    def keep(self) -> None:
        """Remember what is shown and how."""
        raise NotImplementedError

    # Keys

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """The filter line needs no key to itself."""
        if action == "filter" and self.focused is not None and self.focused.id == "filter":
            return False
        if action == "heighten":
            return self.maximized is None
        return super().check_action(action, parameters)

    def action_filter(self) -> None:
        """To the filter line."""
        self.browser.show_view("table")
        self.set_focus(self.browser.field)

    def action_clear_filter(self) -> None:
        """Every row again, in file order."""
        self.browser.clear()

    def action_next_split(self) -> None:
        """The next split that has rows."""
        if self.opened is not None and self.opened.splits:
            names = list(self.opened.splits)
            self.browser.take_split(names[(names.index(self.browser.split) + 1) % len(names)])

    def action_next_view(self) -> None:
        """The next view; it takes the focus, so that the arrow keys move in it."""
        self.browser.next_view()
        if self.browser.view == "table":
            self.go_home()
        else:
            self.set_focus(self.browser.figures)

    def action_sort(self) -> None:
        """The next order."""
        self.browser.next_sort()

    def action_turn_order(self) -> None:
        """The present order the other way round."""
        self.browser.turn_order()

    def action_widen(self, cells: int) -> None:
        """A wider or narrower comment column."""
        if self.browser.table is not None:
            self.browser.table.give_comment(2 * cells)

    def place_detail(self, wanted: bool) -> None:
        """Show the detail pane, or not. What it says is about a row of the table, so that it stands only beside that."""
        self.detail_wanted = wanted
        self.detail.display = wanted and self.browser.view == "table"
        self.show_detail()

    def action_toggle_detail(self) -> None:
        """Show or hide the detail pane; from a figure back to the table with it."""
        if self.detail.has_focus:
            self.go_home()
        away = self.browser.view != "table"
        self.to_table()
        self.place_detail(away or not self.detail_wanted)
        self.keep()

    def to_table(self) -> None:
        """From a figure back to the table."""
        if self.browser.view != "table":
            self.browser.show_view("table")
            self.go_home()

    def action_heighten(self, lines: int) -> None:
        """A taller or lower detail pane."""
        self.panes.grow(lines)

    def action_similar(self) -> None:
        """Rows like the one at the cursor, or its tokens again."""
        if self.browser.table is None:
            return
        self.to_table()
        self.place_detail(True)
        self.detail.toggle_similar()

    def action_augment(self) -> None:
        """What augmentation makes of the row at the cursor, or its tokens again."""
        if self.browser.table is None:
            return
        self.to_table()
        self.place_detail(True)
        self.detail.toggle_made()

    def action_grouping(self) -> None:
        """Counts by another grouping."""
        if self.browser.view != "counts" and self.browser.table is not None:
            self.browser.show_view("counts")
            self.set_focus(self.browser.figures)
        else:
            self.browser.figures.next_grouping()

    def action_decide(self, verdict: Verdict) -> None:
        """What a person finds of the suspect row at the cursor; from elsewhere to the suspects."""
        browser = self.browser
        if browser.view != "suspects" and browser.table is not None:
            browser.show_view("suspects")
            self.set_focus(browser.figures)
            return
        try:
            browser.figures.decide(verdict)
        except GoemoError as error:
            self.notify(clean(str(error)), severity="error")

    def action_copy_row(self) -> None:
        """The comment at the cursor, as it stands in the file; where suspects are not known, the command that finds them."""
        figures = self.browser.figures
        if self.browser.view == "suspects":
            doubt, train = figures.suspect, self.browser.splits.get("train")
            if doubt is not None and train is not None:
                self.goemo.copy(train.split.text[doubt.row], f"Comment {train.lines[doubt.row]}")
            else:
                from trainer.corpus.suspects import command

                self.goemo.copy(command(figures.data), "The command")
            return
        columns, table = self.browser.columns, self.browser.table
        row = None if table is None else table.looked_at
        if columns is None or row is None:
            self.notify("There is no comment to copy.", timeout=3)
            return
        self.goemo.copy(columns.split.text[row], f"Comment {columns.lines[row]}")

    def action_export(self) -> None:
        """The rows that were found into a file."""
        columns, rows = self.browser.columns, self.browser.rows
        if self.opened is None or columns is None or rows is None or not len(rows):
            self.notify("There is no row to write.", timeout=3)
            return
        if self.browser.looking and self.browser.view != "suspects":
            self.notify("The rows are still being looked for: once they are shown they can be written.", timeout=5)
            return
        from goemo_tui.screens.export import ExportRows, proposed

        name, what = self.browser.split, "in the order shown"
        found, train = self.browser.figures.suspects, self.browser.splits.get("train")
        if self.browser.view == "suspects" and found is not None and train is not None:
            from goemo_tui.services.suspects import cleaned_columns
            from trainer.config import TrainConfig

            columns, rows = cleaned_columns(train, found, TrainConfig().suspect_share)
            name, what = "train-cleaned", f"train without {len(train) - len(rows):,} with doubtful labels"
        proposal = proposed(self.state.export, self.opened.corpus.name, name)
        self.app.push_screen(ExportRows(columns, rows, proposal, what), self.exported)

    def exported(self, done: Exported | None) -> None:
        """Say what was written, and remember where."""
        if done is None:
            return
        self.state = replace(self.state, export=str(done.path))
        self.keep()
        self.notify(
            "\n".join([f"{done.rows:,} rows, {done.size:,} bytes: {done.path}", *([done.note] if done.note else [])]),
            title="Written",
            severity="warning" if done.note else "information",
            timeout=10 if done.note else 5,
        )

    def action_problems(self) -> None:
        """What was skipped, and why."""
        from goemo_tui.screens.problems import Problems

        if self.opened is not None:
            self.app.push_screen(Problems(self.opened.corpus))

    def action_reload(self) -> None:
        """The same corpus read again: split, filter, order, view and row stay. Also where it could not be opened."""
        browser, table = self.browser, self.browser.table
        if browser.columns is not None:
            row = None if table is None else table.looked_at
            self.line_wanted = None if row is None else int(browser.columns.lines[row])
            self.state = replace(
                self.state,
                split=browser.split,
                filter=browser.filter_text,
                sorting=browser.sorting,
                view=browser.view,
            )
        if self.asked:
            self.open(self.asked)

    def action_open(self) -> None:
        """Ask for another corpus."""
        from goemo_tui.screens.open_corpus import OpenCorpus

        self.app.push_screen(OpenCorpus(self.goemo.remembered.recent), self.open_answer)

    def action_download(self) -> None:
        """Fetch the full corpus, then open it."""
        from goemo_tui.screens.download import Download

        self.app.push_screen(Download(), self.open_answer)

    def open_answer(self, answer: str | None) -> None:
        """Another corpus, unless the dialog was closed."""
        if answer is not None:
            self.open(answer)
