"""The tokens that the model sees of a sentence, as chips with their ids; unknown ones and a cut are said in words."""

from __future__ import annotations

from collections.abc import Sequence

from rich.cells import cell_len, set_cell_size

from goemo_tui.safe_text import clean
from goemo_tui.widgets.lines import Lines, Row, Span

UNKNOWN = "?"
"""The sign after a token that stands for a word the vocabulary does not have."""


class TokenLine(Lines):
    """Chips in as many rows as they need: the token above, its id below it."""

    COMPONENT_CLASSES = {
        "tokens--even",
        "tokens--odd",
        "tokens--unknown",
        "tokens--id",
        "tokens--cut",
        "tokens--special",
    }
    DEFAULT_CSS = """
    TokenLine { height: auto; width: 1fr; }
    TokenLine > .tokens--even { background: $primary 30%; }
    TokenLine > .tokens--odd { background: $secondary 30%; }
    TokenLine > .tokens--special { color: $quiet; }
    TokenLine > .tokens--unknown { background: $error 40%; text-style: bold; }
    TokenLine > .tokens--id { color: $quiet; }
    TokenLine > .tokens--cut { color: $warning; text-style: bold; }
    """

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self.tokens: tuple[str, ...] = ()
        self.ids: tuple[int, ...] = ()
        self.unknown: frozenset[int] = frozenset()
        self.note = ""

    def show(self, tokens: Sequence[str], ids: Sequence[int], unknown: Sequence[int] = (), note: str = "") -> int:
        """Draw these tokens; `unknown` are positions, `note` is what is to be said of the whole (a cut)."""
        self.tokens, self.ids = tuple(tokens), tuple(ids)
        self.unknown, self.note = frozenset(unknown), note
        width = self.size.width or 80
        height = max(1, len(self.rows(width, 1000)))
        if self.styles.height is None or self.styles.height.value != height:
            self.styles.height = height
        return self.redraw()

    def rows(self, width: int, height: int) -> list[Row]:
        """Pairs of rows, tokens and ids, and the note in a row of its own."""
        rows: list[Row] = []
        upper: list[Span] = []
        lower: list[Span] = []
        used = 0
        for i, (token, number) in enumerate(zip(self.tokens, self.ids, strict=False)):
            text = clean(token) + (UNKNOWN if i in self.unknown else "")
            cells = min(max(cell_len(text), len(str(number))) + 1, max(4, width))
            if used and used + cells > width:
                rows += [tuple(upper), tuple(lower)]
                upper, lower, used = [], [], 0
            special = token.startswith("[") and token.endswith("]") and i not in self.unknown
            style = "unknown" if i in self.unknown else "special" if special else "odd" if i % 2 else "even"
            upper += [(set_cell_size(text, cells - 1), f"tokens--{style}"), (" ", "")]
            lower.append((set_cell_size(str(number), cells), "tokens--id"))
            used += cells
        if upper:
            rows += [tuple(upper), tuple(lower)]
        if self.note:
            rows.append(((clean(self.note), "tokens--cut"),))
        return rows[:height]

    def on_resize(self) -> None:
        """Another width means other breaks."""
        self.show(self.tokens, self.ids, tuple(self.unknown), self.note)
