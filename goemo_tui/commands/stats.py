"""`goemo-tui data stats` and `data similar`: the Data screen's figures and its similar rows, without a screen.

stdout is data, stderr is talk. Whatever a file says passes through safe_text before it reaches a terminal.
"""

from __future__ import annotations

import argparse
import json
import sys
from typing import TYPE_CHECKING, Any

from trainer.errors import ConfigError, GoemoError, NotFoundError

if TYPE_CHECKING:
    from goemo_tui.services.corpus import SplitColumns
    from goemo_tui.services.corpus_loader import Opened
    from trainer.corpus.stats import Repeated

ACTIONS = ("stats", "similar")

MOST = 12
"""Pairs and duplicates that are printed for people; `--json` has them all."""


def run(options: argparse.Namespace) -> int:
    """Do what `options.action` (stats, similar) says. Raises GoemoError with the exit code of the command line."""
    from goemo_tui.services.corpus_loader import open_corpus
    from goemo_tui.settings import read_settings

    settings, _ = read_settings()
    path = options.path or getattr(options, "app_data", None) or "sample"
    if options.action == "similar":
        if not options.text:
            raise ConfigError('data similar wants a path and a text: goemo-tui data similar sample "I love it"', "text")
        if options.top < 1:
            raise ConfigError(f"--top {options.top}: at least 1", key="top")
    opened = open_corpus(path, settings.encoder)
    chosen = _chosen(opened, options.split)
    if options.action == "similar":
        return _similar(opened, options.split or next(iter(chosen)), options.text, options.top, options.json)
    return _stats(opened, chosen, settings.encoder, settings.max_length, options.json)


def _chosen(opened: Opened, split: str | None) -> dict[str, SplitColumns]:
    if split is not None and split not in opened.splits:
        there = ", ".join(opened.splits) or "none with rows"
        raise NotFoundError(f"{opened.corpus.path} has no {split} split with rows; there are: {there}")
    if not opened.splits:
        raise NotFoundError(f"{opened.corpus.path} has no usable row: goemo-tui data check says why")
    return opened.splits if split is None else {split: opened.splits[split]}


# Similar rows


def _similar(opened: Opened, split: str, text: str, top: int, as_json: bool) -> int:
    from goemo_tui.safe_text import clean
    from goemo_tui.services.similar import build, nearest, too_many
    from goemo_tui.wording import percent

    columns = opened.splits[split]
    if refused := too_many(len(columns)):
        raise ConfigError(f"{split}: {refused}; --split names another one", key="split")
    index = build(columns)
    assert index is not None
    found = nearest(index, text, top)
    rows = [
        {
            "line": int(columns.lines[near.row]),
            "id": columns.split.ids[near.row],
            "text": columns.split.text[near.row],
            "labels": [columns.labels.names[i] for i in columns.split.labels[near.row]],
            "similarity": round(near.similarity, 4),
            "same_text": near.same_text,
        }
        for near in found
    ]
    if as_json:
        print(json.dumps({"split": split, "text": text, "by": "shared words (TF-IDF)", "results": rows}))
        return 0
    for near, row in zip(found, rows, strict=True):
        mark = "same text" if near.same_text else percent(near.similarity)
        labels = columns.emotions(near.row)
        print(clean(f"{mark:>9}  {row['line']:>6}  {labels:<28} {row['text']}"))
    if not rows:
        print("no comment shares a word with this text", file=sys.stderr)
    return 0


# Figures


def _stats(opened: Opened, chosen: dict[str, SplitColumns], encoder: str, max_length: int, as_json: bool) -> int:
    from trainer.corpus import stats

    unit = _count_tokens(chosen, encoder)
    repeated = [
        group
        for group in stats.repeated({name: columns.split for name, columns in opened.splits.items()})
        if any(name in chosen for name, _ in group.rows)
    ]
    splits = {name: _of_split(columns, unit, max_length) for name, columns in chosen.items()}
    if as_json:
        document = {
            "corpus": opened.corpus.name,
            "path": str(opened.corpus.path),
            "splits": splits,
            "duplicates": [_group(group, opened) for group in repeated],
        }
        print(json.dumps(document))
        return 0
    for name, columns in chosen.items():
        _print_split(name, columns, splits[name])
    _print_duplicates(repeated, opened)
    return 0


def _count_tokens(chosen: dict[str, SplitColumns], encoder: str) -> str:
    """Count the tokens of every split; `words` where there is no tokenizer, which is said on stderr."""
    from goemo_tui.safe_text import clean
    from goemo_tui.services.corpus import count_tokens
    from goemo_tui.services.corpus_loader import find_tokenizer

    try:
        found = find_tokenizer(encoder)
    except GoemoError as error:
        print(clean(f"lengths are in words: {error}"), file=sys.stderr)
        return "words"
    if found.tokenizer is None:
        print(clean(f"lengths are in words: {found.note}"), file=sys.stderr)
        return "words"
    for columns in chosen.values():
        count_tokens(columns, found.tokenizer, lambda: False, lambda rows: None)
    return "tokens"


