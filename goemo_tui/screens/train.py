"""Train: the runs of this machine, the selected one as it goes, and what can be done with it.

The screen draws what the run folders tell and asks workers by the same folders; it trains nothing itself.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import cast

from textual import on
from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical, VerticalScroll
from textual.content import Content
from textual.widgets import ContentSwitcher, Static, TabbedContent, TabPane

from goemo_tui import actions
from goemo_tui.safe_text import clean, content
from goemo_tui.screens.place import Place
from goemo_tui.services import prune, resume
from goemo_tui.services.beside import Done, beside
from goemo_tui.services.runs import RunsChanged, RunView, RunWatch, Told, worker_log
from goemo_tui.widgets.live import Live
from goemo_tui.widgets.run_config import config_page, model_anatomy
from goemo_tui.widgets.run_list import RunList
from goemo_tui.widgets.score_table import ScoreTable
from goemo_tui.wording import score, size
from trainer.encoders import Anatomy
from trainer.runs.prune import Freed, Prunable
from trainer.runs.run import ENDED, Run
from trainer.runs.snapshot import number

NO_RUN = "No run yet: press n.\n\nA training goes on in the background; you can leave and come back."
TABS = ("live", "evaluation", "config", "log")
ANATOMY = "what the model is made of"
STOP_PATIENCE = 120.0
"""Seconds to wait for a worker that was asked to stop, before it is said that it has not."""


class TrainScreen(Place):
    """Runs at the left, the selected one at the right."""

    PLACE = "train"
    HOME = "#runs"
    BINDINGS = actions.bindings("train")
    CSS_PATH = "train.tcss"
    HORIZONTAL_BREAKPOINTS = [(0, "-narrow"), (100, "-wide")]

    def __init__(self) -> None:
        super().__init__()
        self._runs: dict[str, RunView] = {}
        self._chosen: str | None = None
        self._wanted: str | None = None
        self._anatomy: dict[tuple[str, bool], Anatomy | None] = {}
        self._log_text = ""
        self._told: Told | None = None
        self._told_of = ""
        self._page: Content | None = None
        self._keys_for: tuple[str, bool] | None = None

    def body(self) -> ComposeResult:
        """The list, and the selected run behind four tabs."""
        with Horizontal(id="train"):
            runs = RunList(id="runs")
            runs.border_title = "runs"
            runs.add_class("pane")
            yield runs
            with ContentSwitcher(initial="none", id="run", classes="pane"):
                yield Static(NO_RUN, id="none", markup=False)
                with TabbedContent(id="tabs", initial="live"):
                    with TabPane("Live", id="live"):
                        yield Live()
                    with TabPane("Evaluation", id="evaluation"), Vertical():
                        yield Static(id="scores", markup=False)
                        yield ScoreTable(id="score-table")
                    with TabPane("Config", id="config"), VerticalScroll():
                        yield Static(id="config-page")
                    with TabPane("Log", id="log"), VerticalScroll(id="log-scroll"):
                        yield Static(id="log-page")

    def on_mount(self) -> None:
        """Follow the runs."""
        self.watch_of.subscribe(self.post_message)

    def on_unmount(self) -> None:
        """Follow them no more."""
        self.watch_of.unsubscribe(self.post_message)

    @property
    def watch_of(self) -> RunWatch:
        """The app's one watch over the run folders."""
        return self.goemo.runs

    @property
    def selected(self) -> RunView | None:
        """The run shown at the right."""
        return self._runs.get(self._chosen) if self._chosen else None

    # What the runs tell

    @on(RunsChanged)
    def _changed(self, message: RunsChanged) -> None:
        message.stop()
        self._runs = {run.id: run for run in message.runs}
        runs = self.query_one(RunList)
        runs.show(message.runs)
        self._choose_wanted()
        if self._chosen in message.changed or self._chosen not in self._runs:
            self._show()
        else:
            self._check_keys()

    def _choose_wanted(self) -> None:
        """Select the run that was just started as soon as it is in the list."""
        if self._wanted in self._runs:
            self.query_one(RunList).choose(self._wanted)
            self._wanted = None

    @on(RunList.Chosen)
    def _choose(self, message: RunList.Chosen) -> None:
        message.stop()
        if message.run_id != self._chosen:
            self._chosen = message.run_id
            self._log_text, self._page = "", None
            self._show()

    @on(TabbedContent.TabActivated)
    def _tab(self, message: TabbedContent.TabActivated) -> None:
        message.stop()
        self._show()

    def on_screen_resume(self) -> None:
        """Back from another place: what was missed is drawn now."""
        self._show()

    def _show(self) -> None:
        """Draw the selected run's visible tab; the others are drawn when they are looked at."""
        if not self.is_mounted:
            return
        view = self.selected
        switcher = self.query_one("#run", ContentSwitcher)
        current = "tabs" if view else "none"
        if switcher.current != current:
            switcher.current = current
        title = _title(view) if view else ""
        if str(switcher.border_title or "") != title:
            switcher.border_title = Content(title)
        self._check_keys()
        if view is None:
            return
        tab = self.query_one(TabbedContent).active
        if tab == "live":
            self.query_one(Live).show(view)
        elif tab == "evaluation":
            self._show_scores(view)
        elif tab == "config":
            self._show_config(view)
        elif tab == "log":
            self._show_log(view)

    def _show_scores(self, view: RunView) -> None:
        best = view.snapshot.best
        table = self.query_one(ScoreTable)
        head = "No validation yet: the first comes at the end of epoch 1."
        if best is not None:
            figures = [
                ("macro-F1", "macro_f1"),
                ("micro", "micro_f1"),
                ("weighted", "weighted_f1"),
                ("at .3", "macro_f1_at_0.3"),
            ]
            said = "  ".join(f"{name} {score(number(best.get(key)))}" for name, key in figures)
            head = f"best: epoch {best.get('epoch', '?')}  {said}   o O sort"
        self._put("#scores", Content(clean(head)))
        per_label = (best or {}).get("per_label")
        table.show(per_label if isinstance(per_label, dict) else {})
        table.display = best is not None

    def _show_config(self, view: RunView) -> None:
        key = (view.id, view.snapshot.best is not None)
        if key not in self._anatomy:
            self._anatomy[key] = None
            beside(ANATOMY, lambda: (key, model_anatomy(view.folder)), self.post_message)
        page = config_page(view, self._anatomy.get(key))
        if page != self._page:
            self._page = page
            self.query_one("#config-page", Static).update(page)

    def _show_log(self, view: RunView) -> None:
        if self._told is None or self._told_of != view.id:
            self._told, self._told_of = Told(view.folder), view.id
        told = [f"{_clock(wall)}  {words}" for wall, words in self._told.lines()]
        text = "\n".join(["events", *(f"  {line}" for line in told or ["none yet"]), "", "worker.log"])
        text += "\n" + (worker_log(view.folder).rstrip() or "  nothing printed")
        if text == self._log_text:
            return
        self._log_text = text
        box = self.query_one("#log-scroll", VerticalScroll)
        follow = box.max_scroll_y - box.scroll_y <= 1
        self.query_one("#log-page", Static).update(content(text, newlines=True))
        if follow:
            box.scroll_end(animate=False, immediate=False)

    def _put(self, selector: str, text: Content) -> None:
        place = self.query_one(selector, Static)
        if place.content != text:
            place.update(text)

    # What can be done

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """A key that the selected run's state does not allow is not offered."""
        view = self.selected
        if action == "stop_run":
            return view is not None and view.living
        if action == "resume_run":
            return view is not None and view.state in ("stopped", "died", "failed")
        if action == "delete_run":
            return view is not None and not view.living
        if action == "prune_runs":
            return any(run.state in ENDED for run in self._runs.values())
        return True

    def _check_keys(self) -> None:
        view = self.selected
        state = view.state if view else ""
        ended = any(run.state in ENDED for run in self._runs.values())
        if (state, ended) != self._keys_for:
            self._keys_for = (state, ended)
            self.refresh_bindings()

    def action_new_run(self) -> None:
        """Set up a training."""
        from goemo_tui.screens.new_run import NewRunScreen

        def started(run_id: str | None) -> None:
            if run_id:
                self._wanted = run_id
                self._choose_wanted()  # one that waits may have been seen already, and say nothing new for long
                self.query_one(TabbedContent).active = "live"
                self.watch_of.poke()

        self.app.push_screen(NewRunScreen(self.goemo.data, self.goemo.remembered.recent), started)

    def action_stop_run(self) -> None:
        """Ask the worker to stop after its current step."""
        if self.selected is not None:
            self._ask("stop", self.selected)

    def action_resume_run(self) -> None:
        """Start a worker on the selected run again."""
        view = self.selected
        if view is None:
            return
        if view.loses_steps:
            self.notify(f"{view.short} has no checkpoint: it starts over from step 0", severity="warning", timeout=8)
        else:
            self.notify(f"resuming {view.short} …", timeout=2)
        self._ask("resume", view)

    def action_delete_run(self) -> None:
        """Delete the selected run, after asking."""
        from goemo_tui.screens.confirm import Confirm

        view = self.selected
        if view is None:
            return
        question = f"Delete {view.short} with its model and its checkpoints?\n{view.id} cannot be brought back."

        def answered(yes: bool | None) -> None:
            if yes:
                self._ask("delete", view)

        self.app.push_screen(Confirm(question, "Delete it"), answered)

    def action_prune_runs(self) -> None:
        """Free disk, after showing what would go."""
        beside(prune.LOOKING, prune.look, self.post_message)

    def _offer_pruning(self, found: tuple[Prunable, ...]) -> None:
        from goemo_tui.screens.confirm import Confirm

        if self.app.screen is not self:
            return  # somebody who has gone on to something else is not asked
        if not found:
            self.notify(prune.NOTHING)
            return

        def answered(yes: bool | None) -> None:
            if yes:
                beside(prune.FREEING, lambda: prune.remove(found), self.post_message)

        self.app.push_screen(Confirm(prune.question(found), "Free it"), answered)

    def _tell_freed(self, freed: Freed) -> None:
        for trouble in freed.troubles:
            self.notify(trouble, title=prune.FREEING, severity="error", timeout=8)
        self.notify(f"{size(freed.bytes)} are free again")

    def _ask(self, what: str, view: RunView) -> None:
        """Do it beside the screen: a worker may take its time to answer."""
        from trainer.runs import process

        def stop(run: Run) -> None:
            threading.Timer(0.1, self.watch_of.poke).start()
            process.stop(run, STOP_PATIENCE)

        asked: dict[str, Callable[[Run], object]] = {"stop": stop, "resume": resume.take_up, "delete": Run.delete}
        beside(f"{what} {view.short}", lambda: asked[what](Run.open(view.folder)), self.post_message)

    @on(Done)
    def _done(self, message: Done) -> None:
        message.stop()
        if message.name == ANATOMY:
            key, found = cast("tuple[tuple[str, bool], Anatomy | None]", message.value)
            self._anatomy[key] = found
            self._show()
            return
        if message.name == prune.LOOKING and message.error is None:
            self._offer_pruning(cast("tuple[Prunable, ...]", message.value))
            return
        if message.name == prune.FREEING and message.error is None:
            self._tell_freed(cast(Freed, message.value))
        if isinstance(message.value, resume.Resumed):
            for warning in message.value.warnings:
                self.notify(warning, title="Training", severity="warning", timeout=12)
        if message.error is not None:
            self.notify(str(message.error), title=message.name, severity="error", timeout=8)
        self.watch_of.poke()

    def action_next_tab(self) -> None:
        """Live, Evaluation, Config, Log, and round again."""
        tabs = self.query_one(TabbedContent)
        if self.selected is not None:
            tabs.active = TABS[(TABS.index(tabs.active) + 1) % len(TABS)]

    def action_next_order(self) -> None:
        """Sort the scores by the next column."""
        self.query_one(ScoreTable).action_next_order()

    def action_turn_order(self) -> None:
        """Turn the order of the scores round."""
        self.query_one(ScoreTable).action_turn()


def _title(view: RunView) -> str:
    parts = [view.short, view.state]
    if view.config is not None:
        encoder = view.config.encoder.rstrip("/").rpartition("/")[2]
        parts += [encoder, f"{view.config.recipe} recipe"]
    return clean(" · ".join(parts))


def _clock(wall: float | None) -> str:
    return time.strftime("%H:%M:%S", time.localtime(wall)) if wall is not None else "        "
