"""From the command to the first frame, and from there to the first page of a large corpus."""

from __future__ import annotations

import re
from collections.abc import Iterator

from benchmarks.budgets import Figure, timed
from benchmarks.moment import Span
from benchmarks.ui.bench import FIRST, Bench

HEAVY = ("torch", "transformers", "pandas")
LATER = (*HEAVY, "numpy", "pyarrow")


def starting(bench: Bench) -> Iterator[Figure]:
    """The first frame, and what is imported until then."""
    spans, computed = [], []
    for n in range(bench.starts + 1):
        with bench.empty() as screen:
            painted = screen.arrives(FIRST)
            computed.append(screen.cpu())
            if n:  # the first one warmed the disk
                spans.append(painted - screen.began)
    yield timed("start to first paint", spans, 0.5, f"{min(computed):.2f} s of processor time")
    with bench.empty(python=("-X", "importtime")) as screen:
        screen.arrives(FIRST)
        early = _imported(screen.raw[: screen.raw.index(FIRST.encode())])
        for key in ("f2", "f3", "f1"):
            screen.settle(1.0, 10)
            screen.press(key)
        screen.settle(2.0, 10)
        late = _imported(screen.raw)
    found = sorted(early & set(LATER))
    yield Figure("heavy imports before first paint", len(found), "modules", 0, f"{_said(found)} of {', '.join(LATER)}")
    found = sorted(late & set(HEAVY))
    yield Figure("… in the app at all", len(found), "modules", 0, f"{_said(found)}; all three places open")


def _said(names: list[str]) -> str:
    return ", ".join(names) or "none"


def _imported(raw: bytes | bytearray) -> set[str]:
    """Top-level packages that -X importtime named between the frames."""
    return {name.decode() for name in re.findall(rb"import time:[ \d|]+\| +([A-Za-z_]\w*)", bytes(raw))}


def opening(bench: Bench) -> Iterator[Figure]:
    """54,000 rows: from the dialog of an app whose libraries are loaded, and with the app itself."""
    inside: list[Span] = []
    outside: list[Span] = []
    for _ in range(bench.few):
        with bench.empty() as screen:
            screen.arrives("of 1,120")
            screen.settle(1.0, 20)
            screen.press("o")
            screen.arrives("Open")
            screen.settle(0.3, 5)
            screen.press("ctrl+u")
            screen.settle(0.3, 5)
            screen.press(str(bench.corpus))
            screen.settle(0.5, 5)
            moment = screen.press("enter")
            inside.append(screen.arrives(*bench.page) - moment)
        with bench.empty("--data", str(bench.corpus)) as screen:
            painted = screen.arrives(FIRST)
            outside.append(screen.arrives(*bench.page) - painted)
    lines = sum(file.read_bytes().count(b"\n") for file in bench.corpus.glob("*.tsv"))
    yield timed(f"{lines:,} rows open to first page", inside, 0.3, "Enter in the dialog → page")
    yield timed("… as the app starts", outside, 0.3, "first paint → page, with imports")
