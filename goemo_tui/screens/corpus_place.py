"""A place that works on a corpus: opens one in a thread, then counts its tokens beside the screen.

What is there arrives as messages; what is done with it is the subclass's affair.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from textual import work
from textual.message import Message
from textual.worker import get_current_worker

from goemo_tui import crash
from goemo_tui.screens.place import Place
from trainer.errors import GoemoError

if TYPE_CHECKING:
    from goemo_tui.services.corpus_loader import FoundTokenizer, Opened


class CorpusPlace(Place):
    """Subclasses call `load`, `count` and `look_at_files`, and take the messages."""

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

    class Stale(Message):
        """The files of the open corpus were looked at: `what` became of them ("" where they are as they were read)."""

        def __init__(self, opened: Opened, what: str) -> None:
            super().__init__()
            self.opened = opened
            self.what = what

    def __init__(self) -> None:
        super().__init__()
        self.opened: Opened | None = None
        self.tokenizer: Any = None
        self.token_note = "the tokenizer is being loaded …"

    def load(self, path: str) -> None:
        """Open a corpus: `Loaded` or `Failed` follows."""
        self._load(path, self.goemo.settings.encoder)  # asked here: when its thread begins, the screen may be gone

    @work(thread=True, exclusive=True, group="load")
    def _load(self, path: str, encoder: str) -> None:
        import goemo_tui.widgets.comment_table  # noqa: F401  # so that its import does not hold up the screen
        from goemo_tui.services.corpus_loader import open_corpus

        worker = get_current_worker()
        try:
            message: Message = self.Loaded(open_corpus(path, encoder), path)
        except GoemoError as error:
            message = self.Failed(str(error), path)
        except Exception as error:  # the panes would say "loading …" for ever
            message = self.Failed(str(crash.for_people(error, "opening a corpus")), path)
        if not worker.is_cancelled:
            self.post_message(message)

    @work(thread=True, exclusive=True, group="files")
    def look_at_files(self) -> None:
        """Whether the files of `opened` are as they were read: `Stale` follows."""
        from goemo_tui.services.freshness import difference

        opened = self.opened
        if opened is not None:
            self.post_message(self.Stale(opened, difference(opened.corpus, opened.files)))

    def count(self) -> None:
        """Find the tokenizer, if it was not found yet, and count the tokens of `opened`."""
        self._count(self.goemo.settings.encoder)

    @work(thread=True, exclusive=True, group="tokens")
    def _count(self, encoder: str) -> None:
        from goemo_tui.services.corpus_loader import count_all, find_tokenizer

        worker = get_current_worker()
        opened, tokenizer = self.opened, self.tokenizer
        if tokenizer is None:
            found = find_tokenizer(encoder)
            if worker.is_cancelled:
                return
            self.post_message(self.Tokenizer(found))
            tokenizer = found.tokenizer
        if opened is not None and tokenizer is not None:
            count_all(opened.splits, tokenizer, lambda: worker.is_cancelled, self._tell_counted)

    def _tell_counted(self, split: str, until: int) -> None:
        self.post_message(self.Counted(split, until))
