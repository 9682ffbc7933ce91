"""`make bench-ui`: every budget of the terminal, measured over a real pty at 120x36, beside what it may be.

Each part starts the app anew in a home of its own, drives it with keys, and times the moment at which the right bytes
arrive. What misses, or cannot be measured, is said, and the exit code is 1.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console

from benchmarks.budgets import MB, Figure, document, load, machine, print_table
from benchmarks.comments import make_corpus, real_corpus
from benchmarks.screen import NotSeenError, Screen

FIRST = "Inspect"
"""Stands in the header, and so in the first paint."""

OVER_SSH = {"SSH_CONNECTION": "10.0.0.1 50000 10.0.0.2 22", "SSH_TTY": "/dev/pts/0"}
HEAVY = ("torch", "transformers", "pandas")
LATER = (*HEAVY, "numpy", "pyarrow")
TYPED = ("love", "thank you", "excited", "because", "not really", "what")
SENTENCE = "I'm so excited about this! But also a bit nervous, because nobody told me what comes next."


@dataclass(frozen=True)
class Bench:
    """What the parts share. `corpus` has 54,000 rows; `home` keeps a model; `starts` and `seconds` say how long to look."""

    home: Path
    corpus: Path
    starts: int
    seconds: float
    real: bool

    def screen(self, *arguments: str, **options: object) -> Screen:
        """The app in the shared home."""
        return Screen("--home", str(self.home), *arguments, **options)  # type: ignore[arg-type]

    @contextmanager
    def empty(self, *arguments: str, **options: object) -> Iterator[Screen]:
        """The app in a home that holds nothing, and is removed afterwards."""
        with (
            tempfile.TemporaryDirectory() as home,
            Screen("--home", home, *arguments, **options) as screen,  # type: ignore[arg-type]
        ):
            yield screen

    @property
    def total(self) -> str:
        """The rows of its train split as screens write them."""
        with (self.corpus / "train.tsv").open("rb") as file:
            return f"{sum(1 for _ in file):,}"


def starting(bench: Bench) -> Iterator[Figure]:
    """From the command to the first frame, and what is imported until then."""
    times = []
    for _ in range(bench.starts + 1):
        with bench.empty() as screen:
            times.append(screen.arrives(FIRST) - screen.began)
    times = times[1:]  # the first one warmed the disk
    spread = f"median of {len(times)} starts, {min(times):.2f} to {max(times):.2f}"
    yield Figure("start to first paint", statistics.median(times), "s", 0.5, spread)
    with bench.empty(python=("-X", "importtime")) as screen:
        screen.arrives(FIRST)
        early = _imported(screen.raw[: screen.raw.index(FIRST.encode())])
        for key in ("2", "3", "1"):
            screen.settle(1.0, 10)
            screen.press("escape")
            screen.settle(0.3, 5)
            screen.press(key)
        screen.settle(2.0, 10)
        late = _imported(screen.raw)
    found = sorted(early & set(LATER))
    yield Figure("heavy imports before first paint", len(found), "modules", 0, ", ".join(found) or ", ".join(LATER))
    found = sorted(late & set(HEAVY))
    yield Figure(
        "… and in the app's process at all", len(found), "modules", 0, ", ".join(found) or "all three places open"
    )


def _imported(raw: bytes | bytearray) -> set[str]:
    """Top-level packages that -X importtime named between the frames."""
    return {name.decode() for name in re.findall(rb"import time:[ \d|]+\| +([A-Za-z_]\w*)", bytes(raw))}


def opening(bench: Bench) -> Iterator[Figure]:
    """54,000 rows: with the app itself, and from inside it once the libraries are loaded."""
    page = rf"{bench.total} of {bench.total}"
    times, again = [], []
    for _ in range(max(3, bench.starts // 2)):
        with bench.empty("--data", str(bench.corpus)) as screen:
            painted = screen.arrives(FIRST)
            times.append(screen.arrives(page) - painted)
        with bench.empty() as screen:
            screen.arrives("of 1,120")
            screen.settle(0.5, 10)
            screen.press("o")
            screen.arrives("Open")
            screen.settle(0.3, 5)
            screen.press("ctrl+u")
            screen.settle(0.3, 5)
            screen.press(str(bench.corpus))
            screen.settle(0.5, 5)
            moment = screen.press("enter")
            again.append(screen.arrives(page) - moment)
    yield Figure("54k rows open to first page", statistics.median(again), "s", 0.3, "Enter in the dialog → page")
    yield Figure(
        "… at the start of the app", statistics.median(times), "s", 0.3, "first paint → page, imports included"
    )


def filtering(bench: Bench) -> Iterator[Figure]:
    """Words typed into the filter over the large split: key → new count and new first row."""
    rows = [
        line.split("\t")[0] for line in (bench.corpus / "train.tsv").read_text("utf-8").split("\n") if line.count("\t")
    ]
    pages, ends, counts = [], [], []
    with bench.empty("--data", str(bench.corpus)) as screen:
        screen.arrives(rf"of {bench.total}")
        screen.settle(3.0, 60)  # until the tokens are counted
        screen.press("/")
        screen.settle(0.5, 5)
        for word in TYPED:
            before = (len(rows), rows[0])
            for n in range(1, len(word) + 1):
                after = _found(rows, word[:n])
                moment = screen.press(word[n - 1])
                if after[0] != before[0]:
                    try:
                        seen = screen.arrives(rf"{after[0]:,} of {bench.total}", seconds=5)
                        counts.append(seen - moment)
                        pages.append(max(seen, _row_seen(screen, before, after)) - moment)
                    except NotSeenError as error:
                        raise NotSeenError(f"filter {word[:n]!r}: {error}") from None
                ends.append(screen.settle(0.15, 5) - moment)
                before = after
            screen.press("ctrl+u")
            screen.settle(0.3, 5)
    note = f"{len(pages)} keystrokes; count alone p50 {_ms(counts, 0.5):.0f}; all drawn p50 {_ms(ends, 0.5):.0f}"
    yield Figure("filter keystroke to new page, p50", _ms(pages, 0.5), "ms", 50, note)
    yield Figure("… p95", _ms(pages, 0.95), "ms", 50, f"slowest {max(pages) * 1000:.0f} ms")


def _found(rows: Sequence[str], typed: str) -> tuple[int, str]:
    """How many rows hold all words, and the first of them."""
    words = typed.split()
    fits = [row for row in rows if all(word in row.lower() for word in words)]
    return len(fits), fits[0] if fits else ""


def _row_seen(screen: Screen, before: tuple[int, str], after: tuple[int, str]) -> float:
    """The moment at which the new first row is there; where it is the same row, nothing has to come."""
    begin = re.match(r"[ -~]{6,16}", after[1])
    if before[1] == after[1] or begin is None:
        return 0.0
    return screen.arrives(re.escape(begin.group().rstrip()), seconds=5)


def _ms(times: Sequence[float], share: float) -> float:
    """A quantile of seconds, in milliseconds."""
    ordered = sorted(times)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))] * 1000


def to_prompt(screen: Screen) -> None:
    """Go to Inspect and wait until its field takes letters."""
    screen.press("f3")
    screen.arrives("type a sentence", seconds=20)
    screen.settle(0.3, 1)


def asking(bench: Bench) -> Iterator[Figure]:
    """Inspect with the bundled encoder: the first answer after a start, and every keystroke once it is warm."""
    firsts, said = [], ""
    for _ in range(max(2, bench.starts // 3)):
        with bench.screen() as screen:
            screen.arrives(FIRST)
            to_prompt(screen)
            screen.press("so happy today")
            firsts.append(screen.arrives(r"\d%") - screen.began)
            lines = re.findall(r"… ([a-z][^│╭╰─·]{4,40})", bytes(screen.raw).decode("utf-8", "replace"))
            said = lines[-1].strip() if lines else said
    loading = f"meanwhile: {said}" if said else "no line says what is loading"
    yield Figure(
        "first prediction after start", statistics.median(firsts), "s", 4.0, f"start, F3, a sentence; {loading}"
    )
    with bench.screen() as screen:
        screen.arrives(FIRST)
        to_prompt(screen)
        screen.press("so")
        screen.arrives(r"\d%")
        screen.settle(1.0, 10)
        times = []
        screen.press("ctrl+u")
        screen.settle(0.5, 5)
        for letter in SENTENCE:
            moment = screen.press(letter)
            try:
                times.append(screen.arrives(r"\d%", seconds=2) - moment)
            except NotSeenError:
                continue  # no bar changed: a space at the end is no token
            screen.settle(0.12, 2)
    note = f"{len(times)} of {len(SENTENCE)} keys changed bars"
    yield Figure("keystroke to new bars, p50", _ms(times, 0.5), "ms", None, note)
    yield Figure("keystroke to new bars, p95", _ms(times, 0.95), "ms", 60, f"slowest {max(times) * 1000:.0f} ms")


@contextmanager
def run_going(home: Path, real: bool) -> Iterator[None]:
    """A run in that home: told by a script at ten steps a second, or a real training of the bundled encoder."""
    environment = {**os.environ, "GOEMO_HOME": str(home)}
    if not real:
        worker = subprocess.Popen(
            [sys.executable, "-m", "benchmarks.scripted_run"], env=environment, stdout=subprocess.PIPE
        )
        try:
            assert worker.stdout is not None
            worker.stdout.readline()
            yield
        finally:
            worker.terminate()
            worker.wait()
            assert worker.stdout is not None
            worker.stdout.close()
        return
    goemo = [sys.executable, "-m", "goemo_tui"]
    train = [*goemo, "train", "--detach", "--set", "epochs=50"]
    run = subprocess.run(train, env=environment, check=True, capture_output=True, text=True).stdout.strip()
    try:
        while (
            "epoch"
            not in subprocess.run(
                [*goemo, "runs", "show", run], env=environment, capture_output=True, text=True
            ).stdout.partition("progress")[2]
        ):
            time.sleep(1)
        yield
    finally:
        subprocess.run([*goemo, "runs", "stop", run], env=environment, check=False, capture_output=True)


def watching(bench: Bench) -> Iterator[Figure]:
    """A living run on the Train screen, in the header of Data, and over SSH."""
    for real in [False, True] if bench.real else [False]:
        kind = "a real run" if real else "a run"
        with tempfile.TemporaryDirectory() as home, run_going(Path(home), real):
            for place, key, there in (("Train", "2", {}), ("Data", "1", {}), ("Train over SSH", "2", OVER_SSH)):
                with Screen("--home", home, environment=there) as screen:
                    screen.arrives(FIRST)
                    screen.settle(1.0, 5)
                    screen.press(key)
                    screen.bytes_in(6.0)
                    before = screen.cpu()
                    moment = time.perf_counter()
                    rate = screen.bytes_in(bench.seconds) / bench.seconds
                    cpu = (screen.cpu() - before) / (time.perf_counter() - moment) * 100
                note = f"over {bench.seconds:.0f} s" + ("" if real else ", ten steps a second")
                yield Figure(f"watching {kind}, {place}", rate, "bytes/s", 3000, note)
                yield Figure("… CPU of the app", cpu, "%", 2.0)


def idling(bench: Bench) -> Iterator[Figure]:
    """Nothing runs and no key comes: each place, with and without SSH."""
    for where, there in (("", {}), (" over SSH", OVER_SSH)):
        for place, key in (("Data", "1"), ("Train", "2"), ("Inspect", "3")):
            with bench.screen(environment=there) as screen:
                screen.arrives(FIRST)
                screen.settle(1.5, 20)
                if key == "3":
                    to_prompt(screen)
                    screen.press("a")
                    screen.arrives(r"\d%")
                else:
                    screen.press(key)
                screen.settle(1.5, 10)
                screen.bytes_in(6.0)  # without a key
                before, moment = screen.cpu(), time.perf_counter()
                came = screen.bytes_in(10.0)
                cpu = (screen.cpu() - before) / (time.perf_counter() - moment) * 100
            yield Figure(f"idle in {place}{where}, bytes in 10 s", came, "bytes", 0)
            yield Figure("… CPU of the app", cpu, "%", 0.5)


def memory(bench: Bench) -> Iterator[Figure]:
    """The app's own process with the large corpus open, and after every place was visited."""
    with bench.screen("--data", str(bench.corpus)) as screen:
        screen.arrives(rf"of {bench.total}")
        screen.settle(3.0, 60)
        yield Figure("memory with 54k rows open", screen.memory()[0] / MB, "MB", 200, _resident(screen))
        screen.press("f2")
        screen.settle(1.5, 20)
        to_prompt(screen)
        screen.press("so happy")
        screen.arrives(r"\d%")
        screen.settle(1.0, 5)
        screen.press("f1")
        screen.settle(1.0, 5)
        screen.press("v")  # the views that count over all rows
        for _ in range(4):
            screen.settle(1.0, 20)
            screen.press("v")
        screen.settle(1.5, 20)
        yield Figure("… after every place and view", screen.memory()[0] / MB, "MB", 200, _resident(screen))


