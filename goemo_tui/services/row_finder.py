"""Finds and sorts the rows of a large split in a thread, so that the screen goes on meanwhile.

The thread is one that nobody waits for; what was asked before is left as soon as something else is asked.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from textual.message import Message

from goemo_tui.services.beside import Done, beside
from goemo_tui.services.sorting import Sorting
from trainer.corpus.interrupt import Cancelled
from trainer.errors import GoemoError

if TYPE_CHECKING:
    from goemo_tui.services.corpus import Answer, SplitColumns


@dataclass(eq=False)
class Asked:
    """What is looked for: the rows of a split by a filter line, in an order. `keep`: the cursor stays where it is;
    `line`: it goes to the row of this line once it is shown."""

    columns: SplitColumns
    text: str
    sorting: Sorting
    keep: bool
    line: int | None = None


class Looking(Message):
    """How far it is, in words."""

    def __init__(self, asked: Asked, said: str) -> None:
        super().__init__()
        self.asked, self.said = asked, said


class RowsFound(Message):
    """What was found for `asked`; None where it was left or, as `error` says, not possible."""

    def __init__(self, asked: Asked, answer: Answer | None, error: GoemoError | None) -> None:
        super().__init__()
        self.asked, self.answer, self.error = asked, answer, error


class RowFinder:
    """`asked` is what is being looked for, None where nothing is. `post` takes `Looking` and `RowsFound`, from a thread."""

    def __init__(self, post: Callable[[Message], object]) -> None:
        self.asked: Asked | None = None
        self._post = post

    def forget(self) -> None:
        """Nothing is waited for any more."""
        self.asked = None

    def ask(self, columns: SplitColumns, text: str, sorting: Sorting, keep: bool) -> str:
        """Look for these rows and for no others any more. Returns what is being done, in a word."""
        before = self.asked
        if before is not None and before.columns is columns:  # the cursor was to go to the top, and still is
            keep = keep and before.keep
        asked = self.asked = Asked(columns, text, sorting, keep)
        beside("rows", lambda: self._answer(asked), lambda message: self._tell(asked, message))
        return "looking" if text.strip() else "sorting"

    def is_wanted(self, asked: Asked) -> bool:
        """Whether nothing else was asked since."""
        return asked is self.asked

    def _tell(self, asked: Asked, message: Message) -> None:
        if isinstance(message, Done):
            found: Any = message.value
            self._post(RowsFound(asked, found, message.error))

    def _answer(self, asked: Asked) -> Answer | None:
        from goemo_tui.services.corpus import Watch, answer

        def done(parts: int, of: int) -> None:
            looks = parts < of or asked.sorting is None
            self._post(Looking(asked, f"looking {parts / of:.0%}" if looks else "sorting"))

        with suppress(Cancelled):
            watch = Watch(done, lambda: not self.is_wanted(asked))
            return answer(asked.columns, asked.text, asked.sorting, watch)
        return None
