"""The whole way as a person goes it, in a real terminal: open, filter, train, watch, leave, come back, ask."""

from __future__ import annotations

import os
import re
import signal
from contextlib import suppress

import pytest

from tests.integration.lasting import until
from tests.integration.terminal import Terminal
from trainer.runs import process
from trainer.runs.run import list_runs


def test_from_comments_to_a_trained_model_and_back() -> None:
    with Terminal() as app:
        app.until("1,120 of 1,120")
        app.press("/")
        app.until(lambda text: "/ Filter" not in text)  # the line has the focus: its key is no longer offered
        app.press("label:grief", "enter")
        seen = app.until(lambda text: re.search(r"train · 4\d of 1,120", text) is not None)
        assert "grief" in seen
        app.until("multi-hot")  # the detail shows what a model will see
        app.press("2")
        app.until("n opens a form")
        app.press("n")
        app.until("goemo-tui train --data sample")
        app.press("tab", "tab", "tab")
        app.until("epochs: 1 to 1000")  # the focused field tells about itself
        app.press("2")
        app.until("epochs=2")
        app.press("tab", "tab", "tab")
        app.until("limit: 0 to")
        app.press("480")
        app.until("limit=480")
        app.press("ctrl+s")
        app.until(lambda text: re.search(r"epoch \d/2 .*\d+%  *\d+/30", text) is not None, 120)
        (run,) = list_runs()
        try:
            first = run.snapshot().step or 0
            app.until(lambda text: (run.snapshot().step or 0) > first and f"{run.snapshot().step}/30" in text, 120)
            assert run.state == "running"
            app.press("q")
            assert app.wait() == 0
            assert run.state in ("running", "finished")  # the training does not notice

            with Terminal() as again:
                again.until("New run")  # where it was left
                again.until(run.short)
                again.until(lambda text: re.search(rf"✓ {run.short}", text) is not None, 180)
                assert run.state == "finished"
                again.press("3")
                again.until(f"model  {run.short}", 60)
                again.press("thanks a lot, this made my day")
                answer = again.until(lambda text: text.count("%") >= 3 and "[CLS]" in text, 60)
                assert "made" in answer and re.search(r"\d ms", answer)
                again.press("escape", "q")
                assert again.wait() == 0
        finally:
            if run.state in ("running", "stalled", "starting"):
                process.stop(run)


@pytest.mark.parametrize(("columns", "rows"), [(80, 24), (120, 36), (40, 10)])
def test_every_place_draws_at_every_size_and_leaves_the_terminal_clean(columns: int, rows: int) -> None:
    with Terminal(columns=columns, rows=rows) as app:
        if columns < 60:
            app.until(lambda text: "small" in text.lower())
            app.press("q")
        else:
            app.until("of 1,120")
            app.press("2")
            app.until("n opens a form")
            app.press("3")
            app.until(lambda text: "no model" in text.lower(), 60)
            assert "goemo-tui train" in app.text or "2, n" in app.text or "n" in app.text
            app.press("escape", "q")
        assert app.wait() == 0
    end = bytes(app.raw[-400:])
    assert b"\x1b[?1049l" in end  # back from the alternate screen
    assert b"\x1b[?25h" in end  # the cursor shows again


def test_a_lost_terminal_ends_the_app() -> None:
    with Terminal() as app:
        app.until("of 1,120")
        os.kill(app.pid, signal.SIGHUP)
        assert app.wait() != 9
    assert b"Traceback" not in app.raw


def test_an_idle_app_under_another_command_ends_with_its_terminal() -> None:
    """Of a terminal that goes only the session's leader is told, and one that waits for the app tells nobody."""
    waits = ("/bin/sh", "-c", 'trap : HUP; "$@"; true', "sh")
    with Terminal(under=waits) as app:
        app.until("of 1,120")
        seen = -1
        while seen != len(app.raw):  # until it has nothing more to draw: a write that fails would tell it
            seen = len(app.raw)
            for _ in range(5):
                app.look(0.4)
        os.dup2(os.open(os.devnull, os.O_RDWR), app.fd)  # the last hold on the terminal's other side
        try:
            until(lambda: os.waitpid(app.pid, os.WNOHANG)[0] == app.pid, "the app lives on without a terminal")
            app.code = 0
        finally:
            with suppress(ProcessLookupError):
                os.killpg(app.pid, signal.SIGKILL)
