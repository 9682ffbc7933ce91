"""Where a report goes: the format by the end of the file's name, the file whole or not at all."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from goemo_tui.services.report_words import Document
from trainer import paths
from trainer.errors import ConfigError, GoemoError


def report_writer(name: str) -> Callable[[Document], Path]:
    """What writes a report into the file `name`. Raises ConfigError at once where the name or its folder cannot be."""
    path = paths.expanded(name)
    kind = path.suffix.lower()
    if kind not in (".md", ".markdown", ".html", ".htm"):
        raise ConfigError(f"--report {name}: end the name in .md for Markdown or in .html for a page", key="report")
    if not path.absolute().parent.is_dir():
        raise ConfigError(
            f"--report {name}: the folder {path.absolute().parent} is not there; make it first", key="report"
        )
    if path.is_dir():
        raise ConfigError(f"--report {name} is a folder: name a file", key="report")

    def write(report: Document) -> Path:
        from goemo_tui.services.report_html import html
        from goemo_tui.services.report_markdown import markdown

        _write(path, html(report) if kind.startswith(".htm") else markdown(report))
        return path

    return write


def _write(path: Path, text: str) -> None:
    fresh: str | None = None
    try:
        handle, fresh = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.absolute().parent)
        with os.fdopen(handle, "w", encoding="utf-8", errors="replace") as file:
            file.write(text)
        mask = os.umask(0)
        os.umask(mask)
        Path(fresh).chmod(0o666 & ~mask)
        Path(fresh).replace(path)
    except OSError as error:
        if fresh is not None:
            with suppress(OSError):
                Path(fresh).unlink()
        raise GoemoError(f"the report could not be written into {path}: {error.strerror or error}") from None
