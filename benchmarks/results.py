"""Figures that were measured, on the screen and as dated rows of `benchmarks/RESULTS.md`, so that slower is seen as such.

Rows are only ever added: what a machine did in the past cannot be measured again.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks.machine import Machine
from trainer.paths import write_private

RESULTS = Path(__file__).parent / "RESULTS.md"
PLACES = ("CPU", "GPU")
COLUMNS = ("date", "machine", "commit", "what", "figure", "beside")
ABOUT = """\
# What was measured, when and where

`make bench` adds its rows here and changes none. Figures of one run are comparable with each other; those of two are where
machine and load are alike. A ratio is one of medians over repeats that alternate in one run. `benchmarks/training.py` says
what is compared in training, and how a share of the matmul peak is counted. Rows about a training's first step that are older than
2026-12-01 time the event of the second, a step later.
"""


@dataclass(frozen=True)
class Measured:
    """One figure, and what stands beside it to say what it is worth. `place` is where it was computed: CPU or GPU."""

    what: str
    figure: str
    beside: str
    place: str = "CPU"


def append(found: Sequence[Measured], machine: Machine, file: Path = RESULTS) -> None:
    """Add a row for each figure to the table of its place: the file as it was with them in it, or untouched.

    Makes the file, and a section that is missing. Raises OSError.
    """
    there = file.read_bytes() if file.exists() else ABOUT.encode()
    mode = file.stat().st_mode & 0o777 if file.exists() else 0o644
    for place in PLACES:
        rows = [_row(one, machine) for one in found if one.place == place]
        if rows:
            there = _with_rows(there, place, rows)
    write_private(file, there)
    file.chmod(mode)  # a document that all may read


def cell(text: str) -> str:
    """`text` in one cell of a Markdown table, with nothing in it that Markdown takes for markup."""
    return re.sub(r"([\\|`*<\[\]]|(?<![^\W_])_|_(?![^\W_]))", r"\\\1", " ".join(text.split()))


def _row(one: Measured, machine: Machine) -> str:
    cells = (machine.date, str(machine), machine.commit or "–", one.what, one.figure, one.beside)
    return "| " + " | ".join(cell(text) for text in cells) + " |\n"


def _with_rows(there: bytes, place: str, rows: Sequence[str]) -> bytes:
    """`there` with rows behind the last one of the section `place`; each byte that was there stays."""
    heading = re.search(rb"^## " + place.encode() + rb"[ \t\r]*$", there, re.M)
    head = "| " + " | ".join(COLUMNS) + " |\n|" + "---|" * len(COLUMNS) + "\n"
    if heading is None:
        gap = b"" if there.endswith(b"\n") or not there else b"\n"
        return there + gap + f"\n## {place}\n\n{head}{''.join(rows)}".encode()
    following = re.search(rb"^## ", there[heading.end() :], re.M)
    end = heading.end() + following.start() if following else len(there)
    lines = list(re.finditer(rb"^\|.*$", there[heading.end() : end], re.M))
    if lines:
        at, text = heading.end() + lines[-1].end(), "".join(rows)
    else:
        at, text = heading.end(), f"\n{head}{''.join(rows)}"
    # in place of the line's own end, which comes behind the rows
    return there[:at] + b"\n" + text.removesuffix("\n").encode() + there[at:]
