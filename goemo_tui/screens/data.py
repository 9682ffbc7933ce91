"""Data: know the corpus before you train on it. Splits and labels left, comments right, one comment in full below.

This screen opens corpora (in threads), and says which part shows what. It computes nothing itself.
"""

from __future__ import annotations

import gc
from pathlib import Path
from typing import TYPE_CHECKING, Any

from textual import on, work
from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.message import Message
from textual.worker import get_current_worker

from goemo_tui import actions, safe_text
from goemo_tui.screens.place import Place
from goemo_tui.services import query
from goemo_tui.widgets.bar_list import BarList, Entry
from goemo_tui.widgets.comment_browser import CommentBrowser
from goemo_tui.widgets.comment_detail import CommentDetail
from trainer.errors import GoemoError

if TYPE_CHECKING:
    from goemo_tui.services.corpus_loader import FoundTokenizer, Opened

SPLITS = ("train", "dev", "test")


class DataScreen(Place):
    """The first place."""

    PLACE = "data"
    HOME = "#table"
    CSS_PATH = "data.tcss"
    BINDINGS = actions.bindings("data")
    HORIZONTAL_BREAKPOINTS = [(0, "-tiny"), (76, "-narrow"), (100, "-normal"), (160, "-wide")]
    VERTICAL_BREAKPOINTS = [(0, "-flat"), (22, "-short"), (32, "-tall"), (50, "-taller")]

    class Loaded(Message):
        """A corpus is there, with its splits as columns."""

        def __init__(self, opened: Opened, path: str) -> None:
            super().__init__()
            self.opened = opened
            self.path = path

    class Failed(Message):
        """A corpus could not be opened."""

        def __init__(self, said: str, path: str) -> None:
            super().__init__()
            self.said = said
            self.path = path

    class Tokenizer(Message):
        """The tokenizer was looked for."""

        def __init__(self, found: FoundTokenizer) -> None:
            super().__init__()
            self.found = found

    class Counted(Message):
        """Rows before `until` of a split have their token counts."""

        def __init__(self, split: str, until: int) -> None:
            super().__init__()
            self.split = split
            self.until = until

    def __init__(self) -> None:
        super().__init__()
        self.opened: Opened | None = None
        self.tokenizer: Any = None
        self.token_note = "the tokenizer is being loaded …"
        self.label_order: list[int] = []
        self._of_split = ""

    def body(self) -> ComposeResult:
        """Splits and labels left; filter, table and detail right."""
        with Horizontal():
            with Vertical(id="left"):
                yield BarList(id="splits", classes="pane", about="The corpus's splits. Enter shows one.")
                yield BarList(
                    id="emotions", classes="pane", about="Labels and how often they occur. Enter filters by one."
                )
            with Vertical(id="right"):
                yield CommentBrowser(id="browse", classes="pane")
                yield CommentDetail(id="detail", classes="pane")

    def on_mount(self) -> None:
        """Paint first, then load."""
        super().on_mount()
        self.query_one("#splits").border_title = "splits"
        self.query_one("#emotions").border_title = "emotions"
        self.detail.show_nothing("")
        self.call_after_refresh(self.open, self.goemo.data)

    @property
    def browser(self) -> CommentBrowser:
        """Filter, table and figures."""
        return self.query_one(CommentBrowser)

    @property
    def detail(self) -> CommentDetail:
        """The pane of one comment."""
        return self.query_one(CommentDetail)

    # Opening

    def open(self, path: str) -> None:
        """Load another corpus in a thread; the present one stays until it is there."""
        self.browser.wait(Content.assemble("loading ", safe_text.content(path), " …"))
        self._load(path)

    @work(thread=True, exclusive=True, group="load")
    def _load(self, path: str) -> None:
        import goemo_tui.widgets.comment_table  # noqa: F401  # so that its import does not hold up the screen
        from goemo_tui.services.corpus_loader import open_corpus

        worker = get_current_worker()
        try:
            message: Message = self.Loaded(open_corpus(path, self.goemo.settings.encoder), path)
        except GoemoError as error:
            message = self.Failed(str(error), path)
        if not worker.is_cancelled:
            self.post_message(message)

    @on(Failed)
    def _failed(self, message: Failed) -> None:
        if self.browser.table is not None:
            self.notify(message.said, title="That corpus was not opened", severity="error", timeout=10)
            return
        self.browser.wait(
            Content.assemble(
                ("✗ ", "bold $error"),
                safe_text.content(message.said, newlines=True),
                ("\n\no opens another folder or file · d downloads the full corpus", "$quiet"),
            )
        )

    @on(Loaded)
    async def _loaded(self, message: Loaded) -> None:
        from goemo_tui.screens import problems

        self.opened = message.opened
        gc.freeze()  # 54,000 rows are walked by no further collection: keystrokes stay even
        corpus = message.opened.corpus
        self.goemo.data = message.path
        if message.path not in ("sample", "goemotions"):
            path = str(Path(message.path).expanduser().absolute())
            self.goemo.remember(self.goemo.remembered.opened(path))
        self._of_split = ""
        refused, summary = problems.refusals(corpus), problems.summary(corpus)
        await self.browser.open(message.opened.splits, self.goemo.settings.max_length, refused)
        state = [safe_text.cells(corpus.name, 30), *(["refused for training"] if refused else []), summary]
        self.browser.border_subtitle = Content(" · ".join(part for part in state if part))
        if refused or summary:
            self.notify(
                "\n".join([*refused.values(), *([summary] if summary else [])]),
                title=corpus.name,
                severity="error" if refused else "warning",
                timeout=10 if refused else None,
            )
        self._draw_splits("")
        if not message.opened.splits:
            emotions = self.query_one("#emotions", BarList)
            emotions.show(())
            emotions.border_title = "emotions"
            self.detail.show_nothing("")
            return
        self.browser.take_split(next(iter(message.opened.splits)))
        if self.focused is None:
            self.go_home()
        self._count()

    # Token counts

    @work(thread=True, exclusive=True, group="tokens")
    def _count(self) -> None:
        from goemo_tui.services.corpus_loader import count_all, find_tokenizer

        worker = get_current_worker()
        opened, tokenizer = self.opened, self.tokenizer
        if tokenizer is None:
            found = find_tokenizer(self.goemo.settings.encoder)
            if worker.is_cancelled:
                return
            self.post_message(self.Tokenizer(found))
            tokenizer = found.tokenizer
        if opened is not None and tokenizer is not None:
            count_all(opened.splits, tokenizer, lambda: worker.is_cancelled, self._tell_counted)

    def _tell_counted(self, split: str, until: int) -> None:
        self.post_message(self.Counted(split, until))

    @on(Tokenizer)
    def _tokenizer(self, message: Tokenizer) -> None:
        self.tokenizer = message.found.tokenizer
        self.token_note = message.found.note
        table = self.browser.table
        if table is not None:
            self._show_detail(table.looked_at)

    @on(Counted)
    def _counted(self, message: Counted) -> None:
        self.browser.counted(message.split, message.until)

    # What the parts tell each other

    @on(CommentBrowser.Shown)
    def _shown(self, message: CommentBrowser.Shown) -> None:
        if self._of_split != self.browser.split and self.browser.columns is not None:
            self._of_split = self.browser.split
            counts = self.browser.columns.label_counts()
            self.label_order = sorted(range(len(counts)), key=lambda i: (-int(counts[i]), i))
            self._draw_splits(self._of_split)
        self._draw_emotions()
        self._show_detail(message.looked_at)

    def _draw_splits(self, here: str) -> None:
        assert self.opened is not None
        numbers = {name: len(split) for name, split in self.opened.corpus.splits.items()}
        self.query_one("#splits", BarList).show(
            tuple(Entry(n, numbers.get(n), "▸" if n == here else " ") for n in SPLITS)
        )

    @on(BarList.Picked, "#splits")
    def _split_picked(self, message: BarList.Picked) -> None:
        name = SPLITS[message.index]
        if self.opened is not None and name in self.opened.splits:
            self.browser.take_split(name)
        else:
            self.notify(f"this corpus has no {name} split", timeout=3)

    def _draw_emotions(self) -> None:
        """Counts among the shown rows; ✓ stands before a label of the filter, ✗ before one that is shut out."""
        columns, rows = self.browser.columns, self.browser.rows
        if columns is None or rows is None:
            return
        counts = columns.label_counts(rows)
        signs: dict[int, str] = {}
        try:
            for term in query.parse(self.browser.filter_text, columns.labels):
                if term.kind == "label":
                    signs.update(dict.fromkeys(term.labels, "✗" if term.negated else "✓"))
        except query.QueryError:
            signs = {}
        most = max(1, int(counts.max(initial=0)))
        emotions = self.query_one("#emotions", BarList)
        emotions.show(
            tuple(
                Entry(columns.labels.names[i], int(counts[i]), signs.get(i, " "), int(counts[i]) / most)
                for i in self.label_order
            )
        )
        kind = "emotions" if columns.labels.official else "labels"
        emotions.border_title = kind if len(rows) == len(columns) else f"{kind} in {len(rows):,}"

    @on(BarList.Picked, "#emotions")
    def _emotion_picked(self, message: BarList.Picked) -> None:
        columns = self.browser.columns
        if columns is not None and message.index < len(self.label_order):
            name = columns.labels.names[self.label_order[message.index]]
            self.browser.filter_text = query.toggle_label(self.browser.filter_text, name)

    def on_data_table_row_selected(self) -> None:
        """Enter on a row: to the detail, which can be scrolled."""
        self.detail.display = True
        self.set_focus(self.detail)

    def _show_detail(self, row: int | None) -> None:
        columns = self.browser.columns
        if columns is None or not self.detail.display:
            return
        if row is None:
            self.detail.show_nothing("No comment fits this filter. x clears it.")
            return
        view = None
        if self.tokenizer is not None:
            from trainer.corpus.tokens import token_view

            text = columns.split.text[row][: safe_text.LIMIT]
            view = token_view(text, self.tokenizer, self.goemo.settings.max_length)
        self.detail.show(columns, row, view, self.token_note)

    # Keys

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """The filter line needs no key to itself."""
        if action == "filter" and self.focused is not None and self.focused.id == "filter":
            return False
        return super().check_action(action, parameters)

    def action_filter(self) -> None:
        """To the filter line."""
        if self.browser.view != "table":
            self.browser.show_view("table")
        self.set_focus(self.query_one("#filter"))

    def action_clear_filter(self) -> None:
        """Every row again, in file order."""
        self.browser.clear()

    def action_next_split(self) -> None:
        """The next split that has rows."""
        if self.opened is not None and self.opened.splits:
            names = list(self.opened.splits)
            self.browser.take_split(names[(names.index(self.browser.split) + 1) % len(names)])

    def action_next_view(self) -> None:
        """The next view; it takes the focus, so that the arrow keys scroll it."""
        self.browser.next_view()
        if self.browser.view == "table":
            self.go_home()
        else:
            self.set_focus(self.query_one("#figures"))

    def action_sort(self) -> None:
        """The next order."""
        self.browser.next_sort()

    def action_toggle_detail(self) -> None:
        """Show or hide the detail pane."""
        if self.detail.has_focus:
            self.go_home()
        self.detail.display = not self.detail.display
        table = self.browser.table
        if table is not None:
            self._show_detail(table.looked_at)

    def action_problems(self) -> None:
        """What was skipped, and why."""
        from goemo_tui.screens.problems import Problems

        if self.opened is not None:
            self.app.push_screen(Problems(self.opened.corpus))

    def action_open(self) -> None:
        """Ask for another corpus."""
        from goemo_tui.screens.open_corpus import OpenCorpus

        self.app.push_screen(OpenCorpus(self.goemo.remembered.recent), self._open_answer)

    def action_download(self) -> None:
        """Fetch the full corpus, then open it."""
        from goemo_tui.screens.download import Download

        self.app.push_screen(Download(), self._open_answer)

    def _open_answer(self, answer: str | None) -> None:
        if answer is not None:
            self.open(answer)
