"""Whatever somebody else has written reaches the terminal as visible text, or not at all: byte by byte, over a pty.

A home full of hostile text (hostile_home.py) is walked through screen by screen and command by command. What comes out
has to be in a grammar of what the program itself sends (escape_codes.py).
"""

from __future__ import annotations

import base64
import json
import os
import pty
import re
import select
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from goemo_tui.widgets.comment_browser import VIEWS
from tests.integration.escape_codes import Grammar
from tests.integration.hostile_home import ALL, CODES, HostileHome, make
from tests.integration.terminal import Terminal

ESC = "\x1b\x1b[I"
"""Esc, and at once what no Esc can be the beginning of: so that nothing depends on how fast it is read."""

HOME = "\x1b[H"
PASTED = "Zpasted " + ALL.replace("\x1b[201~", "")

ONE_LINE = re.sub(r"[\r\n]", "", PASTED)
"""Several lines would be a batch."""


def pasted(text: str = PASTED) -> str:
    """As a terminal sends a text that is pasted."""
    return f"\x1b[200~{text}\x1b[201~"


@pytest.fixture
def hostile(goemo_home: Path, tmp_path: Path, tiny_encoder: Path) -> HostileHome:
    return make(goemo_home, tmp_path / "theirs", tiny_encoder)


class Watched:
    """A terminal with the app in it whose every byte is looked at."""

    def __init__(self, terminal: Terminal, home: Path) -> None:
        self.terminal = terminal
        self.grammar = Grammar(terminal.screen.columns, terminal.screen.lines)
        self.log = home / "state" / "app.log"
        self._read = 0

    def go(self, *keys: str, seen: str | Callable[[str], bool], copies: bool = False) -> str:
        """Press `keys`, wait for what is to be `seen` then, and judge what was drawn meanwhile."""
        self.grammar.copies = copies
        self.terminal.press(*keys)
        text = self.terminal.until(seen)
        self.judge(f"after {keys}")
        return text

    def back(self) -> None:
        """Esc, until neither a field nor a dialog is open."""
        self.go(ESC, seen=lambda text: "q Quit" in text and "Esc " not in text)

    def judge(self, when: str, last: bool = False) -> None:
        raw = self.terminal.raw
        self.grammar.feed(bytes(raw[self._read :]), last)
        self._read = len(raw)
        assert not self.grammar.wrong, f"{when}: {self.grammar.wrong}\n{self.terminal.text}"
        assert not self.log.exists(), f"{when}: {self.log.read_text()}"
        assert self.grammar.cleared <= (1 if last else 0), f"{when}: something cleared the screen"


VIEW_TITLES = [title for name, title in VIEWS if name != "table"]


def viewed(text: str) -> str:
    """The title of the figure that is shown; "" for the table."""
    return next(
        (
            title
            for title in VIEW_TITLES
            if f"{title} · all" in text or f"· {title} of all rows" in text or f"· {title} ─" in text
        ),
        "",
    )


def end(app: Watched) -> None:
    """It lives until it is left, and leaves in good order."""
    app.terminal.press("\x11")
    status = app.terminal.wait()
    assert status == 0, f"{app.terminal.text}\n{app.log.read_text() if app.log.exists() else 'no log'}"
    app.judge("at the end", last=True)
    assert app.grammar.cleared == 1 and not app.grammar.bells


def test_the_data_screen(hostile: HostileHome, goemo_home: Path) -> None:
    with Terminal("--data", str(hostile.corpus)) as terminal:
        app = Watched(terminal, goemo_home)
        app.go(seen="Zcomment-clip")
        app.go(seen="Zlabel-clip")
        for name in [name for name in CODES if name not in ("clip", "c0")]:  # a NUL makes a row unusable
            app.go("down", seen=lambda text, name=name: f"Zcomment-{name}" in text.partition("multi-hot")[0])
        for word in ("Zmarks", "Zlong", "Ztwin"):
            app.go("down", seen=word)
        app.go("i", seen="by shared words")
        app.go(HOME, "y", seen="clipboard", copies=True)
        assert app.grammar.copied and b"Zcomment" in b"".join(app.grammar.copied)
        for title in (*VIEW_TITLES[1:], VIEW_TITLES[0]):  # each view, and what its first entry opens; labels come last
            while viewed(terminal.text) != title:
                before = viewed(terminal.text)
                app.go("v", seen=lambda text, before=before: viewed(text) != before)
            filtered = "/ label:" if title == "counts" else "Z"
            app.go("enter", seen=filtered)
        app.go("p", seen="NUL")
        app.back()
        app.go("o", seen="Zrecent")
        app.back()
        app.go("w", seen="-rows.tsv")
        app.go("\x15", f"/nowhere/{pasted()}", "enter", seen="✗")
        app.back()
        app.go("/", "\x15", "\x1b[A", seen="/ label:")
        app.go("\x15", f"label:{pasted()}", seen="zpasted")
        app.back()
        app.go("?", seen="Esc closes")
        app.back()
        app.go(",", seen="Esc closes")
        app.back()
        app.go("\x10", seen="Search for commands")
        app.go(pasted(), seen="app.quit")
        app.back()
        end(app)


