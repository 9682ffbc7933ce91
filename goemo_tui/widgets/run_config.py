"""What a run was asked to do and what its model is made of, as one page of text."""

from __future__ import annotations

import textwrap
import tomllib
from pathlib import Path
from typing import Any, cast

from textual import on
from textual.app import ComposeResult
from textual.containers import VerticalScroll
from textual.content import Content
from textual.widgets import Static

from goemo_tui.language import label
from goemo_tui.safe_text import clean
from goemo_tui.services.beside import Done, beside
from goemo_tui.services.runs import RunView
from goemo_tui.services.train_command import text_of
from goemo_tui.wording import count, millions, size
from trainer.config import SETTINGS, recipe
from trainer.encoders import Anatomy, anatomy
from trainer.errors import ConfigError, ModelError
from trainer.runs.run import Run

_NAME = 17
ANATOMY = "what the model is made of"


def model_anatomy(folder: Path) -> Anatomy | None:
    """What the run's own model is made of, else the encoder that it starts from; None where neither can be read.

    Reads a few kilobytes: call it from a thread all the same, the folder may be on a slow disk.
    """
    places = [Run(folder).model or folder / "model"]
    try:
        written = tomllib.loads((folder / "config.toml").read_text(encoding="utf-8"))
        encoder = written.get("encoder")
        if isinstance(encoder, dict) and isinstance(encoder.get("folder"), str):
            places.append(Path(encoder["folder"]))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError):
        places = places[:1]
    for place in places:
        try:
            if (place / "config.json").is_file():
                return anatomy(place)
        except ModelError:
            continue
    return None


class RunConfig(VerticalScroll):
    """`show()` takes a run; what its model is made of is looked up beside the screen, once."""

    ABOUT = "What the run was asked to do, and what its model is made of. y copies the command that makes the same run."
    DEFAULT_CSS = "RunConfig { scrollbar-gutter: stable; }"  # lines are broken before it is known that they need a bar

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._anatomy: dict[tuple[str, bool], Anatomy | None] = {}
        self._view: RunView | None = None
        self._page: Content | None = None

    def compose(self) -> ComposeResult:
        """One page."""
        yield Static(id="config-page", markup=False)

    def show(self, view: RunView) -> None:
        """Draw this run."""
        self._view = view
        key = (view.id, view.snapshot.best is not None)
        if key not in self._anatomy:
            self._anatomy[key] = None
            beside(ANATOMY, lambda: (key, model_anatomy(view.folder)), self.post_message)
        page = config_page(view, self._anatomy.get(key), max(30, self.scrollable_content_region.width - 3))
        if page != self._page:
            self._page = page
            self.query_one("#config-page", Static).update(page)

    def on_resize(self) -> None:
        """Lines are broken where the room ends."""
        if self._view is not None:
            self.show(self._view)

    @on(Done)
    def _found(self, message: Done) -> None:
        message.stop()
        if message.error is None:
            key, shape = cast("tuple[tuple[str, bool], Anatomy | None]", message.value)
            self._anatomy[key] = shape
        if self._view is not None:
            self.show(self._view)


def config_page(view: RunView, shape: Anatomy | None, width: int = 100) -> Content:
    """The page, for `width` cells. Settings that differ from their recipe carry a mark."""
    lines = [_head("Model"), *(_line(*told, width) for told in _model_facts(view, shape)), Content(""), _head("Run")]
    lines += [_line(*told, width) for told in _run_facts(view)]
    lines += [Content(""), _head("Settings"), *_setting_lines(view, width)]
    return Content("\n").join(lines)


def _run_facts(view: RunView) -> list[tuple[str, str]]:
    started = view.snapshot.started or {}
    facts = [("id", view.id), ("name", view.about.name), ("note", view.about.note), ("folder", str(view.folder))]
    facts = [fact for fact in facts if fact[1]]
    rows = started.get("rows")
    if isinstance(rows, dict):
        facts.append(("comments", " · ".join(f"{count(v)} {k}" for k, v in rows.items() if isinstance(v, int))))
    new = started.get("augmented")
    if isinstance(new, dict):
        made = " · ".join(f"{count(v)} by {k}" for k, v in new.items() if isinstance(v, int))
        facts.append(("of train new", f"{made} (augment)"))
    labels = started.get("labels")
    if isinstance(labels, list):
        facts.append(("labels", f"{len(labels)}: " + " ".join(label(str(x)) for x in labels[:40])))
    return [*facts, *(("warning", warning) for warning in view.snapshot.warnings)]


def _model_facts(view: RunView, shape: Anatomy | None) -> list[tuple[str, str]]:
    started = view.snapshot.started or {}
    facts: list[tuple[str, str]] = []
    if shape is not None:
        facts += [
            ("architecture", shape.architecture),
            ("layers × width", f"{shape.layers} × {shape.width}, {shape.heads} attention heads"),
            ("vocabulary", f"{count(shape.vocabulary)} tokens, {count(shape.positions)} positions"),
            ("parameters", f"{millions(shape.parameters)} ({count(shape.parameters)})"),
            ("size", size(shape.bytes)),
        ]
    elif isinstance(started.get("parameters"), int):
        facts.append(("parameters", f"{millions(started['parameters'])} ({count(started['parameters'])})"))
    else:
        facts.append(("", "not known yet: the worker has not told, and its encoder is not at hand"))
    if started:
        facts.append(("device", f"{started.get('device', '?')}, {started.get('precision', '?')}"))
    return facts


def _setting_lines(view: RunView, width: int) -> list[Content]:
    if view.config is None:
        return [_line("", view.trouble or "config.toml cannot be read", width)]
    usual: dict[str, Any] = {}
    try:
        usual = recipe(view.config.recipe, view.config.encoder).to_dict()
    except ConfigError:
        usual = view.config.to_dict()
    lines = []
    for key, value in view.config.to_dict().items():
        changed = key not in ("data", "encoder", "recipe") and value != usual[key]
        said, style = clean(text_of(value)), "bold" if changed else ""
        help = f"  {SETTINGS[key].help}" if _NAME + max(14, len(said)) + 4 + len(SETTINGS[key].help) <= width else ""
        if _NAME + 2 + len(said) > width:  # a path: its end tells it from others
            said = "…" + said[_NAME + 3 - width :]
        lines.append(
            Content.assemble(
                ("● " if changed else "  ", "$accent"),
                (f"{key:<{_NAME}}", "$text-muted"),
                (f"{said:<14}" if help else said, style),
                (help, "$quiet"),
            )
        )
    lines.append(Content.styled("  ● differs from its recipe", "$text-muted"))
    return lines


def _head(text: str) -> Content:
    return Content.styled(text, "bold $accent")


def _line(name: str, text: str, width: int) -> Content:
    """A name and what stands behind it; more rows of that begin below its first."""
    rows = textwrap.wrap(clean(text), max(12, width - _NAME - 2), break_on_hyphens=False) or [""]
    pieces: list[str | tuple[str, str]] = [(f"  {name:<{_NAME}}", "$text-muted"), rows[0]]
    for row in rows[1:]:
        pieces.append("\n" + " " * (_NAME + 2) + row)
    return Content.assemble(*pieces)
