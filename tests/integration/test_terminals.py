"""The program in tmux, in small and large windows and in poor terminals: open, filter, look at a run, ask, leave.

What is looked at is what tmux holds: the text of the pane, and its colours where they are the question.
"""

from __future__ import annotations

import re
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.integration.lasting import until
from tests.integration.tmux import Tmux
from tests.unit import scripted_child
from tests.unit.command_line import finished

pytestmark = pytest.mark.skipif(shutil.which("tmux") is None, reason="tmux is not installed")

LAUNCH = """
import json, sys
from goemo_tui.services import predictor
command = tuple(json.loads(sys.argv.pop(1)))
from goemo_tui.app import GoemoApp
from goemo_tui.screens.inspect import InspectScreen
GoemoApp.MODES = {**GoemoApp.MODES, "inspect": lambda: InspectScreen(command)}
from goemo_tui.cli import main
sys.exit(main(sys.argv[1:]))
"""
"""`goemo-tui` with a child that knows no model and answers at once."""

KINDS: dict[str, dict[str, str]] = {
    "xterm-256color": {"TERM": "xterm-256color", "COLORTERM": "truecolor"},
    "screen": {"TERM": "screen", "COLORTERM": ""},
    "linux": {"TERM": "linux", "COLORTERM": ""},
    "NO_COLOR": {"TERM": "xterm-256color", "COLORTERM": "truecolor", "NO_COLOR": "1"},
    "LANG=C": {"TERM": "xterm-256color", "COLORTERM": "", "LANG": "C", "LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"},
}  # fmt: skip

MARK = "the-shell-is-back"


def shell(columns: int, rows: int, folder: Path, **environment: str) -> Tmux:
    """A shell in a window of its own; what is "" in `environment` is unset."""
    words = [f"{key}={value}" for key, value in environment.items() if value]
    gone = [word for key, value in environment.items() if not value for word in ("-u", key)]
    return Tmux(["env", "-u", "TMUX", *gone, *words, "PS1=sh> ", "sh"], columns, rows, folder)


@pytest.fixture
def launch(goemo_home: Path, tmp_path: Path) -> Iterator[str]:
    """A file to be run by a shell; there is a finished run, and a model that answers."""
    import json

    finished()
    model = tmp_path / "model"
    model.mkdir()
    (model / "vocab.txt").write_text("[PAD]\n[UNK]\n[CLS]\n[SEP]\nso\nhappy\n")
    (model / "config.json").write_text("{}")
    file = tmp_path / "launch.py"
    file.write_text(LAUNCH)
    child = json.dumps(scripted_child.command("works", tmp_path / "asked.jsonl"))
    line = tmp_path / "goemo"
    line.write_text(f"#!/bin/sh\nexport CHILD_MODEL_PATH='{model}'\nexec '{sys.executable}' '{file}' '{child}'\n")
    line.chmod(0o755)
    yield str(line)
    assert not (goemo_home / "state" / "app.log").exists(), (goemo_home / "state" / "app.log").read_text()


def at_home(text: str) -> bool:
    """No field is open: letters are keys."""
    return "q Quit" in text.replace("^q Quit", "")


def colours(painted: str) -> set[str]:
    """The colours in use, as the parameters that set them."""
    found: set[str] = set()
    for code in re.findall(r"\x1b\[([0-9;:]*)m", painted):
        found |= set(re.findall(r"(?:^|;)((?:[34]8[;:](?:2|5)[;:][0-9;:]+)|(?:[349]|10)[0-7])(?=;|$)", code))
    return found


