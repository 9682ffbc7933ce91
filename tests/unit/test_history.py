"""The history on the disk: one line an entry, never more than a thousand, whatever else happens to the file."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from goemo_tui.services import history
from goemo_tui.services.history import Entry, HistoryError, append, clear, history_file, read_history
from goemo_tui.services.prediction import Emotion


def entry(text: str, threshold: float | str = "tuned") -> Entry:
    return Entry(text, "calm-otter", threshold, (Emotion("joy", 0.8, 0.4, True),), 1_700_000_000.5)


def texts() -> list[str]:
    return [e.text for e in read_history()]


def test_what_was_kept_comes_back_newest_first() -> None:
    assert read_history() == ()
    odd = 'a "quote"\n\x1b[2J \u202e ' + "é🙂"
    for text in ("first", odd):
        append(entry(text, 0.3))
    assert read_history() == (entry(odd, 0.3), entry("first", 0.3))


def test_only_the_owner_can_read_it(goemo_home: Path) -> None:
    old = os.umask(0)
    try:
        append(entry("mine"))
    finally:
        os.umask(old)
    assert history_file() == goemo_home / "state" / "history.jsonl"
    assert history_file().stat().st_mode & 0o777 == 0o600
    history_file().chmod(0o644)
    append(entry("again"))
    assert history_file().stat().st_mode & 0o777 == 0o600


def test_the_oldest_go(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(history, "MOST", 5)
    for i in range(8):
        append(entry(f"{i}"))
    assert texts() == ["7", "6", "5", "4", "3"]
    assert len(history_file().read_text().splitlines()) == 5
    assert history_file().stat().st_mode & 0o777 == 0o600


def test_where_it_cannot_be_rewritten_all_of_it_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(history, "MOST", 2)
    append(entry("1"))
    append(entry("2"))

    def full(self: Path, target: Path) -> Path:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "replace", full)
    with pytest.raises(HistoryError, match="No space left"):
        append(entry("3"))
    assert history_file().read_text().count("\n") == 3
    assert sorted(p.name for p in history_file().parent.iterdir()) == [".history.jsonl.lock", "history.jsonl"]


@pytest.mark.parametrize(
    "line",
    [
        b"{", b"[]", b"null", b"\xff\xfe", b'{"text": 1}', b"[" * 5000, b'"' + b"x" * 70_000 + b'"',
        b'{"when":1,"model":"m","threshold":"odd","text":"t","emotions":[]}',
        b'{"when":1,"model":"m","threshold":NaN,"text":"t","emotions":[]}',
        b'{"when":1,"model":"m","threshold":0.3,"text":"t","emotions":[{"emotion":3,"probability":1,"threshold":1}]}',
        b'{"when":1,"model":"m","threshold":0.3,"text":" ","emotions":[]}',
    ],
)  # fmt: skip
def test_a_broken_line_costs_that_line_only(line: bytes) -> None:
    append(entry("before"))
    with history_file().open("ab") as file:
        file.write(line + b"\n")
    append(entry("after"))
    assert texts() == ["after", "before"]


def test_half_a_line_does_not_swallow_the_next() -> None:
    append(entry("before"))
    with history_file().open("ab") as file:
        file.write(b'{"when": 17')
    append(entry("after"))
    assert texts() == ["after", "before"]


ONE_APP = """
import sys
from goemo_tui.services import history
from tests.unit.test_history import entry
history.MOST = 40
for i in range(30):
    history.append(entry(f"{sys.argv[1]}{i}"))
"""


def test_apps_side_by_side_do_not_lose_each_others_lines() -> None:
    apps = [subprocess.Popen([sys.executable, "-c", ONE_APP, name]) for name in "abc"]
    assert [app.wait(60) for app in apps] == [0, 0, 0]
    lines = [json.loads(line)["text"] for line in history_file().read_text().splitlines()]
    assert len(lines) == 40
    for name in "abc":
        mine = [int(text[1:]) for text in lines if text[0] == name]
        assert mine == list(range(30 - len(mine), 30)), "the newest of each, in order, none left out"


def test_it_can_be_forgotten() -> None:
    append(entry("secret"))
    clear()
    assert read_history() == () and not history_file().exists()
    clear()


def test_a_folder_that_cannot_be_written_is_said(goemo_home: Path) -> None:
    goemo_home.mkdir()
    (goemo_home / "state").write_text("")
    with pytest.raises(HistoryError, match="cannot be kept"):
        append(entry("x"))


def test_a_line_is_copied_as_predict_says_it() -> None:
    assert entry("so happy").document() == {
        "model": "calm-otter",
        "results": [
            {"text": "so happy", "emotions": [{"emotion": "joy", "probability": 0.8, "threshold": 0.4}]}
        ],
    }  # fmt: skip
