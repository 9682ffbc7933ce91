"""A run that ends while the app is open in a real terminal: the desktop notification is what arrives there."""

from __future__ import annotations

import re

import pytest

from tests.integration.terminal import Terminal
from trainer.config import TrainConfig
from trainer.runs.events import EventLog
from trainer.runs.lock import RunLock
from trainer.runs.run import Run

HOSTILE = "boom \x1b]52;c;aGk=\x07 \x9b2J [/s]"


@pytest.mark.parametrize("how", ["desktop", "bell", "toast"])
def test_a_failed_run_reaches_the_terminal_once_and_clean(how: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("TMUX", raising=False)
    run = Run.create(TrainConfig(epochs=2))
    with Terminal(GOEMO_ALERTS=how) as terminal, RunLock(run.folder):
        with EventLog(run.folder / "events.jsonl") as log:
            log.append("started", step=0, steps=100, epochs=2)
            terminal.until(run.short)
            before = len(terminal.raw)
            log.append("failed", step=1, error=HOSTILE, reason="error")
        terminal.until("has failed")
        terminal.look(1.0)
        told = bytes(terminal.raw[before:])
        notices = re.findall(rb"\x1b\]9;([^\x07\x1b]*)\x07", told)
        assert [text.startswith(f"goemo: {run.short} has failed: boom".encode()) for text in notices] == (
            [True] if how == "desktop" else []
        )
        assert b"\x1b]52" not in told and b"\x1b[2J" not in told
        rest = re.sub(rb"\x1b\][^\x07]*\x07", b"", told)
        assert rest.count(b"\x07") == (1 if how == "bell" else 0)
        terminal.press("q")
        terminal.wait()
