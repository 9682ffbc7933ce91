"""What can be done with the charts and the log of the selected run: keys of the Train screen that Live and Log answer.

It asks the two widgets and knows nothing of how they draw.
"""

from __future__ import annotations

from textual.widgets import TabbedContent

from goemo_tui.screens.place import Place
from goemo_tui.services.runs import RunView
from goemo_tui.widgets.curve import Curve
from goemo_tui.widgets.live import Live
from goemo_tui.widgets.log_view import LogView

ON_CHARTS = ("log_scale", "next_smoothing", "zoom_in", "zoom_out")


class LiveActions(Place):
    """Log scale, smoothing, zoom; search and follow of the log."""

    @property
    def selected(self) -> RunView | None:
        """The run that is meant."""
        raise NotImplementedError

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """The charts' keys are theirs while they are looked at; the log's open it."""
        if action in ON_CHARTS:
            return self.selected is not None and self.query_one("#tabs", TabbedContent).active == "live"
        if action in ("search_log", "follow_log"):
            return self.selected is not None
        return super().check_action(action, parameters)

    def action_log_scale(self) -> None:
        """The y axis logarithmic or straight."""
        self.query_one(Live).log_scale()

    def action_next_smoothing(self) -> None:
        """Raw and smoothed, smoothed only, raw only."""
        self.query_one(Live).next_smoothing()

    def action_zoom_in(self) -> None:
        """Closer."""
        self.query_one(Live).zoom_in()

    def action_zoom_out(self) -> None:
        """Further away."""
        self.query_one(Live).zoom_out()

    def leave_chart(self) -> None:
        """A chart that stands alone goes back into its tab, before another tab is shown."""
        if isinstance(self.maximized, Curve):
            self.minimize()
            self.go_home()

    def action_search_log(self) -> None:
        """Open the log and its search line."""
        self.leave_chart()
        self.query_one("#tabs", TabbedContent).active = "log"
        self.call_after_refresh(self.query_one(LogView).action_search)

    def action_follow_log(self) -> None:
        """Open the log; where it is open, follow its end or hold still."""
        self.leave_chart()
        tabs = self.query_one("#tabs", TabbedContent)
        if tabs.active == "log":
            self.query_one(LogView).action_follow()
        else:
            tabs.active = "log"
