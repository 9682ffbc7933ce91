"""What is told of runs that end, die, fall silent or diverge: each once, nothing old, nothing one did oneself."""

from __future__ import annotations

import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from goemo_tui.services.alerts import LONGEST, Alerts, added, terminal_codes, tmux_passes
from goemo_tui.services.runs import RunView
from trainer.runs.snapshot import Snapshot

NOW = time.time()


def view(id: str = "20261124-0412-calm-otter", state: str = "running", **seen: Any) -> RunView:
    snapshot = Snapshot(**{"wall": NOW + 5, "seq": 7, "step": 140, **seen})
    return RunView(id, id[14:], Path("/runs") / id, state, None, snapshot, created=NOW - 100)


def said(alerts: Alerts, *runs: RunView) -> list[str]:
    return [alert.text for alert in alerts.news(runs)]


@pytest.mark.parametrize(
    ("state", "end", "words", "severity"),
    [
        ("finished", {}, "calm-otter has finished, macro-F1 .531 on dev", "information"),
        ("failed", {"error": "the loss is NaN"}, "calm-otter has failed: the loss is NaN", "error"),
        ("stopped", {}, "calm-otter was stopped at step 140", "information"),
        ("died", None, "calm-otter has died: it was killed", "error"),
    ],
)
def test_an_end_is_told_once(state: str, end: dict[str, Any] | None, words: str, severity: str) -> None:
    alerts = Alerts(NOW)
    assert said(alerts, view()) == []
    over = replace(
        view(state=state, end=end, seq=8, validations=({"macro_f1": 0.531, "best": True},)), why="it was killed"
    )
    (alert,) = alerts.news([over])
    assert (alert.text, alert.severity, alert.run_id) == (words, severity, over.id)
    assert said(alerts, over) == []
    assert said(alerts, replace(over, state="unknown")) == [] and said(alerts, over) == [], (
        "a look that failed is no end"
    )


def test_what_ended_before_the_app_was_opened_is_no_news() -> None:
    alerts = Alerts(NOW)
    assert said(alerts, view(state="finished", wall=NOW - 60)) == []
    assert said(alerts, view(state="finished", wall=NOW - 60)) == []


def test_a_run_that_began_and_ended_between_two_looks_is_told() -> None:
    alerts = Alerts(NOW)
    assert said(alerts, view("20261124-0001-old-one", "finished", wall=NOW - 60)) == []
    assert said(alerts, view(state="failed", end={"error": "x"})) == ["calm-otter has failed: x"]


def test_a_stop_that_one_asked_for_oneself_is_not_told_but_another_end_is() -> None:
    alerts = Alerts(NOW)
    said(alerts, view())
    alerts.asked_to_stop(view().id)
    assert said(alerts, view(state="stopping")) == []
    assert said(alerts, view(state="stopped", seq=8)) == []
    assert said(alerts, view(state="running", seq=9)) == []
    assert len(said(alerts, view(state="stopped", seq=10))) == 1, "this time somebody else did it"
    said(alerts, view(state="running", seq=11))
    alerts.asked_to_stop(view().id)
    assert said(alerts, view(state="failed", seq=12, end={"error": "disk full"})) == [
        "calm-otter has failed: disk full"
    ]


def test_a_run_that_is_taken_up_again_and_ends_again_is_told_again() -> None:
    alerts = Alerts(NOW)
    said(alerts, view())
    assert len(said(alerts, view(state="died", seq=8))) == 1
    said(alerts, view(state="running", seq=9))
    assert len(said(alerts, view(state="died", seq=10))) == 1


def test_silence_is_told_once_until_it_speaks_again() -> None:
    alerts = Alerts(NOW)
    said(alerts, view())
    assert len(said(alerts, view(state="stalled"))) == 1
    assert said(alerts, view(state="stalled")) == []
    said(alerts, view())
    assert len(said(alerts, view(state="stalled"))) == 1


LEFT_OUT = "loss or gradient of 3 steps up to step 9 was NaN or infinite: left out"
BACK = "loss or gradient is NaN or infinite, 10 steps in a row at step 20; once more with half the rate: back to the checkpoint of step 5"


