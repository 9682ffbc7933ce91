"""What can be done with a run, as far as it does not depend on how the Train screen is laid out.

Every request goes to the run's folder, in a thread beside the screen; the watch over the folders tells what came of it.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import cast

from textual import on

from goemo_tui.screens.place import Place
from goemo_tui.services import prune, resume
from goemo_tui.services.beside import Done, beside
from goemo_tui.services.runs import RunView, RunWatch
from goemo_tui.services.train_command import command_of_run
from goemo_tui.widgets.score_table import ScoreTable
from goemo_tui.wording import size
from trainer.runs.prune import Freed, Prunable
from trainer.runs.run import Run

STOP_PATIENCE = 120.0
"""Seconds to wait for a worker that was asked to stop, before it is said that it has not."""


class RunActions(Place):
    """Stop, resume, delete, prune, name, compare, copy, and what a run got wrong."""

    @property
    def watch_of(self) -> RunWatch:
        """The app's one watch over the run folders."""
        return self.goemo.runs

    @property
    def selected(self) -> RunView | None:
        """The run that is meant."""
        raise NotImplementedError

    @property
    def pinned(self) -> tuple[RunView, ...]:
        """The runs that were pinned."""
        raise NotImplementedError

    def action_stop_run(self) -> None:
        """Ask the worker to stop after its current step."""
        if self.selected is not None:
            self.goemo.alerts.asked_to_stop(self.selected.id)
            self._ask("stop", self.selected)

    def action_resume_run(self) -> None:
        """Start a worker on the selected run again."""
        view = self.selected
        if view is None:
            return
        if view.loses_steps:
            self.notify(f"{view.title} has no checkpoint: it starts over from step 0", severity="warning", timeout=8)
        else:
            self.notify(f"resuming {view.title} …", timeout=2)
        self._ask("resume", view)

    def action_delete_run(self) -> None:
        """Delete the selected run, after asking."""
        from goemo_tui.screens.confirm import Confirm

        view = self.selected
        if view is None:
            return
        question = f"Delete {view.title} with its model and its checkpoints?\n{view.id} cannot be brought back."

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
        beside(f"{what} {view.title}", lambda: asked[what](Run.open(view.folder)), self.post_message)

    @on(Done)
    def _done(self, message: Done) -> None:
        message.stop()
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

    # What is known of it

    def action_about_run(self) -> None:
        """Name and note of the selected run."""
        from goemo_tui.screens.about_run import AboutRun

        if self.selected is not None:
            self.app.push_screen(AboutRun(self.selected), lambda _: self.watch_of.poke())

    def action_copy_command(self) -> None:
        """The command that makes the selected run again, into the clipboard."""
        view = self.selected
        if view is None:
            return
        if view.config is None:
            self.notify(view.trouble or "its config.toml cannot be read", severity="error")
            return
        self.goemo.copy(command_of_run(view.config), f"the command that makes {view.title} again")

    def action_compare_runs(self) -> None:
        """The pinned runs side by side, or the selected one with the one that is pinned."""
        from goemo_tui.screens.compare import CompareScreen

        runs = list(self.pinned)
        if self.selected is not None and self.selected not in runs and len(runs) < 2:
            runs.append(self.selected)
        if len(runs) < 2:
            self.notify("Two runs are needed: pin one with space (or a click on its sign), select another, then c")
            return
        self.app.push_screen(CompareScreen([run.folder for run in runs], self.watch_of))

    @on(ScoreTable.Opened)
    def _open_errors(self, message: ScoreTable.Opened) -> None:
        """What the selected run got wrong for one emotion."""
        from goemo_tui.screens.errors import ErrorsScreen

        message.stop()
        view = self.selected
        if view is not None:
            labels = self.query_one(ScoreTable).names
            self.app.push_screen(
                ErrorsScreen(view.folder, view.title, message.label, labels, message.kind, self._inspect)
            )

    def _inspect(self, text: str, model: str, emotion: str) -> None:
        """Take a comment and the model that judged it to Inspect; the list stays, to be come back to."""
        from goemo_tui.screens.inspect import InspectScreen

        def ask() -> None:
            if isinstance(self.app.screen, InspectScreen):
                self.app.screen.ask(text, model, emotion, "mistakes")

        self.goemo.action_place("inspect")
        self.app.call_later(ask)
