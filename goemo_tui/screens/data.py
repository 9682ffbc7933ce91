"""Data: know the corpus before you train on it. Splits and labels left, comments right, one comment in full below.

This screen says which part shows what, and remembers what was chosen. It computes nothing itself.
"""

from __future__ import annotations

import gc

from textual import on
from textual.app import ComposeResult
from textual.containers import Horizontal
from textual.content import Content

from goemo_tui import actions, safe_text
from goemo_tui.screens.corpus_place import CorpusPlace
from goemo_tui.screens.data_keys import DataKeys
from goemo_tui.services import data_state, query_edit
from goemo_tui.settings import Settings
from goemo_tui.widgets.comment_browser import CommentBrowser
from goemo_tui.widgets.comment_detail import CommentDetail
from goemo_tui.widgets.corpus_lists import CorpusLists
from goemo_tui.widgets.figures import Figures
from goemo_tui.widgets.stacked_panes import StackedPanes
from trainer.paths import expanded

NO_ROW = "No comment fits this filter. Esc, then x clears it."
NEXT_STEPS = "o opens another folder or file · d downloads the full corpus · r tries again"
TABLE_COLUMNS = 4
LOOKS = 3.0
"""Seconds between two looks at the corpus's files."""


class DataScreen(DataKeys):
    """The first place."""

    PLACE = "data"
    HOME = "#table"
    CSS_PATH = "data.tcss"
    BINDINGS = actions.bindings("data")
    HORIZONTAL_BREAKPOINTS = [(0, "-tiny"), (76, "-narrow"), (100, "-normal"), (160, "-wide")]
    VERTICAL_BREAKPOINTS = [(0, "-flat"), (22, "-short"), (32, "-tall"), (50, "-taller")]

    def __init__(self) -> None:
        super().__init__()
        self._fallback: str | None = None
        self._of_split = ""
        self.stale = ""
        """What became of the corpus's files since they were read."""
        self._looking = False

    def body(self) -> ComposeResult:
        """Splits and labels left; filter, table and detail right."""
        with Horizontal():
            yield CorpusLists(id="left")
            with StackedPanes(id="right", lower="#detail", lowest=data_state.LOWEST, least=8):
                yield CommentBrowser(id="browse", classes="pane")
                yield CommentDetail(id="detail", classes="pane")

    def on_mount(self) -> None:
        """Paint first, then load."""
        super().on_mount()
        self.detail.show_nothing("The comment at the table's cursor is shown here in full.")
        self.state = data_state.read_back(self.goemo.remembered.of("data"), TABLE_COLUMNS)
        self.browser.field.history, self.browser.widths = self.state.history, self.state.widths
        self.place_detail(self.state.detail)
        self.panes.set_height(self.state.detail_height)
        self.watch(self.app, "settings", self._settings_changed, init=False)
        self.watch(self.app, "ready", self._app_ready)
        self.set_interval(LOOKS, self._look)

    def go_home(self) -> None:
        """To the table, or to the figure that stands in its place."""
        if self.browser.view != "table" and self.browser.table is not None:
            self.set_focus(self.browser.figures)
        else:
            super().go_home()

    # Opening

    def _app_ready(self, ready: bool) -> None:
        if ready:
            self.call_after_refresh(self._open_first)

    def _open_first(self) -> None:
        """What was asked for at the start, else the corpus of the last time, else the setting."""
        asked = self.goemo.data
        last = self.state.path if not self.goemo.data_given and asked == Settings().data else ""
        self._fallback = asked if last else None
        self.open(last or asked)

    def open(self, path: str) -> None:
        """Load another corpus; the present one stays until it is there."""
        self.asked = path
        self.browser.loading_of(path)
        self.load(path)

    @on(CorpusPlace.Failed)
    def _failed(self, message: CorpusPlace.Failed) -> None:
        fallback, self._fallback = self._fallback, None
        if fallback is not None:
            self.notify(message.said, title="The corpus of the last time was not opened", severity="warning", timeout=8)
            self.open(fallback)
            return
        self._title_corpus()
        if self.browser.table is not None:
            self._stay(message.said)
            return
        self.lists.show_nothing("no corpus is open")
        self.detail.show_nothing("No corpus is open. " + NEXT_STEPS)
        self.browser.wait(
            Content.assemble(
                ("✗ ", "bold $error"),
                safe_text.content(message.said, newlines=True),
                (f"\n\n{NEXT_STEPS}", "$quiet"),
            )
        )

    def _stay(self, said: str) -> None:
        """What is open stays open, and is what a reload reads again."""
        self.asked = self.goemo.data
        self._title_corpus()
        self.notify(safe_text.clean(said), title="That corpus was not opened", severity="error", timeout=12)

    @on(CorpusPlace.Loaded)
    async def _loaded(self, message: CorpusPlace.Loaded) -> None:
        from goemo_tui.screens import problems

        useless = problems.whole_refusal(message.opened.corpus)
        if useless and self.browser.table is not None and message.path != self.goemo.data:
            self._stay(useless)
            return
        self.opened, self._fallback, self.stale = message.opened, None, ""
        gc.freeze()  # 54,000 rows are walked by no further collection: keystrokes stay even
        corpus, path = message.opened.corpus, message.path
        self.goemo.data = path
        if path not in ("sample", "goemotions"):
            path = str(expanded(path).absolute())
            if message.opened.splits:  # what holds no row is nothing to come back to
                self.goemo.remember(self.goemo.remembered.opened(path))
        if path != self.state.path:
            self.state = self.state.elsewhere(path)
        state, self.state = self.state, self.state.elsewhere(path)  # a corpus that is opened later begins anew
        self._of_split, self.browser.figures.data = "", path
        refused, summary = problems.refusals(corpus), problems.summary(corpus)
        await self.browser.open(message.opened.splits, self.goemo.settings.max_length, refused, state)
        self.place_detail(self.detail_wanted)
        self._title_corpus()
        if refused or summary:  # the reason stands in the pane itself, and would be covered by a longer one
            said = [", ".join(f"{name} refused for training" for name in refused), summary]
            self.notify(
                " · ".join(part for part in said if part),
                title=corpus.name,
                severity="error" if refused else "warning",
            )
        numbers = {name: len(split) for name, split in corpus.splits.items()}
        self.lists.show_splits(numbers, "")
        if not message.opened.splits:
            self.lists.show_no_labels("no row to count")
            self.detail.show_nothing("No row can be used. p lists every reason.")
            return
        wanted = state.split
        self.browser.take_split(wanted if wanted in message.opened.splits else next(iter(message.opened.splits)))
        line, self.line_wanted = self.line_wanted, None
        if line is not None:
            self.browser.go_to_line(line)
        if self.focused is None:
            self.go_home()
        self.count()

    def _title_corpus(self) -> None:
        """The open corpus below the table; nothing where none is open."""
        from goemo_tui.screens import problems

        if self.opened is None:
            self.browser.border_subtitle = ""
            return
        corpus = self.opened.corpus
        refused = "refused for training" if problems.refusals(corpus) else ""
        said = [safe_text.cells(corpus.name, 30), refused, problems.summary(corpus)]
        subtitle = Content(" · ".join(part for part in said if part))
        if self.stale:
            subtitle = Content.assemble((safe_text.clean(f"{self.stale} (r)"), "$warning"), " · ", subtitle)
        self.browser.border_subtitle = subtitle

    @on(CorpusPlace.Stale)
    def _looked(self, message: CorpusPlace.Stale) -> None:
        """Said once in a toast, and below the table for as long as it is so."""
        self._looking = False
        if message.opened is not self.opened or message.what == self.stale:
            return
        self.stale = message.what
        self._title_corpus()
        if self.stale:
            said = f"{self.stale} on disk. What is shown is what was read; r reads it again."
            self.notify(safe_text.clean(said), title="Data", severity="warning", timeout=6)

    def _look(self) -> None:
        if self.is_current and self.opened is not None and not self._looking:
            self._looking = True  # one look at a time: a disk may hang
            self.look_at_files()

    def on_screen_resume(self) -> None:
        """Back from another place or a dialog: files may have changed meanwhile."""
        self._look()

    @on(CorpusPlace.Tokenizer)
    def _tokenizer(self, message: CorpusPlace.Tokenizer) -> None:
        self.tokenizer = message.found.tokenizer
        self.token_note = message.found.note
        self.show_detail()

    @on(CorpusPlace.Counted)
    def _counted(self, message: CorpusPlace.Counted) -> None:
        self.browser.counted(message.split, message.until)

    # What the parts tell each other

    @on(CommentBrowser.Shown)
    def _shown(self) -> None:
        browser = self.browser
        columns, rows = browser.columns, browser.rows
        if columns is None or rows is None or self.opened is None:
            return
        if self._of_split != browser.split:
            self._of_split = browser.split
            numbers = {name: len(split) for name, split in self.opened.corpus.splits.items()}
            self.lists.show_splits(numbers, browser.split)
        self.lists.show_labels(columns, rows, browser.filter_text)
        self.show_detail()
        self.keep()

    @on(CommentBrowser.Chose)
    def _chose(self) -> None:
        self.place_detail(self.detail_wanted)
        self.refresh_bindings()
        self.keep()

    @on(StackedPanes.Resized)
    def keep(self) -> None:
        """Remember what is shown and how, for the next start."""
        browser = self.browser
        if browser.columns is None:
            return
        self.goemo.keep(
            "data",
            path=self.state.path,
            split=browser.split,
            filter=browser.filter_text,
            sorting=None if browser.sorting is None else list(browser.sorting),
            view=browser.view,
            detail=self.detail_wanted,
            detail_height=self.panes.wanted,
            widths=list(browser.widths),
            history=list(browser.field.history),
            export=self.state.export,
        )

    @on(CorpusLists.SplitWanted)
    def _split_wanted(self, message: CorpusLists.SplitWanted) -> None:
        if self.opened is not None and message.split in self.opened.splits:
            self.browser.take_split(message.split)
        else:
            self.notify(f"this corpus has no {message.split} split", timeout=3)

    @on(CorpusLists.LabelWanted)
    @on(CommentDetail.LabelPicked)
    def _label_wanted(self, message: CorpusLists.LabelWanted | CommentDetail.LabelPicked) -> None:
        columns = self.browser.columns
        if columns is not None:
            self.browser.choose(query_edit.toggle_label(self.browser.filter_text, message.name, columns.labels))

    @on(Figures.Chosen)
    def _figure_chosen(self, message: Figures.Chosen) -> None:
        """The rows behind a bar or a cell."""
        if message.split in self.browser.splits and message.split != self.browser.split:
            self.browser.take_split(message.split)
        self.browser.show_view("table")
        self.browser.choose(message.filter_text)
        self.go_home()

    @on(CommentDetail.Wanted)
    def _row_wanted(self, message: CommentDetail.Wanted) -> None:
        """A similar row was chosen."""
        self.browser.look_at(message.row)

    def on_data_table_row_selected(self) -> None:
        """Enter on a row: to the detail, which can be scrolled."""
        self.place_detail(True)
        self.set_focus(self.detail)

    def show_detail(self) -> None:
        """The row at the cursor, as a model will see it."""
        columns, table = self.browser.columns, self.browser.table
        if columns is None or table is None or not self.detail.display:
            return
        row = table.looked_at
        if row is None:
            self.detail.show_nothing(NO_ROW)
            return
        view = None
        if self.tokenizer is not None:
            from trainer.corpus.tokens import token_view

            text = columns.split.text[row][: safe_text.LIMIT]
            view = token_view(text, self.tokenizer, self.goemo.settings.max_length)
        self.detail.show(columns, row, view, self.token_note)

    def _settings_changed(self) -> None:
        """Another language or length: what is shown says so at once."""
        self.browser.max_length = self.goemo.settings.max_length
        self.browser.redraw()
