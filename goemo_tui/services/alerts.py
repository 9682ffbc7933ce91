"""What a person who looks elsewhere should hear of: a run that ended, died, fell silent or diverged; once each.

Compares what the run folders tell with what they told before. Knows no widget; what is written to the terminal beside a
toast is made here as text, the app writes it.
"""

from __future__ import annotations

import os
import re
import subprocess
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from goemo_tui.safe_text import cells, clean
from goemo_tui.services.runs import RunView
from goemo_tui.wording import MARKS, score
from trainer.runs.run import ENDED
from trainer.runs.snapshot import number

LONGEST = 120
"""Characters of a desktop notification."""

MOST_NAMED = 4

DIVERGES = re.compile(r"NaN|infinite|half the rate|: back to (the checkpoint|the beginning)")
"""What the warnings of a training that diverges, or is set back, have in common."""

LEFT_OUT = re.compile(r"left out$")
"""Of these there may be one every few steps: the first of a run is told."""

Severity = Literal["information", "warning", "error"]


@dataclass(frozen=True)
class Alert:
    """One thing to be told. `text` is as files say it: clean it."""

    run_id: str
    title: str
    text: str
    severity: Severity


class Alerts:
    """Remembers what was told. `opened` is when the app was: what ended before is no news."""

    def __init__(self, opened: float | None = None, seen: Mapping[str, Any] | None = None) -> None:
        self._opened = time.time() if opened is None else opened
        self._seen: Mapping[str, Any] | None = seen
        self._known: dict[str, RunView] = {}
        self._left_out: set[str] = set()
        self._own: set[str] = set()
        self._told: set[tuple[str, str, int]] = set()
        self._greeted = False

    @property
    def greeted(self) -> bool:
        """Whether the runs have been looked at."""
        return self._greeted

    def asked_to_stop(self, run_id: str) -> None:
        """The person at this screen has just stopped it: no need to tell him."""
        self._own.add(run_id)

    def news(self, runs: Sequence[RunView]) -> list[Alert]:
        """What is to be told now that the runs are as given."""
        found = self._since_left(runs)
        for run in runs:
            found += self._of(run)
        self._known = {run.id: run for run in runs}
        return found

    def seen(self) -> dict[str, Any]:
        """What to remember until the next start: when the runs were last looked at, and which were under way."""
        return {"at": time.time(), "living": [run.id for run in self._known.values() if run.living]}

    def _since_left(self, runs: Sequence[RunView]) -> list[Alert]:
        """At the first look: what ended since the app was left."""
        if self._greeted or not runs:
            return []
        self._greeted = True
        at = number((self._seen or {}).get("at"))
        living = (self._seen or {}).get("living")
        if at is None:
            return []
        were = set(living) if isinstance(living, list) and all(isinstance(x, str) for x in living) else set()
        ended = [
            run
            for run in runs
            if run.state in ENDED and run.since < self._opened and (run.id in were or run.since > at)
        ]
        if not ended:
            return []
        many = "1 run ended" if len(ended) == 1 else f"{len(ended)} runs ended"
        named = ", ".join(f"{cells(run.title, 24)} {_how(run)}" for run in ended[:MOST_NAMED])
        more = f" and {len(ended) - MOST_NAMED} more" if len(ended) > MOST_NAMED else ""
        worst: Severity = "warning" if any(run.state in ("failed", "died") for run in ended) else "information"
        return [Alert(ended[0].id, "Training", f"{many} since you left: {named}{more}", worst)]

    def _of(self, run: RunView) -> Iterable[Alert]:
        before = self._known.get(run.id)
        if before is not None and before.state in ENDED and run.living and run.state != "stopping":
            self._own.discard(run.id)  # it was taken up again
            self._left_out.discard(run.id)
        this = (run.id, run.state, run.snapshot.seq)
        if run.state in ENDED and this not in self._told:
            self._told.add(this)
            if before is not None or run.since >= self._opened:
                yield from self._end(run)
        elif before is not None and run.state == "stalled" and before.state != "stalled":
            yield Alert(run.id, "Training", f"{run.title} has said nothing for a while; its log tells more", "warning")
        if before is not None and run.living:
            yield from self._warnings(run, before)

    def _end(self, run: RunView) -> Iterable[Alert]:
        own = run.id in self._own
        self._own.discard(run.id)
        end = run.snapshot.end or {}
        if run.state == "stopped" and own:
            return
        if run.state == "finished":
            best = f", macro-F1 {score(run.best_f1)} on dev" if run.best_f1 is not None else ""
            yield Alert(run.id, "Training", f"{run.title} has finished{best}", "information")
        elif run.state == "failed":
            why = clean(str(end.get("error") or "its log tells why"), limit=240)
            yield Alert(run.id, "Training", f"{run.title} has failed: {why}", "error")
        elif run.state == "died":
            yield Alert(run.id, "Training", f"{run.title} has died: {run.why or 'its process is gone'}", "error")
        else:
            yield Alert(run.id, "Training", f"{run.title} was stopped at step {run.snapshot.step:,}", "information")

    def _warnings(self, run: RunView, before: RunView) -> Iterable[Alert]:
        for text in added(before.snapshot.warnings, run.snapshot.warnings):
            if not DIVERGES.search(text):
                continue
            if LEFT_OUT.search(text):
                if run.id in self._left_out:
                    continue
                self._left_out.add(run.id)
            yield Alert(run.id, "Training", f"{run.title}: {clean(text, limit=240)}", "warning")


def added(before: Sequence[str], now: Sequence[str]) -> Sequence[str]:
    """What came behind `before`; the oldest of a long list fall away in front."""
    for dropped in range(len(before) + 1):
        kept = before[dropped:]
        if tuple(now[: len(kept)]) == tuple(kept):
            return now[len(kept) :]
    return now


def _how(run: RunView) -> str:
    if run.state == "finished":
        return f"{MARKS['finished']} {score(run.best_f1)}" if run.best_f1 is not None else MARKS["finished"]
    return f"{MARKS.get(run.state, '?')} {run.state}"


def terminal_codes(text: str, how: str, tmux: bool, passthrough: bool = False) -> str:
    """What to write to the terminal for an alert: a bell, or a desktop notification (OSC 9), or nothing for a toast.

    tmux hands a notification on only where it lets such codes pass; elsewhere it gets the bell, which it knows.
    """
    if how == "bell" or (how == "desktop" and tmux and not passthrough):
        return "\a"
    if how != "desktop":
        return ""
    # a text that began with a number and a semicolon would be another command in some terminals
    line = f"\x1b]9;goemo: {cells(text, LONGEST - 8)}\a"
    return f"\x1bPtmux;{line.replace(chr(27), chr(27) * 2)}\x1b\\\a" if tmux else line


def tmux_passes() -> bool:
    """Whether the tmux around us lets codes of its programs pass to the terminal. Asks it: for a thread."""
    if not os.environ.get("TMUX"):
        return False
    command = ["tmux", "display-message", "-p", "#{allow-passthrough}"]
    try:
        told = subprocess.run(command, capture_output=True, text=True, timeout=2, check=False).stdout.strip()
        if not told:
            ask = ["tmux", "show-options", "-Apv", "allow-passthrough"]
            told = subprocess.run(ask, capture_output=True, text=True, timeout=2, check=False).stdout.strip()
    except (OSError, subprocess.SubprocessError):
        return False
    return told in ("on", "all", "1")
