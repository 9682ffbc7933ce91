"""One widget or dialog alone in an app with the terminal's themes, and a small corpus to show in it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from textual.app import App, ComposeResult
from textual.message import Message
from textual.pilot import Pilot
from textual.widget import Widget

from goemo_tui import themes
from goemo_tui.services.corpus import SplitColumns, columns_of
from trainer.corpus import Corpus
from trainer.corpus.split import Split
from trainer.labels import OFFICIAL, LabelSet


class Alone(App[None]):
    """The widget fills the screen; `heard` are the messages of the types in `listen`."""

    def __init__(self, widget: Widget, *listen: type[Message]) -> None:
        super().__init__()
        for theme in themes.THEMES:
            self.register_theme(theme)
        self.theme = themes.DEFAULT
        self.widget = widget
        self.listen = listen
        self.heard: list[Any] = []

    def compose(self) -> ComposeResult:
        yield self.widget

    def on_mount(self) -> None:
        self.widget.styles.height = "1fr"
        self.widget.focus()

    async def on_event(self, event: Any) -> None:
        await super().on_event(event)

    def post_message(self, message: Message) -> bool:
        if isinstance(message, self.listen):
            self.heard.append(message)
        return super().post_message(message)


async def until(pilot: Pilot[Any], true: Callable[[], bool]) -> None:
    """Wait for something that a thread brings about."""
    for _ in range(400):
        if true():
            await pilot.pause()
            return
        await pilot.pause(0.05)
    raise AssertionError("it did not come about")


Rows = list[tuple[str, tuple[int, ...]]]


def columns(
    labels: LabelSet = OFFICIAL, tokens: dict[str, list[int]] | None = None, **splits: Rows
) -> dict[str, SplitColumns]:
    """Splits of (text, label ids) as columns; `tokens` gives their lengths, without it they are not counted."""
    made = {
        name: Split(
            name,
            [text for text, _ in rows],
            [ids for _, ids in rows],
            [f"{name[0]}{i}" for i in range(len(rows))],
            list(range(1, len(rows) + 1)),
        )
        for name, rows in splits.items()
    }
    corpus = Corpus("small", Path("small"), labels, made)
    found = {name: columns_of(corpus, name) for name in made}
    for name, numbers in (tokens or {}).items():
        found[name].tokens[:] = numbers
    return found


def drawn(widget: Widget) -> list[str]:
    """The lines of a widget as they stand on the screen."""
    return ["".join(segment.text for segment in widget.render_line(y)).rstrip() for y in range(widget.size.height)]
