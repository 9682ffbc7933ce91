"""Blocks of a large file in columns: which rows can be taken at a glance, and how the others come between them.

A glance may only leave a row to `Gathered`, which reads it alone; it never decides that one is bad.
"""

from __future__ import annotations

from array import array
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from trainer.corpus.gathered import LONGEST, Gathered, refusal
from trainer.corpus.label_cells import BadLabel, LabelCells
from trainer.corpus.label_rows import LabelRows, gathered
from trainer.corpus.split import Problem, Split
from trainer.corpus.texts import Texts

Numbers = npt.NDArray[np.int64]

_ODD = np.zeros(256, dtype=bool)
_ODD[: ord(" ") + 1] = True
_ODD[[0xC2, 0xE1, 0xE2, 0xE3]] = True  # all blanks beyond ASCII start with one of these bytes
"""First bytes of a field that may be blank."""

_ENDED = np.ones(256, dtype=bool)
_ENDED[ord("!") : 0x80] = False
"""Last bytes of a field that may be blank: none that is a letter or a sign of ASCII."""

_QUOTE = ord('"')


@dataclass(frozen=True)
class Block:
    """The good rows of some lines: Arrow strings, labels, line numbers; and what is wrong with the others."""

    text: Any
    ids: Any
    labels: LabelRows
    lines: Numbers
    problems: list[Problem]
    numbered: bool


def one_by_one(rows: Gathered) -> Block:
    """A block whose rows were all read alone."""
    return Block(
        _strings(rows.text),
        _strings(rows.ids),
        LabelRows.of(rows.labels),
        _numbers(rows.lines),
        rows.problems,
        rows.cells.numbered,
    )


def assembled(
    rows: Gathered, text: Any, ids: Any, labels: LabelRows, lines: Numbers, odd: npt.NDArray[np.bool_]
) -> Block:
    """The columns of a block without its `odd` rows, and those that `rows` took by themselves where they stood."""
    if not odd.any() and not rows.lines:
        return Block(text, ids, labels, lines, rows.problems, rows.cells.numbered)
    own, places = _numbers(rows.lines), np.flatnonzero(odd)
    there = np.array_equal(own, lines[places]) and labels.take(places) == rows.labels
    if there and _alike(text, rows.text, places) and _alike(ids, rows.ids, places):
        return Block(text, ids, labels, lines, rows.problems, rows.cells.numbered)
    keep = np.flatnonzero(~odd)
    order = np.argsort(np.concatenate([lines[keep], own]), kind="stable")
    stretches = _stretches(places, np.searchsorted(lines, own), len(lines))
    return Block(
        _spliced(text, rows.text, stretches),
        _spliced(ids, rows.ids, stretches),
        LabelRows.joined([labels.take(keep), LabelRows.of(rows.labels)]).take(order),
        np.concatenate([lines[keep], own])[order],
        rows.problems,
        rows.cells.numbered,
    )


def _alike(column: Any, alone: Sequence[str], places: Numbers) -> bool:
    """Whether the rows at these places say the same, read alone: most that may be blank are not."""
    import pyarrow as pa

    return bool(column.take(pa.array(places)).to_pylist() == alone)


Stretch = tuple[bool, int, int]
"""Whether it is of the rows that were read alone, where it begins among its kind, and how many rows it has."""


def _stretches(odd: Numbers, before: Numbers, rows: int) -> list[Stretch]:
    """What is copied one after the other: the rows of a block without the `odd` ones, and `before` which of them each row
    that was read alone comes, both ascending. Few rows are odd: to copy what lies between is less work than to gather all."""
    found: list[Stretch] = []
    place = 0
    cuts = sorted(
        [*((at, True) for at in before.tolist()), *((at, False) for at in odd.tolist())], key=lambda cut: cut[0]
    )
    taken = 0
    for at, alone in cuts:
        if at > place:
            found.append((False, place, at - place))
        if alone:
            many = found.pop()[2] if found and found[-1][0] else 0
            found.append((True, taken - many, many + 1))
            taken += 1
        place = at + (not alone)
    return [*found, (False, place, rows - place)] if rows > place else found


def _spliced(column: Any, alone: Sequence[str], stretches: list[Stretch]) -> Any:
    import pyarrow as pa

    own = _strings(alone)
    if not stretches:
        return own
    return pa.concat_arrays([(own if of_own else column).slice(at, rows) for of_own, at, rows in stretches])


def joined(blocks: list[Block], file: Path, path: str, name: str, sha256: str) -> Split:
    """The blocks of a file as a split; one of them at least has a row."""
    lines = np.concatenate([block.lines for block in blocks])
    plain = range(int(lines[0]), int(lines[0]) + len(lines))
    problems = tuple(problem for block in blocks for problem in block.problems)
    return Split(
        name,
        Texts([block.text for block in blocks]),
        LabelRows.joined([block.labels for block in blocks]),
        Texts([block.ids for block in blocks]),
        plain if lines[-1] == plain[-1] else array("q", lines.tobytes()),
        problems,
        file,
        sha256,
        refusal(path, len(lines), problems),
        any(block.numbered for block in blocks),
    )


def read_labels(cells: Any, odd: npt.NDArray[np.bool_], reader: LabelCells) -> tuple[LabelRows, npt.NDArray[np.bool_]]:
    """What the cells of a block say, and of which rows that is not known. A cell is read once, not once a row.

    Cells of `odd` rows alone are left: whether a row's labels are looked at is for `Gathered.add` to say.
    """
    codes = np.frombuffer(cells.indices.buffers()[1], dtype=np.int32, count=len(cells), offset=4 * cells.indices.offset)
    known: list[tuple[int, ...]] = [()] * len(cells.dictionary)
    bad = np.ones(len(known), dtype=bool)
    for place in np.unique(codes[~odd]).tolist():
        cell = cells.dictionary[place].as_py()
        with suppress(BadLabel):
            if not (cell.startswith('"') and cell.endswith('"')):
                known[place] = reader.read(cell)
                bad[place] = False
    of = LabelRows.of(known)
    return LabelRows(*gathered(of.flat, of.starts[:-1][codes], of.numbers[codes])), bad[codes]


def doubtful(strings: Any) -> npt.NDArray[np.bool_]:
    """Of which strings it is not known at a glance that they are neither blank nor quoted nor too long."""
    ends, data = np.frombuffer(strings.buffers()[1], dtype=np.int32), strings.buffers()[2]
    ends = ends[strings.offset : strings.offset + len(strings) + 1]
    numbers = np.diff(ends)
    if data is None or not data.size:
        return np.ones(len(strings), dtype=bool)
    letters = np.frombuffer(data, dtype=np.uint8)
    first, last = letters[np.minimum(ends[:-1], data.size - 1)], letters[np.maximum(ends[1:] - 1, 0)]
    # A quote that is not closed at the field's end is text. One that is closed further on has swallowed a tab, and then
    # the tabs decide (`delimited`): text as well.
    quoted = (first == _QUOTE) & (last == _QUOTE)
    odd: npt.NDArray[np.bool_] = (_ODD[first] & _ENDED[last]) | quoted | (numbers == 0) | (numbers > LONGEST)
    return odd


def made_ids(name: str, lines: Numbers) -> Any:
    """Ids of rows that have none, as `Gathered.add` makes them."""
    import pyarrow as pa

    return pa.array([f"{name}-{line}" for line in lines.tolist()], pa.string())


def _strings(values: Sequence[str]) -> Any:
    import pyarrow as pa

    return pa.array(values, pa.string())


def _numbers(values: Sequence[int]) -> Numbers:
    return np.array(values, dtype=np.int64)
