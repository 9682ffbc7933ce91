"""Asks for the path of a file; what is wrong with it is said beside it, before anything is read or written."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from textual import on
from textual.app import ComposeResult
from textual.content import Content
from textual.suggester import Suggester
from textual.widgets import Input, Static

from goemo_tui.safe_text import content
from goemo_tui.screens.dialog import Dialog
from goemo_tui.widgets.field import Field
from trainer.paths import expanded


class _Completes(Suggester):
    """The first folder or file that fits to what is typed; the disk is read beside the screen."""

    def __init__(self) -> None:
        super().__init__(use_cache=False, case_sensitive=True)

    async def get_suggestion(self, value: str) -> str | None:
        """The whole path, or nothing."""
        return await asyncio.to_thread(_completion, value)


def _completion(value: str) -> str | None:
    head, slash, begun = value.rpartition("/")
    if not slash or "\0" in value:
        return None
    try:
        names = sorted(
            child.name + ("/" if child.is_dir() else "")
            for child in expanded(head or "/").iterdir()
            if child.name.startswith(begun) and (begun or not child.name.startswith("."))
        )
    except OSError:
        return None
    return f"{head}/{names[0]}" if names and names[0].isprintable() else None


def _nothing(answer: str) -> str:
    return ""


class AskPath(Dialog[str | None]):
    """`complaint` says why a path cannot be taken (empty: it can); `doubt` what a second Enter would do all the same."""

    FOOT = "Enter takes it · → completes the path · Esc closes"
    DEFAULT_CSS = """
    AskPath Field, AskPath Field:focus { background: $panel; }
    AskPath #complaint { color: $error; height: auto; min-height: 1; }
    """

    def __init__(
        self,
        heading: str,
        about: str,
        complaint: Callable[[str], str],
        value: str = "",
        doubt: Callable[[str], str] = _nothing,
    ) -> None:
        super().__init__()
        self.heading, self.about, self.value = heading, about, value
        self.complaint, self.doubt = complaint, doubt
        self._doubted = ""

    def body(self) -> ComposeResult:
        """What is asked, the field, and what is wrong."""
        field = Field(id="path", placeholder="path of a file")
        field.suggester = _Completes()
        field.value = self.value
        yield Static(Content(self.about), classes="quiet")
        yield field
        yield Static(Content(""), id="complaint")

    def on_mount(self) -> None:
        """The cursor stands at the end of what is proposed."""
        self.query_one("#box").border_title = self.heading
        field = self.query_one(Field)
        self.set_focus(field)
        field.action_end()

    @on(Input.Changed, "#path")
    def _typed(self) -> None:
        self._doubted = ""
        self.query_one("#complaint", Static).update(Content(""))

    @on(Input.Submitted, "#path")
    def _submitted(self, event: Input.Submitted) -> None:
        answer = event.value.strip()
        wrong = self.complaint(answer)
        doubt = "" if wrong or self._doubted == answer else self.doubt(answer)
        if wrong or doubt:
            self._doubted = answer if doubt else ""
            self.query_one("#complaint", Static).update(content(f"✗ {wrong}" if wrong else f"? {doubt}"))
        else:
            self.dismiss(answer)