def _of_split(columns: SplitColumns, unit: str, max_length: int) -> dict[str, Any]:
    """One split's figures as JSON has them."""
    from trainer.corpus import stats

    names, counts = columns.labels.names, columns.label_counts()
    values = columns.tokens if unit == "tokens" else stats.word_lengths(columns.split)
    lengths, lost = stats.Lengths.of(values), stats.cut(values, max_length)
    uneven = stats.imbalance(counts)
    together = stats.cooccurrence(columns.split, columns.labels)
    return {
        "rows": len(columns),
        "several_labels": int((columns.label_numbers > 1).sum()),
        "labels": {name: int(n) for name, n in zip(names, counts, strict=True)},
        "groups": _groups(columns),
        "imbalance": None
        if uneven is None
        else {
            "most": names[uneven.most],
            "least": names[uneven.least],
            "ratio": round(uneven.ratio, 2),
            "half_of_all_marks": [names[i] for i in uneven.half],
            "rare": [names[i] for i in uneven.rare],
            "absent": [names[i] for i in uneven.absent],
        },
        "pairs": [
            {"labels": [names[p.first], names[p.second]], "rows": p.rows, "lift": round(p.lift, 3)}
            for p in stats.pairs(together, len(columns))
        ],
        "lengths": {
            "unit": unit,
            "mean": round(lengths.mean, 2),
            "median": lengths.median,
            "p95": lengths.p95,
            "p99": lengths.p99,
            "longest": lengths.longest,
            "total": lengths.total,
        },
        "cut": None
        if unit == "words"
        else {"max_length": max_length, "comments": lost.rows, "tokens": lost.tokens, "of_tokens": lost.total},
    }


def _groups(columns: SplitColumns) -> dict[str, dict[str, int]]:
    """Rows by Ekman's emotions and by sentiment; nothing for a corpus with labels of its own."""
    from trainer.corpus import stats

    if not columns.labels.official:
        return {}
    found = {}
    for taxonomy in ("ekman", "sentiment"):
        groups, group_of = columns.labels.grouped(taxonomy)
        numbers = stats.group_counts(columns.flat, columns.owner, group_of, len(groups))
        found[taxonomy] = {name: int(n) for name, n in zip(groups.names, numbers, strict=True)}
    return found


def _group(group: Repeated, opened: Opened) -> dict[str, Any]:
    names = opened.corpus.labels.names
    rows = [
        {
            "split": split,
            "line": int(opened.splits[split].lines[row]),
            "labels": [names[i] for i in opened.splits[split].split.labels[row]],
        }
        for split, indexes in group.rows
        for row in indexes
    ]
    return {
        "text": group.text,
        "leak": group.leak,
        "labels_that_differ": [names[i] for i in group.differing],
        "rows": rows,
    }


def _print_split(name: str, columns: SplitColumns, found: dict[str, Any]) -> None:
    from goemo_tui.safe_text import cells, clean
    from goemo_tui.wording import percent

    rows = found["rows"]
    print(f"{name}: {rows:,} comments, {found['several_labels']:,} with several labels")
    ordered = sorted(found["labels"].items(), key=lambda item: -item[1])
    for title, numbers in (("", dict(ordered)), *found["groups"].items()):
        if title:
            print(f"  by {title}")
        for label, n in numbers.items():
            print(f"  {cells(label, 24):<24}{n:>9,}{percent(n / max(1, rows), 1):>8}")
    uneven = found["imbalance"]
    if uneven is not None:
        half = len(uneven["half_of_all_marks"])
        print(
            clean(
                f"  {uneven['most']} is {uneven['ratio']:,.0f} times as frequent as {uneven['least']}; "
                f"{half} of {len(ordered)} labels hold half of all marks"
            )
        )
    for pair in found["pairs"][:MOST]:
        print(clean(f"  {' + '.join(pair['labels']):<32}{pair['rows']:>7,} rows   lift {pair['lift']:.1f}"))
    long = found["lengths"]
    print(
        f"  {long['unit']}: mean {long['mean']:.1f}, median {long['median']:.0f}, 95% up to {long['p95']:.0f}, "
        f"99% up to {long['p99']:.0f}, longest {long['longest']:,}"
    )
    if found["cut"] is not None:
        cut = found["cut"]
        print(f"  max_length {cut['max_length']} cuts {cut['comments']:,} comments and {cut['tokens']:,} tokens")


def _print_duplicates(repeated: list[Repeated], opened: Opened) -> None:
    from goemo_tui.safe_text import cells, clean

    if not repeated:
        print("every text stands on one row only")
        return
    stand = "text stands" if len(repeated) == 1 else "texts stand"
    conflicting, leaks = sum(g.conflicting for g in repeated), sum(g.leak for g in repeated)
    print(
        f"{len(repeated):,} {stand} on several rows: {conflicting:,} with different labels, {leaks:,} in several splits"
    )
    ordered = sorted(repeated, key=lambda group: (not group.conflicting, not group.leak))
    for group in ordered[:MOST]:
        sign = ("⇄" if group.leak else " ") + ("≠" if group.conflicting else "=")
        where = "  ".join(
            f"{split} {', '.join(str(int(opened.splits[split].lines[row])) for row in rows[:6])}"
            for split, rows in group.rows
        )
        print(clean(f"  {sign} {cells(group.text, 60)}  ({where})"))
    if len(ordered) > MOST:
        print(f"  … and {len(ordered) - MOST:,} more: --json lists all")
