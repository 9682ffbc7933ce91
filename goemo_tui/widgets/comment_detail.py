"""One comment as a model will see it: text, labels, multi-hot vector, tokens, ids, mask, and where it is cut."""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING

from textual.binding import Binding
from textual.content import Content
from textual.geometry import Size
from textual.scroll_view import ScrollView
from textual.strip import Strip
from textual.visual import Visual

from goemo_tui import safe_text

if TYPE_CHECKING:
    from goemo_tui.services.corpus import SplitColumns
    from trainer.corpus.tokens import TokenView

_CHIPS = ("on $primary 22%", "on $secondary 26%")
_UNKNOWN = "bold $error"


_INDENT = 10


def _field(name: str, value: Content, width: int) -> list[Content]:
    """A named value, wrapped beside its name."""
    wrapped = value.wrap(max(10, width - _INDENT)) or [Content("")]
    first = Content.assemble((f"{name:<{_INDENT}}", "$quiet"), wrapped[0])
    return [first, *(Content.assemble(" " * _INDENT, line) for line in wrapped[1:])]


def _runs(values: tuple[int, ...]) -> str:
    """`1×24 0×40`."""
    return " ".join(f"{value}×{len(list(group))}" for value, group in groupby(values))


def multi_hot(columns: SplitColumns, row: int) -> Content:
    """One digit a label, the ones marked."""
    digits = columns.labels.multi_hot(columns.split.labels[row])
    return Content.assemble(*((str(d), "bold $accent" if d else "$quiet") for d in digits))


def token_lines(view: TokenView, width: int) -> list[Content]:
    """Tokens as chips, their ids, and the attention mask."""
    chips: list[Content | tuple[str, str] | str] = []
    unknown = set(view.unknown)
    for i, token in enumerate(view.tokens):
        text = safe_text.clean(token)
        if view.cut == i:
            chips += [(f"✂ {view.lost:,} more are cut off ", "bold $warning")]
        chips += [(text + "?", _UNKNOWN) if i in unknown else (text, _CHIPS[i % 2]), " "]
    padding = view.padded_to - len(view.ids)
    if padding:
        chips.append((f"[PAD]×{padding}", "$quiet"))
    said = [f"{len(view.ids) + view.lost} of at most {view.padded_to}"]
    if unknown:
        said.append(f"{len(unknown)} unknown to the vocabulary, marked ?")
    if view.cut is not None:
        said.append(f"the last {view.lost:,} are cut off")
    ids = " ".join(map(str, view.ids)) + (f" 0×{padding}" if padding else "")
    return [
        *_field("tokens", Content.assemble(*chips), width),
        *_field("ids", Content(ids), width),
        *_field("mask", Content.assemble(_runs(view.mask), ("   " + " · ".join(said), "$quiet")), width),
    ]


def describe(
    columns: SplitColumns, row: int, view: TokenView | None, note: str, width: int, airy: bool = True
) -> Content:
    """Everything about one row in `width` cells. Without `view`, `note` says why there are no tokens.

    `airy` puts a blank line below the comment.
    """
    split = columns.split
    ids = split.labels[row]
    names = ", ".join(safe_text.clean(columns.labels.names[i]) for i in ids)
    lines = [
        safe_text.content(split.text[row], newlines=True),
        *([Content("")] if airy else []),
        *_field("labels", Content.assemble(", ".join(map(str, ids)), (" → ", "$quiet"), (names, "bold")), width),
        *_field("multi-hot", multi_hot(columns, row), width),
    ]
    if view is not None:
        lines += token_lines(view, width)
    else:
        lines += _field("tokens", safe_text.content(note), width)
    return Content("\n").join(lines)


class CommentDetail(ScrollView, can_focus=True):
    """The pane below the table. Its height is fixed, so that another comment costs a repaint and no layout."""

    ABOUT = "One comment in full, as a model will see it. The arrow keys scroll."
    BINDINGS = [
        Binding("j", "scroll_down", "Down", show=False),
        Binding("k", "scroll_up", "Up", show=False),
    ]
    DEFAULT_CSS = """
    CommentDetail { background: $surface; overflow-x: hidden; }
    """

    def __init__(self, *, id: str | None = None, classes: str | None = None) -> None:
        super().__init__(id=id, classes=classes)
        self._shown: tuple[SplitColumns, int, TokenView | None, str] | None = None
        self._note = Content("")
        self._strips: list[Strip] = []

    @property
    def text(self) -> str:
        """What the pane says, without its colours."""
        return "\n".join(strip.text.rstrip() for strip in self._strips)

    def show(self, columns: SplitColumns, row: int, view: TokenView | None, note: str) -> None:
        """Show a row of a split."""
        row_id = safe_text.cells(columns.split.ids[row], 24) if columns.split.ids[row] else "none"
        self.border_title = safe_text.content(f"comment {columns.lines[row]} · id {row_id}")
        self._shown = (columns, row, view, note)
        self._draw()
        self.scroll_home(animate=False)

    def show_nothing(self, why: str) -> None:
        """No row is looked at."""
        self.border_title = "comment"
        self._shown, self._note = None, Content.styled(why, "$quiet")
        self._draw()

    def _draw(self) -> None:
        width = self.scrollable_content_region.width
        if width <= 0:
            return
        text = describe(*self._shown, width, self.size.height >= 8) if self._shown is not None else self._note
        self._strips = Visual.to_strips(self, text, width, None, self.visual_style, apply_selection=False)
        if self.virtual_size.height != len(self._strips):
            self.virtual_size = Size(1, len(self._strips))
        self.refresh()

    def on_resize(self) -> None:
        """Another width means other breaks."""
        self._draw()

    def notify_style_update(self) -> None:
        """Another theme means other colours."""
        super().notify_style_update()
        self._draw()

    def render_line(self, y: int) -> Strip:
        """One line, already wrapped."""
        line = y + self.scroll_offset.y
        strip = self._strips[line] if line < len(self._strips) else Strip([])
        return strip.adjust_cell_length(self.size.width, self.rich_style)
