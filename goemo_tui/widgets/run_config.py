"""What a run was asked to do and what its model is made of, as one page of text."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

from textual.content import Content

from goemo_tui.safe_text import clean
from goemo_tui.services.new_run import text_of
from goemo_tui.services.runs import RunView
from goemo_tui.wording import count, millions, size
from trainer.config import SETTINGS, recipe
from trainer.encoders import Anatomy, anatomy
from trainer.errors import ConfigError, ModelError
from trainer.runs.run import Run

_NAME = 20


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


def config_page(view: RunView, shape: Anatomy | None) -> Content:
    """The page. Settings that differ from their recipe carry a mark."""
    lines = [_head("Model"), *_model_lines(view, shape), Content(""), _head("Run")]
    started = view.snapshot.started or {}
    lines.append(_line("folder", str(view.folder)))
    rows = started.get("rows")
    if isinstance(rows, dict):
        lines.append(_line("comments", " · ".join(f"{count(v)} {k}" for k, v in rows.items() if isinstance(v, int))))
    labels = started.get("labels")
    if isinstance(labels, list):
        lines.append(_line("labels", f"{len(labels)}: " + " ".join(str(x) for x in labels[:40])))
    for warning in view.snapshot.warnings:
        lines.append(_line("warning", warning))
    lines += [Content(""), _head("Settings"), *_setting_lines(view)]
    return Content("\n").join(lines)


def _model_lines(view: RunView, shape: Anatomy | None) -> list[Content]:
    started = view.snapshot.started or {}
    lines = []
    if shape is not None:
        lines += [
            _line("architecture", shape.architecture),
            _line("layers × width", f"{shape.layers} × {shape.width}, {shape.heads} attention heads"),
            _line("vocabulary", f"{count(shape.vocabulary)} tokens, {count(shape.positions)} positions"),
            _line("parameters", f"{millions(shape.parameters)} ({count(shape.parameters)})"),
            _line("size", size(shape.bytes)),
        ]
    elif isinstance(started.get("parameters"), int):
        lines.append(_line("parameters", f"{millions(started['parameters'])} ({count(started['parameters'])})"))
    else:
        lines.append(_line("", "not known yet: the worker has not told, and its encoder is not at hand"))
    if started:
        lines.append(_line("device", f"{started.get('device', '?')}, {started.get('precision', '?')}"))
    return lines


def _setting_lines(view: RunView) -> list[Content]:
    if view.config is None:
        return [_line("", view.trouble or "config.toml cannot be read")]
    usual: dict[str, Any] = {}
    try:
        usual = recipe(view.config.recipe, view.config.encoder).to_dict()
    except ConfigError:
        usual = view.config.to_dict()
    lines = []
    for key, value in view.config.to_dict().items():
        changed = key not in ("data", "encoder", "recipe") and value != usual[key]
        lines.append(
            Content.assemble(
                ("● " if changed else "  ", "$accent"),
                (f"{key:<{_NAME}}", "$text-muted"),
                (f"{clean(text_of(value)):<14} ", "bold" if changed else ""),
                (SETTINGS[key].help, "$text-disabled"),
            )
        )
    lines.append(Content.styled("  ● differs from its recipe", "$text-muted"))
    return lines


def _head(text: str) -> Content:
    return Content.styled(text, "bold $accent")


def _line(name: str, text: str) -> Content:
    return Content.assemble((f"  {name:<{_NAME}}", "$text-muted"), clean(text))
