"""Asks which corpus to open: a known one, a recent one, or any folder or file, typed or found in the list.

Folders are read and answers are checked in threads: neither a slow disk nor 10,000 entries hold up the screen.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding
from textual.content import Content
from textual.suggester import Suggester
from textual.widgets import Input, Static

from goemo_tui import safe_text, wording
from goemo_tui.screens.dialog import Dialog
from goemo_tui.services.beside import Done, beside
from goemo_tui.services.folders import NAMED, Listing, complaint_about, completion, meant, real, scan
from goemo_tui.widgets.field import Field
from goemo_tui.widgets.lines import Row
from goemo_tui.widgets.long_list import LongList
from trainer.corpus.read import EXTENSIONS
from trainer.paths import expanded

__all__ = ["OpenCorpus", "PathSuggester", "complaint_about"]


class PathSuggester(Suggester):
    """Completes the path that is being typed with the first folder or file that fits, from a thread."""

    def __init__(self, screen: OpenCorpus) -> None:
        super().__init__(use_cache=False, case_sensitive=True)
        self._screen = screen

    async def get_suggestion(self, value: str) -> str | None:
        """The whole path, or nothing."""
        return await asyncio.to_thread(completion, value, self._screen.base)


@dataclass(frozen=True)
class Choice:
    """One row of the list. `answer` is what `load_corpus` takes; folders to go into have none."""

    kind: Literal["known", "recent", "here", "up", "folder", "file"]
    name: str
    answer: str = ""
    said: str = ""


class OpenCorpus(Dialog[str | None]):
    """Answers with what `load_corpus` takes, or None."""

    HEADING = "Open a corpus"
    FOOT = "Enter opens · ← up · . hidden · → completes · Esc closes"
    BINDINGS = [
        Binding("left,h,backspace", "up", "The folder above"),
        Binding("right,l", "enter", "Into the folder"),
        Binding("full_stop", "hidden", "Hidden ones too"),
        Binding("slash", "path", "To the path"),
    ]
    DEFAULT_CSS = """
    OpenCorpus > #box { height: 90%; }
    OpenCorpus #path, OpenCorpus #path:focus { background: $panel; }
    OpenCorpus #complaint { color: $error; height: auto; max-height: 2; min-height: 1; }
    OpenCorpus LongList { height: 1fr; }
    """

    def __init__(self, recent: tuple[str, ...], folder: str = "") -> None:
        super().__init__()
        self.recent = recent
        self.folder = self.base = Path.cwd()
        self._wanted_folder = folder
        self._asked = 0
        self.listing: Listing | None = None
        self.choices: list[Choice] = []
        self._known: list[Choice] = [Choice("known", name, name) for name in NAMED[:1]]
        self._gone: set[str] = set()
        self._hidden = False
        self._begun = ""

    def body(self) -> ComposeResult:
        """Field, complaint, choices."""
        field = Field(
            id="path",
            placeholder="folder with train.tsv, or a .tsv .csv .jsonl .parquet file",
            about="The path of a folder or file. ~ is your home; → completes, ↓ goes to the list, Enter opens.",
        )
        field.suggester = PathSuggester(self)
        yield Static(Content("Path"), classes="quiet")
        yield field
        yield Static(Content(""), id="complaint")
        yield LongList(
            id="choices",
            about="Known corpora, recent ones, and what the folder holds. Enter opens a corpus or goes into a folder, "
            "← goes up, . shows hidden ones, / goes back to the path.",
        )

    def on_mount(self) -> None:
        """Recent ones at once, known ones and the folder as soon as they are read."""
        from goemo_tui.app import GoemoApp

        self.query_one("#path", Field).select_on_focus = False
        if not self._wanted_folder and isinstance(self.app, GoemoApp):
            self._wanted_folder = self.app.settings.folder
        beside("corpora", lambda: (_known(), _gone(self.recent)), self.post_message)
        self._go_to(Path(self._wanted_folder or "."))
        self.set_focus(self.query_one("#path"))

    # The list

    def _go_to(self, folder: Path, typed: bool = False) -> None:
        """Read a folder in a thread and show it. One that is being typed need not be there: then nothing changes."""
        hidden, base = self._hidden, self.base
        self._asked += 1
        ticket = self._asked

        def work() -> tuple[int, bool, Listing | None]:
            where = real(base / expanded(str(folder)))
            return ticket, typed, scan(where, hidden) if not typed or where.is_dir() else None

        beside("folder", work, self.post_message)

    def on_done(self, message: Done) -> None:
        """A folder was read, the known corpora were counted, or an answer was checked."""
        value = message.value
        if message.name == "corpora" and isinstance(value, tuple):
            self._known, self._gone = value
            self._show(keep=True)
        elif message.name == "folder" and isinstance(value, tuple):
            self._read(*value)
        elif message.name == "answer" and isinstance(value, tuple):
            answer, complaint = value
            if complaint:
                self._complain(complaint)
            elif self.is_current:
                self.dismiss(answer)

    def _read(self, ticket: int, typed: bool, listing: Listing | None) -> None:
        """A folder was read; what was asked for before the last question is of no use."""
        if ticket != self._asked:
            return
        if listing is not None:
            moved = self.listing is not None and listing.folder != self.folder
            came_from = self.folder.name if moved and listing.folder == self.folder.parent else ""
            self.listing, self.folder = listing, listing.folder
            if not typed:
                self.base = self.folder
            self._show(keep=not moved and not typed, to="" if typed else came_from, home=moved and not typed)
        elif typed:
            self._show()

    def _show(self, keep: bool = False, to: str = "", home: bool = False) -> None:
        """Draw the list. The cursor stays at its place, or goes to the child `to`, or to the folder's own row."""
        shown = self.query_one("#choices", LongList)
        before = shown.cursor
        self.choices = self._choices()
        here = next((i for i, choice in enumerate(self.choices) if choice.kind == "here"), 0)
        cursor = before if keep else here if home else 0
        if to:
            cursor = next((i for i, c in enumerate(self.choices) if c.kind == "folder" and c.name == to), here)
        shown.show(len(self.choices), self._row, cursor)

    def _choices(self) -> list[Choice]:
        begun = self._begun.lower()
        path = "/" in self.query_one("#path", Field).value
        found = [choice for choice in self._known if not path and choice.name.startswith(begun)]
        names = {choice.answer for choice in self._known}
        for recent in self.recent:
            if recent not in names and not begun and not path:
                said = "not there any more" if recent in self._gone else "recent"
                found.append(Choice("recent", recent, recent, said))
        if self.listing is None:
            return found
        if not begun:
            found.append(Choice("here", str(self.folder), str(self.folder), self._said_here(self.listing)))
            if self.folder.parent != self.folder:
                found.append(Choice("up", "..", said="the folder above"))
        for child in self.listing.children:
            if child.name.lower().startswith(begun):
                size = "" if child.folder else wording.size(child.size)
                answer = "" if child.folder else str(self.folder / child.name)
                found.append(Choice("folder" if child.folder else "file", child.name, answer, size))
        return found

    @staticmethod
    def _said_here(listing: Listing) -> str:
        if listing.error:
            return f"✗ {listing.error}"
        files = listing.files
        if files:
            more = f" and {len(files) - 3:,} more" if len(files) > 3 else ""
            return f"open this folder: {', '.join(files[:3])}{more}"
        others = f" ({listing.others:,} other files)" if listing.others else ""
        return f"no {', '.join(EXTENSIONS)} file here{others}"

    def _row(self, index: int) -> Row:
        choice = self.choices[index]
        width = max(20, self.query_one("#choices").size.width - 4)
        if choice.kind == "here":
            room = min(len(choice.name), width * 2 // 5)
            name = choice.name if len(choice.name) <= room else "…" + choice.name[-(room - 1) :]
            return ((f"── {safe_text.clean(name)} ── ", "accent"), (safe_text.clean(choice.said), "quiet"))
        said = safe_text.clean(choice.said)
        room = max(8, width - len(said) - 4)
        name = choice.name + ("/" if choice.kind == "folder" else "")
        if choice.kind == "recent" and len(name) > room:
            name = "…" + name[-(room - 1) :]
        indent = "  " if choice.kind in ("up", "folder", "file") else ""
        style = "strong" if choice.kind in ("known", "file") else ""
        return ((indent, ""), (safe_text.cells(name, room), style), (f"  {said}", "quiet"))

    # Keys

    def action_up(self) -> None:
        """To the folder above."""
        self._forget_typed()
        self._go_to(self.folder.parent)

    def action_enter(self) -> None:
        """Into the folder under the cursor."""
        choice = self._under_cursor()
        if choice is not None and choice.kind == "folder":
            self._into(choice.name)

    def _into(self, name: str) -> None:
        self._forget_typed()
        self._go_to(self.folder / name)

    def _forget_typed(self) -> None:
        """The list is about a folder again, not about what was typed."""
        self._begun = ""
        with self.prevent(Input.Changed):
            self.query_one("#path", Field).value = ""

    def action_hidden(self) -> None:
        """Hidden files and folders too, or not."""
        self._hidden = not self._hidden
        self._go_to(self.folder)

    @on(LongList.Above)
    def action_path(self) -> None:
        """To the path."""
        self.set_focus(self.query_one("#path"))

    def _under_cursor(self) -> Choice | None:
        at = self.query_one("#choices", LongList).cursor
        return self.choices[at] if at < len(self.choices) else None

    @on(LongList.Chosen)
    def _chosen(self) -> None:
        choice = self._under_cursor()
        if choice is None:
            return
        self._complain("")
        if choice.kind == "up":
            self.action_up()
        elif choice.kind == "folder":
            self._into(choice.name)
        else:
            self._check(choice.answer)

    # The path

    @on(Input.Changed, "#path")
    def _typed(self, event: Input.Changed) -> None:
        self._complain("")
        head, slash, begun = event.value.rpartition("/")
        if slash and "\0" not in head:
            self._begun = begun
            self._go_to(Path(f"{head}/"), typed=True)
        else:
            self._begun = event.value
            if self.folder != self.base:
                self._go_to(self.base, typed=True)
            else:
                self._show()

    @on(Input.Submitted, "#path")
    def _submitted(self, event: Input.Submitted) -> None:
        self._check(event.value, typed=True)

    @on(Field.Onward, "#path")
    def _to_list(self) -> None:
        self.set_focus(self.query_one("#choices"))

    def _check(self, answer: str, typed: bool = False) -> None:
        """Find out in a thread whether `answer` can be opened."""
        base = self.base

        def work() -> tuple[str, str]:
            wanted = meant(answer, base) if typed else answer
            return wanted, complaint_about(wanted)

        beside("answer", work, self.post_message)

    def _complain(self, what: str) -> None:
        self.query_one("#complaint", Static).update(safe_text.content(f"✗ {what}" if what else ""))


def _known() -> list[Choice]:
    """The corpora that have a name; the full one also where it is not downloaded yet."""
    from trainer.corpus import list_corpora

    found = [
        Choice(
            "known",
            corpus.name,
            corpus.name,
            " · ".join(f"{split} {n:,}" for split, n in corpus.splits.items()) or "cannot be read",
        )
        for corpus in list_corpora()
    ]
    if all(choice.name != "goemotions" for choice in found):
        found.append(Choice("known", "goemotions", "goemotions", "not downloaded yet: Esc, then d fetches it"))
    return found


def _gone(recent: tuple[str, ...]) -> set[str]:
    """Recent ones that are not there any more."""
    gone = set()
    for path in recent:
        try:
            if path not in NAMED and not Path(path).exists():
                gone.add(path)
        except OSError:
            gone.add(path)
    return gone
