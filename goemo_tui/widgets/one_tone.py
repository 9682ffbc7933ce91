"""A list whose row under the cursor has one colour: signs keep their shape there, and none is lost on the cursor's ground."""

from __future__ import annotations

from rich.segment import Segment
from rich.style import Style
from textual.strip import Strip

from goemo_tui.widgets.paged import PagedList


class OneToneList(PagedList):
    """Textual's list; a theme's red or blue cannot be read on every theme's cursor."""

    def render_line(self, y: int) -> Strip:
        """The row, in the cursor's own colour where the cursor is."""
        strip = super().render_line(y)
        first = next((segment.style for segment in strip if segment.style is not None), None)
        if self.highlighted is None or first is None or first.meta.get("option") != self.highlighted:
            return strip
        cursor = Style(color=self.get_component_rich_style("option-list--option-highlighted").color)
        return Strip([Segment(s.text, (s.style or Style()) + cursor, s.control) for s in strip], strip.cell_length)