@pytest.mark.parametrize("which", ["file", "folder"])
def test_a_corpus_whose_path_is_hostile(which: str, hostile: HostileHome, goemo_home: Path) -> None:
    odd = next(path for path in hostile.corpus.iterdir() if path.name.startswith("Zfile"))
    path = odd if which == "file" else hostile.corpus / f"Zno{ALL[:80]}".replace("\0", "")
    with Terminal("--data", str(path)) as terminal:
        app = Watched(terminal, goemo_home)
        app.go(seen="Zcomment" if which == "file" else "no corpus at")
        end(app)


def test_the_train_screen(hostile: HostileHome, goemo_home: Path) -> None:
    with Terminal() as terminal:
        app = Watched(terminal, goemo_home)
        app.go(seen="of 1,120")
        app.go("2", seen="Zname")
        for _ in hostile.runs:
            for _ in range(4):
                before = terminal.text
                app.go("v", seen=lambda text, before=before: text != before)
            app.go("down", seen="Zname")
        app.go(HOME, "down", "v", seen="Zlabel-clip")
        app.go("o", "v", seen="Zencoder")
        app.go("v", seen="Zreason")
        app.go("/", "Zworker", "enter", seen="Zworker ␛")
        app.back()
        app.go("v", "e", seen="Znote")
        app.go("\x15", pasted(), "enter", seen="Zpasted")
        app.back()
        app.go(HOME, "space", "down", "space", "c", seen="Esc closes")
        app.back()
        app.go("y", seen="clipboard", copies=True)
        app.go("n", seen="goemo-tui train")
        app.go(pasted(), "\x13", seen="goemo-tui train")
        app.go("\x1bOQ", ESC, seen="Z")
        end(app)


def test_the_inspect_screen(hostile: HostileHome, goemo_home: Path) -> None:
    with Terminal() as terminal:
        app = Watched(terminal, goemo_home)
        app.go(seen="of 1,120")
        app.go("3", seen="Zasked")
        app.go(
            pasted(ONE_LINE),
            seen=lambda text: re.search(r"Zpasted[^~]*Zlabel-[^~]*\d%[^~]*─ history", text) is not None,
        )
        app.go("enter", seen=lambda text: "Zpasted" in text.partition("─ history")[2])
        app.back()
        app.go("y", seen="clipboard", copies=True)
        app.go("m", seen="owner/Zhub")
        app.go(pasted(), seen="app.quit")
        app.back()
        app.go("t", seen="Esc closes")
        app.back()
        app.go("b", seen="Zmodel")
        app.back()
        app.go("/", "\x15", pasted(f"Zfirst {ALL}\nZsecond {ALL}\n"), seen="Zsecond")
        app.go("down", "enter", seen="Z")
        end(app)


EVERY = """
import json, sys
from goemo_tui.cli import main
for words in json.load(open(sys.argv[1])):
    for stream in (sys.stdout, sys.stderr):
        print(f"\\n=== {[*words[:2], *words[-1:]]!a}", file=stream, flush=True)
    try:
        code = main(words)
    except SystemExit as end:
        code = end.code
    sys.stdout.flush()
    print(f"=== exit {code}", file=sys.stderr, flush=True)
"""


def commands(hostile: HostileHome) -> list[list[str]]:
    """Every command that shows something, and every way to be told that something is wrong."""
    corpus, runs = str(hostile.corpus), [run.id for run in hostile.runs]
    evil = ALL.replace("\0", "")
    odd = next(str(p) for p in hostile.corpus.iterdir() if p.name.startswith("Zfile"))
    data = [
        ["data", *words]
        for words in (
            ["list"], ["check", corpus], ["check", odd], ["check", f"/nowhere/Z{evil}"], ["stats", corpus], ["show", corpus],
            ["show", corpus, "--filter", f"label:Z{evil}"], ["similar", corpus, f"Zcomment {evil}"],
            ["export", corpus, "--out", f"/nowhere/Z{evil}/x.tsv"], ["show", corpus, "--split", f"Z{evil}"],
            ["download", "--url", f"file:///Z{evil}"],
        )
    ]  # fmt: skip
    about = [
        ["runs", *words]
        for words in (
            ["list"], *(["show", run] for run in runs), ["show", f"Z{evil}"], ["compare", *runs[:2]], ["errors", runs[0], "Zlabel-clip"],
            ["errors", runs[0], f"Z{evil}"], ["rename", runs[0], f"Z{evil}"], ["note", runs[0], f"Z{evil}"], ["prune", "--dry-run"],
        )
    ]  # fmt: skip
    model = str(hostile.model)
    return [
        *data,
        *about,
        ["predict", "--model", model, f"Zsaid {evil}"],
        ["predict", "--model", model, "--against", runs[0], f"Zsaid {evil}"],
        ["predict", "--model", f"/nowhere/Z{evil}", "x"],
        ["predict", "--model", f"owner/Z{evil}", "x"],
        ["eval", "--model", model, "--data", corpus, "--split", "dev"],
        ["eval", "--model", model, "--data", f"/nowhere/Z{evil}"],
        ["train", "--data", f"/nowhere/Z{evil}"],
        ["train", "--encoder", f"/nowhere/Z{evil}"],
        ["train", "--set", f"Z{evil}=1"],
        ["train", "--like", f"Z{evil}"],
        ["settings"],
        ["doctor"],
        [f"Z{evil}"],
        ["predict", f"--Z{evil}"],
    ]


