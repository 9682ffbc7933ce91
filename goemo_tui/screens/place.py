"""What the three places share: header, body, footer, and Esc that leaves a text field.

A place writes `body()` and its `action_…` methods; its keys come from the action table by the name in `PLACE`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from textual.app import ComposeResult
from textual.containers import Container
from textual.widget import Widget
from textual.widgets import Input, TextArea

from goemo_tui import actions
from goemo_tui.repainting import SparingCompositor
from goemo_tui.screens.one_pane import OnePane
from goemo_tui.widgets.header import GoemoHeader, PlaceTab
from goemo_tui.widgets.key_line import KeyLine

if TYPE_CHECKING:
    from goemo_tui.app import GoemoApp


class Place(OnePane):
    """One of the three places. Subclasses set `PLACE` and `HOME`, take `BINDINGS = actions.bindings(PLACE)` and
    name their style sheet in `CSS_PATH`.
    """

    PLACE: ClassVar[str] = ""
    """Its name in the action table and among the app's modes."""

    HOME: ClassVar[str] = ""
    """Selector of the part that has the focus at first and again when Esc leaves a text field; empty: none."""

    AUTO_FOCUS = ""
    BINDINGS = [actions.leave_binding()]

    DEFAULT_CSS = """
    Place { background: $background; }
    Place > #place { height: 1fr; }
    """

    def __init__(self) -> None:
        super().__init__()
        self._compositor = SparingCompositor()

    @property
    def goemo(self) -> GoemoApp:
        """The app, as what it is."""
        from goemo_tui.app import GoemoApp

        assert isinstance(self.app, GoemoApp)
        return self.app

    def body(self) -> ComposeResult:
        """What stands between header and footer."""
        raise NotImplementedError

    def compose(self) -> ComposeResult:
        """Header, body, footer."""
        header = GoemoHeader(self.PLACE)
        yield header
        with Container(id="place"):
            yield from self.body()
        yield KeyLine(show_command_palette=False, compact=True)

    def on_mount(self) -> None:
        """Follow the app's running run, and put the focus where work starts."""
        super().on_mount()
        header = self.query_one(GoemoHeader)
        self.watch(self.app, "run_line", lambda text: setattr(header, "run_line", text))
        self.watch(self.app, "machine_line", lambda text: setattr(header, "machine_line", text))
        self.go_home()

    def go_home(self) -> None:
        """Give the focus to `HOME`, where it is there and can take it."""
        home = self.query(self.HOME).first(Widget) if self.HOME and self.query(self.HOME) else None
        if home is not None and home.focusable:
            self.set_focus(home)  # at once: keys that follow in the same breath must not go to the field
        else:
            self.set_focus(None)

    def action_leave_field(self) -> None:
        """Esc: out of a text field to `HOME`; elsewhere a pane that stands alone goes back among the others."""
        if isinstance(self.focused, Input | TextArea):
            self.go_home()
        elif self.maximized is not None:
            self.minimize()

    def on_place_tab_chosen(self, message: PlaceTab.Chosen) -> None:
        """A click on a tab."""
        self.goemo.action_place(message.place)