def _resident(screen: Screen) -> str:
    return f"proportional (PSS); resident (RSS) {screen.memory()[1] / MB:,.0f} MB"


ENDING = (b"\x1b[?1049l", b"\x1b[?25h", b"\x1b[?2004l", b"\x1b[?1000l", b"\x1b[?1003l", b"\x1b[?1006l", b"\x1b[?1004l")
"""Back from the alternate screen, cursor, no pasting marks, no mouse, no focus reports."""
BEGINNING = {
    b"\x1b[?1049h",
    b"\x1b[?25l",
    b"\x1b[?2004h",
    b"\x1b[?1000h",
    b"\x1b[?1003h",
    b"\x1b[?1006h",
    b"\x1b[?1004h",
}


def quitting(bench: Bench) -> Iterator[Figure]:
    """From `q` to the end of the process: right after the start, idle with 54k rows, and with a model loaded."""
    for state in ("54k rows, still counting", "54k rows, idle", "a model answers"):
        times, unclean = [], ""
        for _ in range(max(2, bench.starts // 3)):
            with bench.screen("--data", str(bench.corpus)) as screen:
                screen.arrives(rf"of {bench.total}")
                if state != "54k rows, still counting":
                    screen.settle(3.0, 60)
                if state == "a model answers":
                    to_prompt(screen)
                    screen.press("so happy")
                    screen.arrives(r"\d%")
                    screen.settle(1.0, 5)
                    screen.press("escape")
                    screen.settle(0.5, 5)
                children = screen.children()
                moment = screen.press("q")
                code = screen.wait()
                assert screen.ended is not None
                times.append(screen.ended - moment)
                unclean = unclean or _unclean(screen, code, children)
        yield Figure(f"quitting: {state}", statistics.median(times), "s", 0.3, unclean or "the terminal left clean")
        if unclean:
            yield Figure("… and leaves the terminal clean", None, "", 0, unclean)


def _unclean(screen: Screen, code: int, children: Sequence[int]) -> str:
    """What was left behind, in words; empty where nothing was."""
    wrong = [] if code == 0 else [f"exit code {code}"]
    for off in ENDING:
        on = off[:-1] + (b"l" if off.endswith(b"h") else b"h")
        if screen.raw.rfind(off) <= screen.raw.rfind(on):
            wrong.append(f"{off.decode()[1:]} was not sent")
    if screen.raw.rfind(b"\x1b[>") > screen.raw.rfind(b"\x1b[<u"):
        wrong.append("the keyboard protocol stays on")
    wrong += [f"process {child} lives on" for child in children if _alive(child)]
    return ", ".join(wrong)


def _alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


PARTS: tuple[Callable[[Bench], Iterator[Figure]], ...] = (
    starting, opening, filtering, asking, watching, idling, memory, quitting,
)  # fmt: skip
NEED_MODEL = (asking, idling, memory, quitting)


def measure(bench: Bench, parts: Sequence[Callable[[Bench], Iterator[Figure]]], talk: Console) -> list[Figure]:
    """Every part; one that fails is a figure that says so, and the others go on."""
    figures: list[Figure] = []
    for part in parts:
        talk.print(f"{part.__name__} … (load {load()})", markup=False, highlight=False)
        try:
            figures += part(bench)
        except (NotSeenError, OSError, subprocess.SubprocessError) as error:
            figures.append(Figure(f"{part.__name__}: not measured", None, "", 0, str(error)))
    return figures


def make_model(home: Path) -> None:
    """A run of the bundled encoder on a few rows: its speed is that of any other."""
    words = ["--home", str(home), "train", "--set", "limit=64", "--set", "epochs=1"]
    subprocess.run([sys.executable, "-m", "goemo_tui", *words], check=True, capture_output=True)


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.ui", description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--json", action="store_true", help="one JSON document on stdout")
    parser.add_argument("--real", action="store_true", help="watch a real training as well")
    parser.add_argument("--home", metavar="DIR", type=Path, help="a home whose model is asked (it is copied)")
    parser.add_argument("--only", metavar="PARTS", help=f"some of {','.join(part.__name__ for part in PARTS)}")
    parser.add_argument("--starts", type=int, default=7, help="starts of which the median is taken (7)")
    parser.add_argument("--seconds", type=float, default=20.0, help="how long a run is watched (20)")
    options = parser.parse_args(arguments)
    wanted = options.only.split(",") if options.only else [part.__name__ for part in PARTS]
    parts = [part for part in PARTS if part.__name__ in wanted]
    talk, before = Console(stderr=True), load()
    with tempfile.TemporaryDirectory(prefix="goemo-bench-") as scratch:
        home = Path(scratch) / "home"
        corpus = real_corpus()
        named = f"GoEmotions ({corpus.name})" if corpus else "made up, of the same size"
        if options.home:
            shutil.copytree(options.home, home, ignore=shutil.ignore_patterns("checkpoints"))
        elif any(part in NEED_MODEL for part in parts):
            talk.print("training a model to ask …")
            make_model(home)
        corpus = corpus or make_corpus(Path(scratch) / "comments")
        bench = Bench(home, corpus, options.starts, options.seconds, options.real)
        figures = measure(bench, parts, talk)
    if options.json:
        print(json.dumps(document(figures, before, named)))
    else:
        console = Console(width=max(110, Console().width))
        console.print(
            f"{machine()}\nload {before} before, {load()} after · corpus: {named} · 120x36, TERM=xterm-256color"
        )
        print_table(figures, console)
    return int(any(one.holds is False for one in figures))


if __name__ == "__main__":
    sys.exit(main())
