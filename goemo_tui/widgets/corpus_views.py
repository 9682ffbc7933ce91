"""The corpus in figures: counts per split, lengths, duplicates. Columns in, rows of spans and stops out, no widget state.

Numbers and signs stand beside every bar, so that nothing is told by colour alone.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt
from rich.cells import cell_len, set_cell_size

from goemo_tui import language, safe_text, wording
from goemo_tui.services.corpus import SplitColumns
from goemo_tui.services.query import label_term
from goemo_tui.widgets.bar_list import bar
from goemo_tui.widgets.figure import Figure, Stop
from goemo_tui.widgets.lines import Row
from trainer.corpus import stats
from trainer.labels import TAXONOMIES, LabelSet

GROUPS = 2_000
"""Duplicate texts that are listed; `goemo-tui data stats --json` knows them all."""

SIDE_BY_SIDE = 24
"""Cells a split needs for bar, number and share; with less, its bars stand below one another."""

_GROUPED_BY = {"emotions": "by label", "ekman": "by Ekman's emotions", "sentiment": "by sentiment"}


def wrapped(text: str, width: int, style: str, most: int = 3) -> list[Row]:
    """A sentence in at most `most` rows."""
    from textual.content import Content

    lines = [line.plain for line in Content(text).wrap(max(10, width))]
    if len(lines) > most:
        lines = [*lines[: most - 1], safe_text.cells(" ".join(lines[most - 1 : most + 1]), width)]
    return [((line, style),) for line in lines]


def fitted(text: str, width: int) -> str:
    """`text`, cleaned, in exactly `width` cells."""
    return set_cell_size(safe_text.cells(text, width), width)


# Counts


def imbalance_said(counts: np.ndarray, names: list[str], rows: int) -> str:
    """How unevenly labels occur, in a sentence or three."""
    found = stats.imbalance(counts)
    if found is None:
        return "no label occurs"
    most, least = names[found.most], names[found.least]
    said = f"{most} {counts[found.most]:,} rows ({wording.percent(counts[found.most] / max(1, rows), 1)})"
    if found.most != found.least:
        said += f" to {least} {counts[found.least]:,}: {found.ratio:,.0f} to 1"
    if len(names) > len(found.half) > 0:
        said += f" · {len(found.half)} of {len(names)} labels hold half of all marks"
    if found.rare:
        said += f" · under {stats.RARE} rows: {', '.join(names[i] for i in found.rare[:4])}"
        said += f" and {len(found.rare) - 4} more" if len(found.rare) > 4 else ""
    if found.absent:
        said += f" · never: {', '.join(names[i] for i in found.absent[:3])}"
        said += f" and {len(found.absent) - 3} more" if len(found.absent) > 3 else ""
    return said


def counts_by(columns: SplitColumns, taxonomy: str) -> np.ndarray:
    """Rows that carry each group of `taxonomy` (each label, for `emotions`)."""
    if TAXONOMIES[taxonomy] is None:
        return columns.label_counts()
    groups, group_of = columns.labels.grouped(taxonomy)
    return stats.group_counts(columns.flat, columns.owner, group_of, len(groups))


def filter_of(labels: LabelSet, name: str, taxonomy: str) -> str:
    """The filter that finds the rows of a label, or of a group of labels."""
    groups = TAXONOMIES[taxonomy]
    return label_term(name) if groups is None else label_term(*groups[name])


def counts(splits: dict[str, SplitColumns], taxonomy: str, width: int) -> Figure:
    """Rows and shares of each label in every split: bars side by side where there is room, else below one another."""
    split_names = list(splits)
    first = splits[split_names[0]]
    labels, _ = first.labels.grouped(taxonomy)
    shown = [language.label(name) for name in labels.names]
    numbers = {name: counts_by(columns, taxonomy) for name, columns in splits.items()}
    order = [int(i) for i in np.argsort(-numbers[split_names[0]], kind="stable")]
    shares = {name: numbers[name] / max(1, len(splits[name])) for name in split_names}
    most = max(1e-9, max(float(share.max(initial=0)) for share in shares.values()))
    label_width = min(16, max(cell_len(name) for name in shown)) + 2
    block = (width - label_width) // len(split_names)
    head = wrapped(f"{split_names[0]}: {imbalance_said(numbers[split_names[0]], shown, len(first))}", width, "quiet", 2)

    def stop(line: int, i: int, split: str, x: int = 0, cells: int = 0) -> Stop:
        said = f"{shown[i]} in {split}: {numbers[split][i]:,} of {len(splits[split]):,} rows"
        if taxonomy != "emotions":
            members = [language.label(name) for name in (TAXONOMIES[taxonomy] or {})[labels.names[i]]]
            said += f" ({wording.percent(float(shares[split][i]), 1)}): {', '.join(members)}"
        else:
            said += f", {wording.percent(float(shares[split][i]), 1)} · Enter shows them"
        found = filter_of(labels, labels.names[i], taxonomy) if numbers[split][i] else ""
        return Stop(line, said, found, split, x=x, width=cells, sign="" if cells else "▸")

    def cells_of(i: int, split: str, room: int) -> list[tuple[str, str]]:
        share = float(shares[split][i])
        end = f"{numbers[split][i]:>8,}{wording.percent(share, 1):>7}"
        return [(bar(share / most, max(0, room - len(end))), "bar"), (end, "")]

    body: list[Row] = []
    stops: list[Stop] = []
    title = f"counts {_GROUPED_BY[taxonomy]}"
    if block >= SIDE_BY_SIDE and len(split_names) > 1:
        heading = "".join(f"{fitted(f'  {name} {len(splits[name]):,} rows', block)}" for name in split_names)
        head.append(((" " * label_width, ""), (heading, "head")))
        for line, i in enumerate(order):
            row: list[tuple[str, str]] = [(fitted(f"  {shown[i]}", label_width), "")]
            for k, split in enumerate(split_names):
                row += [("  ", ""), *cells_of(i, split, block - 2)]
                stops.append(stop(line, i, split, label_width + k * block + 1, block - 1))
            body.append(tuple(row))
        return Figure(title, tuple(head), tuple(body), tuple(stops), len(split_names), frozen=label_width)
    name_width = max(cell_len(name) for name in split_names) + 1
    for i in order:
        for k, split in enumerate(split_names):
            name = shown[i] if k == 0 else ""
            stops.append(stop(len(body), i, split))
            body.append(
                (
                    (fitted(f"  {name}", label_width + 1), ""),
                    (f"{split:<{name_width}}" if len(split_names) > 1 else "", "quiet"),
                    *cells_of(i, split, width - label_width - 1 - (name_width if len(split_names) > 1 else 0)),
                )
            )
    return Figure(title, tuple(head), tuple(body), tuple(stops))


# Lengths


def edges(longest: int, max_length: int, most: int = 26) -> list[int]:
    """The first length of each bucket, from 1 on; one starts right after `max_length`. The last bucket is open."""
    until = max(8, min(longest, max_length + max(8, max_length // 4)))
    step = next(
        s for s in (1, 2, 4, 5, 8, 10, 16, 20, 32, 50, 64, 100, 128, 250, 512, 1000, until) if until / s <= most
    )
    return sorted(
        {*range(1, until + 1, step), max_length + 1} if longest > max_length else set(range(1, until + 1, step))
    )


def lengths(
    columns: SplitColumns, width: int, max_length: int, words: Callable[[], npt.NDArray[np.int64] | None]
) -> Figure:
    """A histogram of tokens, with the place where `max_length` cuts and what is lost there; words until it is counted.

    `words` gives the words of each comment, or None while they are counted.
    """
    counted = columns.counted
    values = columns.tokens.astype(np.int64) if counted else words()
    if values is None:
        return Figure.waiting("lengths", "counting words …")
    unit = "tokens" if counted else "words"
    summary = stats.Lengths.of(values)
    head = wrapped(
        f"{unit} a comment: mean {summary.mean:.1f}, median {summary.median:.0f}, 95% up to {summary.p95:.0f}, "
        f"99% up to {summary.p99:.0f}, longest {summary.longest:,}",
        width,
        "quiet",
        2,
    )
    lost = stats.cut(values, max_length) if counted else None
    if lost is None:
        done = int((columns.tokens >= 0).sum())
        head += wrapped(
            f"… tokens are not counted yet ({done:,} of {len(columns):,} comments): these are words between blanks",
            width,
            "warn",
            2,
        )
    else:
        head += wrapped(cut_said(lost, summary.rows, max_length), width, "warn" if lost.rows else "quiet", 2)
    starts = edges(summary.longest, max_length if counted else summary.longest)
    numbers = np.bincount(np.searchsorted(starts, np.maximum(values, 1), side="right") - 1, minlength=len(starts))
    most = max(1, int(numbers.max(initial=0)))
    room = max(0, width - 32)
    body: list[Row] = []
    stops: list[Stop] = []
    for k, start in enumerate(starts):
        last = k == len(starts) - 1
        end = None if last and summary.longest >= start else (starts[k + 1] - 1 if not last else start)
        number = int(numbers[k])
        if counted and start == max_length + 1 and lost is not None:
            body.append(((fitted(f"  ✂ max_length {max_length} {'┄' * width}", width), "warn"),))
        span = f"{start:,} and more" if end is None else f"{start:,}–{end:,}" if end > start else f"{start:,}"
        share = number / max(1, summary.rows)
        said = f"{number:,} comments of {span} {unit}, {wording.percent(share, 1)} of {summary.rows:,}"
        found = ""
        if counted and number:
            found = f"tokens:>={start}" if end is None else f"tokens:{start}..{end}"
            said += ", cut" if start > max_length else ""
            said += " · Enter shows them"
        elif not counted:
            said += " · tokens are not counted yet, so there is nothing to show in the table"
        stops.append(Stop(len(body), said, found))
        body.append(
            (
                (f"  {span:<13}", ""),
                (f"{number:>8,}{wording.percent(share, 1):>7}  ", ""),
                (bar(number / most, room) if room >= 4 else "", "warn" if counted and start > max_length else "bar"),
            )
        )
    return Figure(f"lengths in {unit}", tuple(head), tuple(body), tuple(stops), empty="no comment, no length")


def cut_said(lost: stats.Cut, rows: int, max_length: int) -> str:
    """What `max_length` takes away, in a sentence."""
    if not lost.rows:
        return f"max_length {max_length} cuts nothing"
    share = wording.percent(lost.rows / max(1, rows), 2)
    tokens = wording.percent(lost.tokens / max(1, lost.total), 2)
    return (
        f"✂ max_length {max_length} cuts {lost.rows:,} comments ({share}) and {lost.tokens:,} tokens ({tokens} of all)"
    )


# Duplicates


def repeats(splits: dict[str, SplitColumns]) -> list[stats.Repeated]:
    """The texts on several rows of a corpus: leaks with other labels first, then leaks, conflicts, the rest."""
    found = stats.repeated({name: columns.split for name, columns in splits.items()})
    return sorted(found, key=lambda group: (not group.conflicting, not group.leak))


def lines_filter(lines: list[int]) -> str:
    """The filter that finds exactly these lines of a file: `line:3..5 or line:9`."""
    pieces: list[list[int]] = []
    for line in sorted(set(lines)):
        if pieces and pieces[-1][1] == line - 1:
            pieces[-1][1] = line
        else:
            pieces.append([line, line])
    return " or ".join(f"line:{a}..{b}" if b > a else f"line:{a}" for a, b in pieces)


def _names(ids: tuple[int, ...], labels: LabelSet) -> str:
    return ", ".join(language.label(labels.names[i]) for i in ids) or "nothing"


def duplicates(
    found: list[stats.Repeated], columns: SplitColumns, splits: dict[str, SplitColumns], width: int
) -> Figure:
    """Repeated texts, each with its rows split by split; ⇄ stands in several splits, ≠ has different labels."""
    labels = columns.labels
    conflicting = [group for group in found if group.conflicting]
    leaks = [group for group in found if group.leak]
    stand = "text stands" if len(found) == 1 else "texts stand"
    summary = (
        f"{len(found):,} {stand} on several rows: {len(conflicting):,} with different labels (≠), "
        f"{len(found) - len(conflicting):,} with the same (=); {len(leaks):,} in several splits (⇄ a leak)"
    )
    head = wrapped(summary, width, "quiet", 3) if found else []
    body: list[Row] = []
    stops: list[Stop] = []
    for group in found[:GROUPS]:
        sign = ("⇄" if group.leak else " ") + ("≠" if group.conflicting else "=")
        differs = f"labels differ in {_names(group.differing, labels)}" if group.conflicting else "same labels"
        text = safe_text.cells(group.text, max(8, width - 10))
        for k, (name, rows) in enumerate(group.rows):
            there = splits[name]
            lines = [int(there.lines[row]) for row in rows]
            if k == 0:
                body.append(((f"  {sign} ", "warn"), (f"{group.count:>3}× ", "strong"), (text, "")))
            where = "   ".join(
                f"{line:,} {_names(there.split.labels[row], labels)}"
                for line, row in zip(lines[:8], rows, strict=False)
            )
            more = f"   and {len(rows) - 8} more" if len(rows) > 8 else ""
            said = f"{len(rows)} {'row' if len(rows) == 1 else 'rows'} of {name} · {differs}"
            said += f" · also in {', '.join(n for n, _ in group.rows if n != name)}" if group.leak else ""
            start = len(body) - 1 if k == 0 else len(body)
            stops.append(
                Stop(start, f"{said} · Enter shows them", lines_filter(lines), name, height=2 if k == 0 else 1)
            )
            body.append(
                (
                    (f"     {name} ", "head" if group.leak else "quiet"),
                    (safe_text.cells(where + more, max(8, width - 6 - len(name))), "quiet"),
                )
            )
    if len(found) > GROUPS:
        body.append(((f"  … and {len(found) - GROUPS:,} more: goemo-tui data stats --json lists all", "quiet"),))
    return Figure("duplicates", tuple(head), tuple(body), tuple(stops), empty="every text stands on one row only")
