"""The command palette's entries: the action table, once more."""

from __future__ import annotations

from collections.abc import Callable

from textual.command import DiscoveryHit, Hit, Hits, Provider

from goemo_tui.actions import ACTIONS, PLACES, Action


class ActionProvider(Provider):
    """Offers each action of the table that can be done here. A twin for typing is not offered twice."""

    def _offered(self) -> list[tuple[str, Action]]:
        place = getattr(self.screen, "PLACE", "")
        titles = {name: title for name, title, _ in PLACES}
        found: dict[tuple[str, str], tuple[str, Action]] = {}
        for action in ACTIONS:
            if action.where not in ("everywhere", place) or action.id in ("app.palette", "app.leave"):
                continue
            where = (
                f"{titles[place]}: " if action.where == place else "Go to " if action.id.startswith("place.") else ""
            )
            found.setdefault((action.where, action.name), (f"{where}{action.label}", action))
        return list(found.values())

    def _do(self, action: Action) -> Callable[[], None]:
        def run() -> None:
            self.app.call_later(self.app.run_action, action.name, self.screen)

        return run

    async def discover(self) -> Hits:
        """Everything, in the table's order."""
        for title, action in self._offered():
            yield DiscoveryHit(title, self._do(action), help=f"{action.shown_key}  {action.help}")

    async def search(self, query: str) -> Hits:
        """What matches by title or by help text."""
        matcher = self.matcher(query)
        for title, action in self._offered():
            score = max(matcher.match(title), 0.6 * matcher.match(action.help))
            if score > 0:
                yield Hit(
                    score,
                    matcher.highlight(title),
                    self._do(action),
                    text=title,
                    help=f"{action.shown_key}  {action.help}",
                )
