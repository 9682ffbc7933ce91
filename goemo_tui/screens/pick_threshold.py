"""Asks by which threshold an emotion counts: the model's own for each, or one value for all."""

from __future__ import annotations

from textual import on
from textual.app import ComposeResult
from textual.content import Content
from textual.widgets import Input, Static

from goemo_tui.safe_text import content
from goemo_tui.screens.dialog import Dialog
from goemo_tui.services.prediction import Threshold
from goemo_tui.widgets.field import Field


def read_threshold(text: str) -> Threshold | None:
    """`tuned` or a number in 0..1 (`0.3`, `.3`, `30%`); None for anything else."""
    text = text.strip().lower()
    if text in ("", "tuned"):
        return "tuned"
    try:
        value = float(text.removesuffix("%")) / (100 if text.endswith("%") else 1)
    except ValueError:
        return None
    return value if 0 <= value <= 1 else None


class PickThreshold(Dialog[Threshold | None]):
    """Answers with `tuned`, a value in 0..1, or None."""

    HEADING = "Threshold"
    FOOT = "Enter takes it · Esc closes"
    DEFAULT_CSS = """
    PickThreshold > #box { max-width: 64; }
    PickThreshold Field { background: $boost; margin: 1 0; }
    PickThreshold #complaint { color: $error; height: 1; }
    """

    def __init__(self, now: Threshold) -> None:
        super().__init__()
        self.now = now

    def body(self) -> ComposeResult:
        """An explanation and the field."""
        yield Static(
            Content("An emotion counts when its probability reaches its threshold.\n"
                    "tuned: each emotion's own, fitted on dev · or one value, 0 to 1, for all")
        )  # fmt: skip
        field = Field(id="threshold", placeholder="tuned, or for example 0.3")
        field.value = self.now if isinstance(self.now, str) else f"{self.now:g}"
        yield field
        yield Static(Content(""), id="complaint")

    def on_mount(self) -> None:
        """The text is selected: typing replaces it."""
        field = self.query_one(Field)
        field.focus()
        field.select_all()

    @on(Input.Changed)
    def _typed(self, event: Input.Changed) -> None:
        wrong = read_threshold(event.value) is None
        self.query_one("#complaint", Static).update(content("✗ tuned, or a number from 0 to 1" if wrong else ""))

    @on(Input.Submitted)
    def _submitted(self, event: Input.Submitted) -> None:
        threshold = read_threshold(event.value)
        if threshold is not None:
            self.dismiss(threshold)
