"""What augmentation makes of a comment, in rows of spans: each new version below the comment, new words in colour.

Versions in, rows out, no widget state. Foreign text passes through safe_text here.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from rich.cells import cell_len
from textual.content import Content

from goemo_tui import language, safe_text
from goemo_tui.widgets.comment_rows import INDENT, Drawn, wrap
from goemo_tui.widgets.lines import Row, Span

if TYPE_CHECKING:
    from goemo_tui.services.corpus import SplitColumns
    from goemo_tui.services.made import Version

NOTHING = {
    "synonyms": "no synonym of the same meaning known",
    "deletion": "too short: each word may matter",
}
NOTE = (
    "Each keeps its labels: {labels}. A run with augment = synonyms, deletion or both adds such rows to train (never to "
    "dev or test), rare emotions first. back_translation needs two models and is made by the worker."
)


def made_rows(columns: SplitColumns, row: int, versions: Sequence[Version] | None, width: int) -> Drawn:
    """The comment, what each method makes of it or why it makes nothing, and what a run does with that.

    Without `versions`, which are still being made, the comment alone.
    """
    rows: list[Row] = [((line, "text"),) for line in wrap(columns.split.text[row], width)]
    if versions is None:
        return Drawn(tuple(rows))
    for method, nothing in NOTHING.items():
        own = [version for version in versions if version.method == method]
        named = method
        for version in own:
            for line in _lines(version, width - INDENT):
                rows.append(((f"{named:<{INDENT}}", "quiet"), *line))
                named = ""
        if not own:
            rows.append(((f"{method:<{INDENT}}", "quiet"), (safe_text.cells(nothing, width - INDENT), "quiet")))
    names = ", ".join(language.label(columns.labels.names[i]) for i in columns.split.labels[row])
    note = Content(NOTE.format(labels=names)).wrap(max(4, width))
    return Drawn((*rows, (), *(((line.plain, "quiet"),) for line in note)))


def _lines(version: Version, width: int) -> list[Row]:
    """A version in lines of `width` cells; after it, what was left out of it."""
    spans: list[Span] = []
    for text, new in version.pieces:
        spans += [(word, "one" if new else "") for word in _words(safe_text.clean(text))]
    if version.method == "deletion":
        spans += [("  ", ""), *((word, "cut") for word in _words(safe_text.clean(f"✂ {', '.join(version.gone)}")))]
    lines: list[list[Span]] = [[]]
    used = 0
    for text, style in spans:
        cells = cell_len(text.rstrip())
        if used and used + cells > width:
            lines.append([])
            used = 0
        if used or text.strip():
            fitted = text if cells <= width else safe_text.cells(text, width)
            lines[-1].append((fitted, style))
            used += cell_len(fitted)
    return [tuple(line) for line in lines]


def _words(text: str) -> list[str]:
    """A text in pieces that end with a blank, where a line may break."""
    return [word + " " for word in text.split(" ")[:-1]] + [text.split(" ")[-1]] if text else []
