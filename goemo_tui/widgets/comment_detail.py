"""The pane of one comment: what a model will see of it, the comments like it, or what augmentation makes of it.

The index of words is made beside the screen, and says how far it is. What is drawn is worked out in `comment_rows`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.segment import Segment
from rich.style import Style
from textual import events
from textual.binding import Binding
from textual.geometry import Region, Size
from textual.message import Message
from textual.strip import Strip

from goemo_tui import safe_text
from goemo_tui.services.beside import Done, beside
from goemo_tui.widgets import comment_rows, made_rows
from goemo_tui.widgets.comment_rows import Drawn, Place
from goemo_tui.widgets.measured import Measured

if TYPE_CHECKING:
    from goemo_tui.services.corpus import SplitColumns
    from goemo_tui.services.made import Version
    from goemo_tui.services.similar import Near, WordIndex
    from trainer.corpus.tokens import TokenView

TOP = 24
"""Similar comments that are listed."""

_STYLES = ("text", "label", "other", "one", "quiet", "even", "odd", "special", "unknown", "cut", "warn", "cursor")


class CommentDetail(Measured, can_focus=True):
    """The pane below the table. Its height is fixed, so that another comment costs a repaint and no layout."""

    BINDINGS = [
        Binding("up,k", "up", "Up", show=False),
        Binding("down,j", "down", "Down", show=False),
        Binding("ctrl+u", "page_up", "A page up", show=False),
        Binding("ctrl+d", "page_down", "A page down", show=False),
        Binding("g", "scroll_home", "To the top", show=False),
        Binding("G", "scroll_end", "To the end", show=False),
        Binding("enter", "choose", "Go to the similar comment", show=False),
    ]
    COMPONENT_CLASSES = {f"detail--{name}" for name in _STYLES}
    DEFAULT_CSS = """
    CommentDetail {
        background: $surface; overflow-x: hidden; scrollbar-gutter: stable; scrollbar-size-vertical: 1;
    }
    CommentDetail > .detail--label { text-style: bold; }
    CommentDetail > .detail--other { color: $accent; }
    CommentDetail > .detail--one { color: $accent; text-style: bold; }
    CommentDetail > .detail--quiet { color: $quiet; }
    CommentDetail > .detail--even { background: $primary 22%; }
    CommentDetail > .detail--odd { background: $secondary 26%; }
    CommentDetail > .detail--special { color: $quiet; background: $boost; }
    CommentDetail > .detail--unknown { color: $error; text-style: bold underline; }
    CommentDetail > .detail--cut { color: $warning; text-style: bold; }
    CommentDetail > .detail--warn { color: $warning; }
    CommentDetail > .detail--cursor {
        background: $block-cursor-background; color: $block-cursor-foreground; text-style: $block-cursor-text-style;
    }
    """

    class Wanted(Message):
        """A similar comment is to be looked at: its row in the split."""

        def __init__(self, row: int) -> None:
            super().__init__()
            self.row = row

    class LabelPicked(Message):
        """A label of the comment was clicked."""

        def __init__(self, name: str) -> None:
            super().__init__()
            self.name = name

    class Indexed(Message):
        """So many comments of a split have been indexed."""

        def __init__(self, columns: SplitColumns, rows: int) -> None:
            super().__init__()
            self.columns = columns
            self.rows = rows

    def __init__(self, *, id: str | None = None, classes: str | None = None) -> None:
        super().__init__(id=id, classes=classes)
        self.similar = self.made = False
        self.cursor = 0
        self._shown: tuple[SplitColumns, int, TokenView | None, str] | None = None
        self._near: tuple[SplitColumns, int, tuple[Near, ...]] | None = None
        self._index: tuple[SplitColumns, WordIndex] | None = None
        self._indexing: SplitColumns | None = None
        self._indexed = 0
        self._versions: tuple[SplitColumns, int, tuple[Version, ...]] | None = None
        self._making: tuple[SplitColumns, int] | None = None
        self._note = ""
        self._drawn = Drawn(())

    @property
    def ABOUT(self) -> str:
        """What help says of it."""
        if self.similar:
            return (
                "The comments of this split that share most words with the one above: the share of words weighed by "
                "how rare they are (TF-IDF), not a judgement of meaning. ≠ means other labels. Enter goes to one."
            )
        if self.made:
            return (
                "What augmentation makes of the comment: words replaced by synonyms of WordNet, or left out. [NAME], emoji, "
                "numbers and negations stay. A run that is set to augment trains on such rows too; nothing is changed here."
            )
        return "One comment in full, as a model will see it. The arrow keys scroll; a click on a label filters by it."

    @property
    def text(self) -> str:
        """What the pane says, without its colours."""
        return "\n".join("".join(text for text, _ in row).rstrip() for row in self._drawn.rows)

    # What is shown

    def show(self, columns: SplitColumns, row: int, view: TokenView | None, note: str) -> None:
        """Show a row of a split."""
        self._shown = (columns, row, view, note)
        self.cursor = 0
        self._draw()
        self.scroll_home(animate=False)

    def show_nothing(self, why: str) -> None:
        """No row is looked at."""
        self._shown, self._note = None, why
        self._draw()

    def toggle_similar(self) -> None:
        """The comments that share most words with this one, or the comment itself again."""
        self.similar, self.made = not self.similar, False
        self.cursor = 0
        self._draw()
        self.scroll_home(animate=False)

    def toggle_made(self) -> None:
        """What augmentation makes of the comment, or the comment itself again."""
        self.similar, self.made = False, not self.made
        self.cursor = 0
        self._draw()
        self.scroll_home(animate=False)

    def _titles(self) -> tuple[str, str]:
        if self._shown is None:
            return "comment", ""
        columns, row, _, _ = self._shown
        row_id = safe_text.cells(columns.split.ids[row], 24) if columns.split.ids[row] else "none"
        if self.similar:
            return f"like comment {columns.lines[row]}", "by shared words, not by meaning"
        if self.made:
            return f"made of comment {columns.lines[row]}", "augmentation: words in colour are new"
        file = columns.split.file
        at = f"{safe_text.cells(file.name, 30)}:{columns.lines[row]}" if file is not None else ""
        return f"comment {columns.lines[row]} · id {row_id} · {columns.split.name}", at

    def _draw(self) -> None:
        width = self.scrollable_content_region.width
        if width <= 0:
            return
        title, subtitle = self._titles()
        self.border_title, self.border_subtitle = safe_text.content(title), safe_text.content(subtitle)
        self._drawn = self._draw_rows(width)
        if self.virtual_size.height != len(self._drawn.rows):
            self.virtual_size = Size(1, len(self._drawn.rows))
        self.refresh()

    def _draw_rows(self, width: int) -> Drawn:
        if self._shown is None:
            return comment_rows.said(self._note, width)
        columns, row, view, note = self._shown
        if self.made:
            return made_rows.made_rows(columns, row, self._made_of(columns, row), width)
        if not self.similar:
            return comment_rows.describe(columns, row, view, note, width, self.size.height >= 8)
        from goemo_tui.services.similar import too_many

        if refused := too_many(len(columns)):
            return comment_rows.said(refused, width)
        near = self._nearest(columns, row)
        if near is None:
            far = f"{self._indexed:,} of {len(columns):,}" if self._indexed else f"{len(columns):,}"
            return comment_rows.said(f"comparing the words of {far} comments …", width)
        return comment_rows.similar_rows(columns, row, near, width)

    # Similar comments

    def _nearest(self, columns: SplitColumns, row: int) -> tuple[Near, ...] | None:
        """The similar comments; None while the split is being indexed."""
        from goemo_tui.services.similar import nearest

        if self._index is None or self._index[0] is not columns:
            self._make_index(columns)
            return None
        if self._near is None or self._near[0] is not columns or self._near[1] != row:
            text = columns.split.text[row][: safe_text.LIMIT]
            self._near = (columns, row, nearest(self._index[1], text, TOP, row))
        return self._near[2]

    def _make_index(self, columns: SplitColumns) -> None:
        if self._indexing is columns:
            return
        self._indexing, self._indexed = columns, 0

        def work() -> object:
            from goemo_tui.services.similar import build

            index = build(
                columns,
                lambda: self._indexing is not columns or not self.is_running,
                lambda rows: self._tell_indexed(columns, rows),
            )
            return columns, index

        beside("similar", work, self.post_message)

    def _made_of(self, columns: SplitColumns, row: int) -> tuple[Version, ...] | None:
        """What augmentation makes of a row; None while that is worked out."""
        if self._versions is not None and self._versions[0] is columns and self._versions[1] == row:
            return self._versions[2]
        if self._making is None:  # one at a time: when it is there, the row that is shown by then is asked for

            def work() -> object:
                from goemo_tui.services.made import made_of

                return columns, row, made_of(columns.split.text[row][: safe_text.LIMIT])

            self._making = (columns, row)
            beside("made", work, self.post_message)
        return None

    def _tell_indexed(self, columns: SplitColumns, rows: int) -> None:
        self.post_message(self.Indexed(columns, rows))

    def on_comment_detail_indexed(self, message: Indexed) -> None:
        """So far it is."""
        message.stop()
        if message.columns is self._indexing:
            self._indexed = message.rows
            if self.similar:
                self._draw()

    def on_done(self, message: Done) -> None:
        """A split is indexed, or it is known what augmentation makes of a row."""
        if message.name == "made":
            message.stop()
            self._making = None
            if isinstance(message.value, tuple):
                self._versions = message.value
                if self.made:
                    self._draw()
            return
        if message.name != "similar" or not isinstance(message.value, tuple):
            return
        message.stop()
        columns, index = message.value
        if index is not None and columns is self._indexing:
            self._index, self._near, self._indexing = message.value, None, None
            if self.similar:
                self._draw()

    # Drawing

    def on_resize(self) -> None:
        """Another width means other breaks."""
        self._draw()

    def notify_style_update(self) -> None:
        """Another theme or language."""
        super().notify_style_update()
        self._draw()

    def render_line(self, y: int) -> Strip:
        """One line, already laid out."""
        line, base, rows = y + self.scroll_offset.y, self.base, self._drawn.rows
        if line >= len(rows):
            return Strip.blank(self.size.width, base)
        here = self._here()
        chosen = self.has_focus and here is not None and here.line <= line < here.line + here.height
        cursor = self.get_component_rich_style("detail--cursor", partial=True) if chosen else Style()
        segments = []
        for text, name in rows[line]:
            # not partial: that would show the tints of the chips as full colours, on which no text can be read
            style = self.get_component_rich_style(f"detail--{name}") if name else base
            segments.append(Segment(text, style + cursor))
        if chosen and here is not None and line == here.line and segments:
            segments[0] = Segment("▸" + segments[0].text[1:], segments[0].style)
        return Strip(segments).adjust_cell_length(self.size.width, base + cursor)

    def _here(self) -> Place | None:
        """The similar comment under the cursor."""
        places = self._drawn.places
        return places[self.cursor] if self.similar and self.cursor < len(places) else None

    # Keys and mouse

    def _move(self, by: int) -> None:
        places = self._drawn.places
        self.cursor = max(0, min(len(places) - 1, self.cursor + by))
        place = places[self.cursor]
        self.scroll_to_region(Region(0, place.line, 1, place.height), animate=False, force=True)
        self.refresh()

    def action_up(self) -> None:
        """The similar comment above, or a line up."""
        if self._here() is None:
            self.scroll_up(animate=False)
        else:
            self._move(-1)

    def action_down(self) -> None:
        """The similar comment below, or a line down."""
        if self._here() is None:
            self.scroll_down(animate=False)
        else:
            self._move(1)

    def action_choose(self) -> None:
        """Go to the similar comment."""
        here = self._here()
        if here is not None:
            self.post_message(self.Wanted(here.value))

    def on_click(self, event: events.Click) -> None:
        """A label filters, a similar comment is gone to."""
        offset = event.get_content_offset(self)
        if offset is None:
            return
        line = offset.y + self.scroll_offset.y
        for i, place in enumerate(self._drawn.places):
            if place.line <= line < place.line + place.height and place.x <= offset.x < place.x + place.width:
                if place.what == "row":
                    self.cursor = i
                    self.post_message(self.Wanted(place.value))
                elif self._shown is not None:
                    self.post_message(self.LabelPicked(self._shown[0].labels.names[place.value]))
                return

    def on_focus(self) -> None:
        """The cursor shows."""
        self.refresh()

    def on_blur(self) -> None:
        """The cursor hides."""
        self.refresh()