def test_a_training_that_diverges_is_told_and_one_that_warns_of_other_things_is_not() -> None:
    alerts = Alerts(NOW)
    said(alerts, view(warnings=("NaN of long ago",)))
    told: tuple[str, ...] = ("NaN of long ago",)
    for text, heard in (
        (LEFT_OUT, True),
        (LEFT_OUT.replace("9", "12"), False),
        ("the disk is full", False),
        (BACK, True),
    ):
        told = (*told, text)
        assert bool(said(alerts, view(warnings=told))) is heard, text
    assert said(alerts, view(warnings=told)) == []


def test_what_is_new_is_found_where_old_warnings_fell_away() -> None:
    old = [str(n) for n in range(100)]
    assert added(old, [*old[2:], "new", "newer"]) == ["new", "newer"]
    assert added(old, old) == [] and added([], ["a"]) == ["a"] and added(["x"], ["a"]) == ["a"]


def test_at_the_start_it_is_told_once_what_ended_in_the_meantime() -> None:
    seen = {"at": NOW - 1000, "living": ["20261124-0412-calm-otter"]}
    was_living = view(state="died", wall=NOW - 2000)
    other = view("20261124-0500-brave-elk", "finished", wall=NOW - 500, validations=({"macro_f1": 0.5, "best": True},))
    older = view("20261124-0300-old-one", "finished", wall=NOW - 5000)
    alerts = Alerts(NOW, seen)
    assert said(alerts) == []
    (alert,) = alerts.news([other, was_living, older])
    assert alert.text == "2 runs ended since you left: brave-elk ✓ .500, calm-otter † died"
    assert alert.severity == "warning"
    assert said(alerts, other, was_living, older) == []
    kept = alerts.seen()
    assert kept["living"] == [] and kept["at"] >= NOW
    assert said(Alerts(NOW), other, was_living, older) == [], "nobody has ever left"


@pytest.mark.parametrize(
    "seen", [{}, {"at": "x"}, {"at": NOW - 1000, "living": 7}, {"at": NOW - 1000, "living": [None]}]
)
def test_a_memory_that_is_broken_tells_nothing_false(seen: dict[str, Any]) -> None:
    assert said(Alerts(NOW, seen), view(state="finished", wall=NOW - 5000)) == []


def test_what_is_kept_names_the_living() -> None:
    alerts = Alerts(NOW)
    said(alerts, view(), view("20261124-0300-old-one", "finished"))
    assert alerts.seen()["living"] == [view().id]


# -- the terminal


HOSTILE = "calm-otter: \x1b]52;c;aGk=\x07\x9b2J\nsecond line " + "x" * 300


def test_a_toast_writes_nothing_and_a_bell_is_a_bell() -> None:
    assert terminal_codes(HOSTILE, "toast", tmux=False) == ""
    assert terminal_codes(HOSTILE, "bell", tmux=True) == "\a"


@pytest.mark.parametrize(("tmux", "escapes"), [(False, 1), (True, 4)])
def test_a_notification_is_one_clean_short_line(tmux: bool, escapes: int) -> None:
    codes = terminal_codes(HOSTILE, "desktop", tmux=tmux, passthrough=True)
    text = codes.partition("]9;")[2].partition("\a")[0]
    assert text.startswith("goemo: calm-otter") and len(text) <= LONGEST
    assert not any(ord(char) < 0x20 or 0x7F <= ord(char) < 0xA0 for char in text)
    assert codes.count("\x1b") == escapes
    assert codes.startswith("\x1bPtmux;\x1b\x1b]9;" if tmux else "\x1b]9;")
    assert codes.endswith("\x1b\\\a" if tmux else "\a")


def test_a_tmux_that_lets_nothing_pass_gets_a_bell(monkeypatch: pytest.MonkeyPatch) -> None:
    assert terminal_codes("x", "desktop", tmux=True, passthrough=False) == "\a"
    monkeypatch.delenv("TMUX", raising=False)
    assert not tmux_passes()
    monkeypatch.setenv("TMUX", "/nowhere/socket,1,0")
    assert not tmux_passes()
