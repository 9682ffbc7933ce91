"""The command palette's entries: the action table, once more."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from textual.command import CommandInput, CommandPalette, DiscoveryHit, Hit, Hits, Provider
from textual.filter import LineFilter

from goemo_tui import right_to_left
from goemo_tui.actions import ACTIONS, Action, places, told_once
from goemo_tui.language import word
from goemo_tui.over_ssh import REMOTE


class Palette(CommandPalette):
    """Textual's palette, whose cursor does not blink over SSH."""

    def on_mount(self) -> None:
        """An idle screen sends nothing."""
        self.query_one(CommandInput).cursor_blink = not REMOTE

    def get_line_filters(self) -> Sequence[LineFilter]:
        """What shows through is ready."""
        return right_to_left.for_modal(super().get_line_filters())


class ActionProvider(Provider):
    """Offers each action of the table that can be done here. A twin for typing is not offered twice."""

    def _offered(self) -> list[tuple[str, Action]]:
        place = getattr(self.screen, "PLACE", "")
        titles = {name: title for name, title, _ in places()}
        found: dict[tuple[str, str], tuple[str, Action]] = {}
        for action in ACTIONS:
            if action.where not in ("everywhere", place) or action.id in ("app.palette", "app.leave"):
                continue
            where = (
                f"{titles[place]}: "
                if action.where == place
                else f"{word('Go to')} "
                if action.id.startswith("place.")
                else ""
            )
            found.setdefault((action.where, action.name), (f"{where}{action.shown_label}", action))
        return list(found.values())

    def _help(self, action: Action) -> str:
        keys = {a.id: keys for a, keys in told_once(action.where)}
        return f"{' '.join(keys.get(action.id, (action.shown_key,)))}  {action.shown_help}"

    def _do(self, action: Action) -> Callable[[], None]:
        def run() -> None:
            self.app.call_later(self.app.run_action, action.name, self.screen)

        return run

    async def discover(self) -> Hits:
        """Everything, in the table's order."""
        for title, action in self._offered():
            yield DiscoveryHit(title, self._do(action), help=self._help(action))

    async def search(self, query: str) -> Hits:
        """What matches by title or by help text."""
        matcher = self.matcher(query)
        for title, action in self._offered():
            english = max(matcher.match(action.label), 0.6 * matcher.match(action.help))
            score = max(matcher.match(title), 0.6 * matcher.match(action.shown_help), english)
            if score > 0:
                yield Hit(
                    score,
                    matcher.highlight(title),
                    self._do(action),
                    text=title,
                    help=self._help(action),
                )
