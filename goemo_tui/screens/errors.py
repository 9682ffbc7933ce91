"""What a run got wrong for one emotion: the comments, the most confident mistakes first, and each of them in full.

The corpus is read beside the screen. Enter takes a comment to Inspect.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import cast

from rich.cells import cell_len, set_cell_size
from textual import events, on
from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import VerticalScroll
from textual.content import Content
from textual.widgets import OptionList, Static
from textual.widgets.option_list import Option

from goemo_tui.language import figure, label, word
from goemo_tui.safe_text import cells, clean, content
from goemo_tui.screens.dialog import Dialog
from goemo_tui.services.beside import Done, beside
from goemo_tui.services.errors import (
    FALSE_NEGATIVE,
    FALSE_POSITIVE,
    KINDS,
    SIGNS,
    Mistake,
    Mistakes,
    ScoredDev,
    mistakes,
    scored_dev,
)
from goemo_tui.widgets.one_tone import OneToneList
from goemo_tui.wording import against, count, percent, score

READING = "read what it got wrong"
SHOWN = 1_000
"""Mistakes that are listed; the command prints them all."""

HEAD = 8
"""Cells of `labels  `."""

SWITCH: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("all", KINDS),
    ("said wrongly", (FALSE_POSITIVE,)),
    ("missed", (FALSE_NEGATIVE,)),
)


class MistakeList(OneToneList):
    """The mistakes, a line each. A click selects, Enter or a double click opens."""

    ABOUT = (
        "Comments of dev, the most confident mistakes first: + was said and is not so, − is so and was not said. Each half "
        "of dev is judged by the threshold fitted on the other, as its scores are. Enter or a double click opens one in Inspect."
    )
    BINDINGS = [
        Binding("j", "cursor_down", show=False),
        Binding("k", "cursor_up", show=False),
        Binding("g", "first", show=False),
        Binding("G", "last", show=False),
        Binding("ctrl+d", "page_down", show=False),
        Binding("ctrl+u", "page_up", show=False),
    ]

    async def _on_click(self, event: events.Click) -> None:
        event.prevent_default()
        option = event.style.meta.get("option")
        if isinstance(option, int) and option < self.option_count:
            self.highlighted = option
            if event.chain > 1:
                self.action_select()


Inspect = Callable[[str, str, str], object]
"""Called with a comment, the model that judged it and the emotion in question."""


class ErrorsScreen(Dialog[None]):
    """`labels` are the emotions to go through; `inspect` opens a comment in Inspect, and the list stays where it was."""

    HEADING = "mistakes"
    FOOT = "Enter opens in Inspect · y copies · Esc closes"
    BINDINGS = [
        Binding("v", "next_kind", "Kind"),
        Binding("right,l", "next_emotion", "Next emotion"),
        Binding("left,h", "emotion_before", "Emotion before"),
        Binding("y", "copy", "Copy"),
        Binding("q", "close", show=False),
    ]
    DEFAULT_CSS = """
    ErrorsScreen > #box { width: 100%; max-width: 200; height: 100%; max-height: 100%; padding: 0 1; }
    ErrorsScreen #told, ErrorsScreen #kinds { height: 1; }
    ErrorsScreen #kinds { color: $quiet; margin-bottom: 1; }
    ErrorsScreen #state { height: auto; color: $quiet; }
    ErrorsScreen MistakeList { height: 1fr; border: none; background: $surface; padding: 0; scrollbar-gutter: stable; }
    ErrorsScreen #whole { height: auto; max-height: 8; border-top: solid $border-blurred; }
    ErrorsScreen #comment { height: auto; }
    """

    def __init__(
        self,
        folder: Path,
        title: str,
        emotion: str,
        labels: Sequence[str],
        kind: str = "",
        inspect: Inspect | None = None,
    ) -> None:
        super().__init__()
        self._inspect = inspect
        self._folder, self._title, self._emotion, self._labels = folder, title, emotion, tuple(labels)
        self._dev: ScoredDev | None = None
        self._found: Mistakes | None = None
        self._kind = next((i for i, (_, kinds) in enumerate(SWITCH) if kinds == (kind,)), 0)

    def body(self) -> ComposeResult:
        """What was found, the switch, the list, and the selected comment in full."""
        yield Static(id="told", markup=False)
        yield Static(id="kinds", markup=False)
        yield Static(word("reading the comments of dev …"), id="state", markup=False)
        yield MistakeList(id="mistakes", markup=False, compact=True)
        with VerticalScroll(id="whole", can_focus=False):
            yield Static(id="comment", markup=False)

    def on_mount(self) -> None:
        """Read."""
        self.query_one("#whole").display = False
        self.query_one(MistakeList).focus()
        beside(READING, lambda: scored_dev(self._folder), self.post_message)
        self._show_kinds()

    @on(Done)
    def _read(self, message: Done) -> None:
        message.stop()
        if message.error is not None:
            self.query_one("#state", Static).update(content(f"{message.error}\n\n{word('Esc closes')}.", newlines=True))
            return
        self._dev = cast(ScoredDev, message.value)
        self._find()

    def _find(self) -> None:
        if self._dev is None:
            return
        self._found = mistakes(self._dev, self._emotion) if self._emotion in self._dev.scores.labels else None
        self.fill()

    @property
    def listed(self) -> tuple[Mistake, ...]:
        """What is in the list."""
        return self._found.of(*SWITCH[self._kind][1])[:SHOWN] if self._found else ()

    def fill(self) -> None:
        """Write the list."""
        found, listed = self._found, self.listed
        mistake_list = self.query_one(MistakeList)
        mistake_list.clear_options()
        width = max(30, (mistake_list.scrollable_content_region.width or mistake_list.size.width) - 2)
        mistake_list.add_options(Option(_line(m, self._emotion, width)) for m in listed)
        self._show_kinds()
        state = self.query_one("#state", Static)
        state.display = found is None or not listed
        self.query_one("#whole").display = bool(listed)
        if found is None:
            said = word("the scores of this run know no {name}; ← → another emotion")
            state.update(content(said.format(name=label(self._emotion))))
        elif not listed:
            state.update(Content(word("nothing here: v shows another kind, ← → another emotion")))
        else:
            mistake_list.highlighted = 0

    def _show_kinds(self) -> None:
        """The heading, and how many there are of each kind."""
        found = self._found
        told = Content.assemble((label(self._emotion), "bold"), f" · {cells(self._title, 24)}")
        if found is not None:
            said = word(" epoch {epoch} · {threshold} · {support} of {rows} carry it")
            told += Content(
                said.format(
                    epoch=found.epoch,
                    threshold=_cuts(found.judged_by),
                    support=count(found.support),
                    rows=count(found.rows),
                )
            )
        self.query_one("#told", Static).update(told)
        parts = [Content.from_markup("[@click=screen.next_kind][$accent]v[/][/]  ")]
        for i, (name, kinds) in enumerate(SWITCH):
            sign = f"{SIGNS[kinds[0]]} " if len(kinds) == 1 else ""
            many = f" {count(len(found.of(*kinds)))}" if found else ""
            here = "bold reverse" if i == self._kind else ""
            parts.append(Content.from_markup(f"[@click=screen.kind({i})]{sign}{word(name)}{many}[/]").stylize(here))
            parts.append(Content("  "))
        parts.append(
            Content.from_markup(
                f"  [@click=screen.emotion_before][$accent]←[/][/] {word('emotion')} "
                "[@click=screen.next_emotion][$accent]→[/][/]"
            )
        )
        if found and len(found.of(*SWITCH[self._kind][1])) > SHOWN:
            parts.append(Content(f"   {word('the first')} {count(SHOWN)}"))
        self.query_one("#kinds", Static).update(Content("").join(parts))

    @on(OptionList.OptionHighlighted)
    def _selected(self, message: OptionList.OptionHighlighted) -> None:
        message.stop()
        mistake = self.selected
        if mistake is not None:
            self.query_one("#comment", Static).update(_whole(mistake, self._emotion))

    @property
    def selected(self) -> Mistake | None:
        """The comment under the cursor."""
        at = self.query_one(MistakeList).highlighted
        return self.listed[at] if at is not None and at < len(self.listed) else None

    @on(OptionList.OptionSelected)
    def _open(self, message: OptionList.OptionSelected) -> None:
        message.stop()
        mistake = self.selected
        if mistake is not None and self._dev is not None and self._inspect is not None:
            self._inspect(mistake.text, self._dev.run, self._emotion)

    def on_resize(self) -> None:
        """Lines are as wide as the list."""
        if self._found is not None:
            at = self.query_one(MistakeList).highlighted
            self.fill()
            self.query_one(MistakeList).highlighted = at

    def action_next_kind(self) -> None:
        """All, what was said wrongly, what was missed."""
        self.action_kind((self._kind + 1) % len(SWITCH))

    def action_kind(self, kind: int) -> None:
        """One of them."""
        self._kind = kind
        self.fill()

    def action_next_emotion(self) -> None:
        """The emotion that stands after this one in the table."""
        self._go(1)

    def action_emotion_before(self) -> None:
        """The emotion that stands before this one in the table."""
        self._go(-1)

    def _go(self, step: int) -> None:
        if self._labels and self._dev is not None:
            at = self._labels.index(self._emotion) if self._emotion in self._labels else 0
            self._emotion = self._labels[(at + step) % len(self._labels)]
            self._find()

    def action_copy(self) -> None:
        """The comment into the clipboard."""
        from goemo_tui.app import GoemoApp

        mistake = self.selected
        if mistake is not None and isinstance(self.app, GoemoApp):
            self.app.copy(mistake.text, "comment")


def _cuts(cuts: Sequence[float]) -> str:
    """`threshold .310 / .336`: those that the comments were judged by."""
    first, *rest = [figure(word("threshold"), score(cut)) for cut in cuts] or [word("threshold")]
    return " / ".join([first, *(told.rpartition(" ")[2] for told in rest)])


def _line(mistake: Mistake, emotion: str, width: int) -> Content:
    said = f"{SIGNS[mistake.kind]} {percent(mistake.probability):>4}  "
    other = [name for name in mistake.labels if name != emotion]
    tail = cells(" ".join(label(name) for name in other), max(8, width // 4))
    room = width - cell_len(said) - cell_len(tail) - 2
    tone = "$error" if mistake.kind == FALSE_POSITIVE else "$warning"
    return Content.assemble((said, tone), set_cell_size(cells(mistake.text, room), room) + "  ", (tail, "$text-muted"))


def _whole(mistake: Mistake, emotion: str) -> Content:
    """The comment, what it is, and what the model said."""
    shown, threshold = against(mistake.probability, mistake.threshold, mistake.kind == FALSE_POSITIVE)
    model = ", ".join(f"{label(name)} {percent(p)}" for name, p in mistake.predicted) or word(
        "nothing above its threshold"
    )
    what = word("said, but not so" if mistake.kind == FALSE_POSITIVE else "so, but not said")
    line = word("line {n} of dev").format(n=count(mistake.line))
    return Content.assemble(
        content(mistake.text),
        "\n",
        (f"{SIGNS[mistake.kind]} {label(emotion)} {shown}, {figure(word('threshold'), threshold)}: {what}\n", "bold"),
        (set_cell_size(word("labels"), HEAD), "$quiet"),
        ", ".join(label(name) for name in mistake.labels) + "\n",
        (set_cell_size(word("model"), HEAD), "$quiet"),
        model + "\n",
        (f"{line} · id {clean(mistake.id)}", "$quiet"),
    )