def with_json(words: list[list[str]]) -> list[list[str]]:
    """The commands that answer with a document, asked for it."""
    return [[*w, "--json"] for w in words if w[0] in ("data", "runs", "predict", "eval", "settings")]


def pieces(data: bytes) -> list[tuple[str, bytes]]:
    """What each command wrote."""
    found = re.split(rb"(?:^|\n)=== (\[[^\n]*)\r?\n", data)
    return list(zip((name.decode() for name in found[1::2]), found[2::2], strict=True))


def judged(data: bytes, tabs: bool) -> None:
    """Lines of text with colours, and in each command's output something to see."""
    wrong = []
    for name, told in pieces(data):
        grammar = Grammar(screen=False, tabs=tabs, document="--json" in name)
        grammar.feed(told, last=True)
        wrong += [f"{name[:60]} {what}" for what in grammar.wrong]
        if grammar.bells:
            wrong.append(f"{name}: a bell")
        if re.search(rb"(?<!\x1b\[\?25h)\r(?!\n|\x1b\[2K)", told):
            wrong.append(f"{name}: back to the beginning of the line in {told[-200:]!r}")
    assert not wrong, "\n".join(wrong)
    assert b"Traceback" not in data


def test_the_command_line_into_pipes(hostile: HostileHome, goemo_home: Path, tmp_path: Path) -> None:
    words = commands(hostile)
    script = tmp_path / "words.json"
    script.write_text(json.dumps(words))
    done = subprocess.run(
        [sys.executable, "-c", EVERY, str(script)], capture_output=True, timeout=280, stdin=subprocess.DEVNULL
    )
    assert done.returncode == 0, done.stderr.decode(errors="replace")[-2000:]
    assert len(pieces(done.stdout)) == len(pieces(done.stderr)) == len(words)
    judged(done.stdout, tabs=True)
    judged(done.stderr, tabs=False)
    silent = [
        f"{words[i]!a}"
        for i, (out, err) in enumerate(zip(pieces(done.stdout), pieces(done.stderr), strict=True))
        if b"Z" not in out[1] + err[1]
        and words[i][0] != "doctor"
        and words[i][1:2] not in (["list"], ["prune"], ["note"])
    ]
    assert not silent, silent
    assert not (goemo_home / "state" / "app.log").exists(), (goemo_home / "state" / "app.log").read_text()


def test_the_command_line_on_a_terminal(hostile: HostileHome, goemo_home: Path, tmp_path: Path) -> None:
    words = commands(hostile)
    words += with_json(words)
    script = tmp_path / "words.json"
    script.write_text(json.dumps(words))
    pid, fd = pty.fork()
    if pid == 0:
        os.execve(sys.executable, [sys.executable, "-c", EVERY, str(script)], {**os.environ})
    data = bytearray()
    while select.select([fd], [], [], 250)[0]:
        try:
            read = os.read(fd, 1 << 16)
        except OSError:
            break
        if not read:
            break
        data += read
    _, status = os.waitpid(pid, 0)
    os.close(fd)
    assert os.waitstatus_to_exitcode(status) == 0, bytes(data[-2000:])
    judged(bytes(data).replace(b"\r\n", b"\n"), tabs=False)
    assert not (goemo_home / "state" / "app.log").exists(), (goemo_home / "state" / "app.log").read_text()


@pytest.mark.parametrize("text", [*CODES.values(), ALL], ids=[*CODES, "all"])
def test_the_grammar_finds_what_is_hostile(text: str) -> None:
    """The judge is judged: each kind of text is found where it is written as it is."""
    for screen in (True, False):
        grammar = Grammar(screen=screen)
        grammar.feed(f"\x1b[1;1Hplain {text} end\n".encode(), last=True)
        assert grammar.wrong or "red" in text or grammar.bells or grammar.cleared, ascii(text)


def test_the_grammar_lets_a_copy_through_as_base64_only() -> None:
    grammar = Grammar(copies=True)
    grammar.feed(b"\x1b]52;c;" + base64.b64encode(b"x\x1b[2J") + b"\x07", last=True)
    assert grammar.copied == [b"x\x1b[2J"] and not grammar.wrong
    for hostile in (b"\x1b]52;c;not base64!\x07", b"\x1b]52;c;\x1b[2J\x07", b"\x1b]0;x\x07"):
        grammar = Grammar(copies=True)
        grammar.feed(hostile, last=True)
        assert grammar.wrong