@pytest.mark.parametrize("kind", list(KINDS))
@pytest.mark.parametrize(("columns", "rows"), [(80, 24), (120, 36)])
def test_the_way_through_the_places(kind: str, columns: int, rows: int, launch: str, tmp_path: Path) -> None:
    if kind not in ("xterm-256color", "linux") and columns != 80:
        pytest.skip("one size is enough for what only colours and letters differ in")
    with shell(columns, rows, tmp_path, **KINDS[kind]) as pane:
        before = pane.until("sh>")
        pane.press(f"{launch}; echo {MARK[:9]}''{MARK[9:]}", "enter")
        pane.until("1,120 of 1,120")
        pane.press("/", "label:grief")
        pane.until(lambda text: re.search(r"4\d of 1,120", text) is not None)
        pane.press("enter")
        pane.until(at_home)
        judge_colours(kind, pane.painted)
        pane.press("2")
        seen = pane.until(lambda text: "macro-F1" in text and ".500" in text)
        assert "Evaluation" in seen and "Config" in seen
        pane.press("v")
        pane.until("F1")
        judge_colours(kind, pane.painted)
        pane.press("3")
        pane.until(lambda text: "type a sentence" in text or "threshold" in text)
        pane.press("so happy")
        seen = pane.until(lambda text: "joy" in text and "80%" in text)
        assert "%" in seen
        if kind == "LANG=C":
            assert seen.isascii(), [char for char in seen if not char.isascii()]
        judge_colours(kind, pane.painted)
        pane.press("escape")
        pane.until(at_home)
        pane.press("?")
        pane.until("Esc closes")
        pane.press("escape")
        pane.until(lambda text: "Esc closes" not in text)
        pane.press("q")
        left = pane.until(MARK)
        assert left.startswith(before.rstrip("\n"))  # the shell's own screen is back, nothing of ours on it
        assert "Data" not in left.replace("Data/", "")
        restored(pane)


def judge_colours(kind: str, painted: str) -> None:
    """Only colours that the terminal has, and the focus can be told without any."""
    used = colours(painted)
    if kind == "NO_COLOR":
        assert not used
    elif kind == "linux":
        assert used and all(len(colour) <= 3 for colour in used), used
    else:
        assert used


@pytest.mark.parametrize("kind", ["xterm-256color", "linux", "NO_COLOR"])
def test_a_window_that_is_too_small_says_so_and_comes_back(kind: str, launch: str, tmp_path: Path) -> None:
    with shell(40, 10, tmp_path, **KINDS[kind]) as pane:
        pane.until("sh>")
        pane.press(f"{launch}; echo {MARK[:9]}''{MARK[9:]}", "enter")
        seen = pane.until("too small")
        assert "40x10" in seen and "60x16" in seen
        pane("resize-window", "-x", "80", "-y", "24")
        pane.until("1,120 of 1,120")
        pane.until(at_home)
        pane("resize-window", "-x", "50", "-y", "12")
        pane.until(lambda text: "too small: 50x12" in text and "1,120" not in text)
        pane("resize-window", "-x", "80", "-y", "24")
        pane.until("1,120 of 1,120")
        pane.until(at_home)
        pane.press("q")
        pane.until(MARK)
        restored(pane)


def test_the_size_is_the_terminal_s_own(launch: str, tmp_path: Path) -> None:
    """Some shells export COLUMNS and LINES, of a window that is no more or has another size by now."""
    with shell(50, 12, tmp_path, COLUMNS="120", LINES="40", **KINDS["screen"]) as pane:
        pane.until("sh>")
        pane.press(f"{launch}", "enter")
        assert "50x12" in pane.until("too small")


@pytest.mark.parametrize("kind", ["xterm-256color", "linux", "NO_COLOR"])
def test_the_focus_is_seen_without_colours(kind: str, launch: str, tmp_path: Path) -> None:
    with shell(80, 24, tmp_path, **KINDS[kind]) as pane:
        pane.until("sh>")
        pane.press(f"{launch}", "enter")
        pane.until("1,120 of 1,120")
        pane.until(at_home)
        pictures = []
        for _ in range(3):
            pictures.append(without_colours(pane.painted))
            pane.press("tab")
            until(
                lambda: without_colours(pane.painted) != pictures[-1],
                "Tab changes nothing that is seen without colours",
            )
        assert len(set(pictures)) == len(pictures)


def without_colours(painted: str) -> str:
    """The pane's letters, and which of them are bold, reversed or underlined."""

    def plain(code: re.Match[str]) -> str:
        kept = [p for p in re.sub(r"[34]8[;:](?:2|5)[;:][0-9;:]+", "", code[1]).split(";") if p in ("0", "1", "4", "7")]
        return f"<{','.join(kept)}>" if kept else ""

    return re.sub(r"\x1b\[([0-9;:]*)m", plain, painted)


def restored(pane: Tmux) -> None:
    """The shell's terminal is as it was: its own screen, a cursor, no mouse, no paste codes, echo."""
    flags = "#{alternate_on} #{cursor_flag} #{mouse_any_flag} #{mouse_sgr_flag}"
    assert pane("display-message", "-p", flags).split() == ["0", "1", "0", "0"]
    pane.press("echo sane-'again'", "enter")
    pane.until("sane-again")
