"""What `score` has found, as one JSON document or as lines for people: shares of each emotion, by columns and days."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TextIO

from goemo_tui import wording

if TYPE_CHECKING:
    from trainer.infer.score import By, Scored

SHOWN_VALUES = 12
"""Values of a column that are printed for people, the most frequent; `--json` has them all."""

SHOWN_DAYS = 31

WIDE, NARROW = 30, 12
"""Cells of a full bar: of the most frequent emotion, and of all rows of a value or a day."""

BLOCK, PLAIN = "█", "#"


@dataclass(frozen=True)
class Asked:
    """What was to be done: the model by its name, its labels, what is read and written, and what is counted by."""

    model: str
    labels: tuple[str, ...]
    input: str
    out: str | None
    column: str
    by: By


def document(found: Scored, asked: Asked) -> dict[str, Any]:
    """The summary as JSON: shares are of the rows that were judged."""
    counts, labels = found.counts, asked.labels
    return {
        "model": asked.model,
        "input": asked.input,
        "out": asked.out,
        "column": asked.column,
        "rows": found.rows,
        "scored": counts.get("scored", 0),
        "errors": found.errors,
        "wrong": [{"row": row, "what": what} | ({"file": file} if file else {}) for row, what, file in found.wrong],
        "torn": found.torn or None,
        "resumed_at": found.began_at,
        "seconds": round(found.seconds, 3),
        "rows_per_s": round((found.rows - found.began_at) / max(found.seconds, 1e-6), 2),
        **_shares(counts, labels, found.groups),
        "by": {
            column: [
                {"value": value, "rows": of["rows"], "scored": of["scored"], **_shares(of, labels, found.groups)}
                for value, of in values.items()
            ]
            for column, values in counts.get("apart", {}).items()
        },
        "capped": counts.get("capped", {}),
    }


def _shares(counts: dict[str, Any], labels: tuple[str, ...], groups: tuple[str, ...]) -> dict[str, Any]:
    scored = counts.get("scored", 0)

    def of(rows: int) -> dict[str, Any]:
        return {"rows": rows, "share": round(rows / scored, 6) if scored else 0.0}

    found: dict[str, Any] = {"emotions": {}, "without": of(counts.get("without", 0))}
    for label, rows in zip(labels, counts.get("labels") or [0] * len(labels), strict=True):
        found["emotions"][label] = of(rows)
    for group, rows in zip(groups, counts.get("groups") or [0] * len(groups), strict=True):
        taxonomy, _, name = group.partition(":")
        found.setdefault(taxonomy, {})[name] = of(rows)
    return found


def full_cell(stream: TextIO) -> str:
    """What a bar is made of: a block where `stream` is a terminal that draws it, else a plain sign."""
    if not stream.isatty():
        return PLAIN
    from goemo_tui.glyphs import ascii_only
    from goemo_tui.settings import read_settings

    signs = read_settings()[0].signs
    return PLAIN if ascii_only(signs, os.environ, encoding=stream.encoding or "") else BLOCK


def lines(told: dict[str, Any], days: tuple[str, ...], full: str = PLAIN) -> Iterator[str]:
    """The document for people; `days` are the columns that were counted by the day, `full` is a cell of a bar."""
    rest = f", {told['errors']:,} not judged" if told["errors"] else ""
    rate = f"{wording.rate(told['rows_per_s'])} rows/s"
    yield f"{told['rows']:,} rows{rest} · {wording.duration(told['seconds'])} · {rate}" + (
        f" · {told['out']}" if told["out"] else ""
    )
    for wrong in told["wrong"][:5]:
        where = f" of {wrong['file']}" if "file" in wrong else ""
        yield f"  row {wrong['row']:,}{where}: {wrong['what']}"
    if told["errors"] > 5:
        yield f"  … {told['errors'] - 5:,} more, told in the column error"
    for title, shares in (("", told["emotions"]), ("ekman", told.get("ekman")), ("sentiment", told.get("sentiment"))):
        if shares and any(of["rows"] for of in shares.values()):
            yield ""
            if title:
                yield title
            yield from _bars(shares, full)
    if told["without"]["rows"]:
        yield f"  {'none of them':<16}{wording.percent(told['without']['share'], 1):>7}"
    for column, values in told["by"].items():
        yield ""
        yield f"by the day of {column}" if column in days else f"by {column}"
        yield from _apart(values, column in days, told["capped"].get(column), full)


def _apart(values: list[dict[str, Any]], by_day: bool, capped: dict[str, int] | None, full: str) -> Iterator[str]:
    """A line for each of the most frequent values, or the last days; then the rows that have none, and all others."""
    from trainer.tables.tally import NONE, NOT_A_DATE, OTHERS

    special = [value for value in values if value["value"] in (NONE, NOT_A_DATE, OTHERS)]
    plain = [value for value in values if value not in special]
    shown = plain[-SHOWN_DAYS:] if by_day else plain[:SHOWN_VALUES]
    for value in (*shown, *special):
        top = sorted(value["emotions"].items(), key=lambda item: -item[1]["rows"])[:3]
        said = ", ".join(f"{name} {wording.percent(of['share'])}" for name, of in top if of["rows"])
        bar = full * (max(1, round(NARROW * top[0][1]["share"])) if said else 0)
        yield f"  {value['value'][:24]:<24} {value['rows']:>9,}  {bar:<{NARROW}}  {said}".rstrip()
    if len(plain) > len(shown):
        which = "earlier days" if by_day else "more"
        yield f"  … {len(plain) - len(shown):,} {which}: --json has them"
    if any(value["value"] == NOT_A_DATE for value in special):
        yield f"  {NOT_A_DATE}: write 2024-03-01, 2024-03-01T10:00:00Z, 20240301 or seconds since 1970"
    if capped is not None:
        what = f", and one of them may lack up to {capped['missed']:,} rows" if capped["missed"] else ""
        yield f"  more values than can be counted apart: the less frequent ones stand in {OTHERS}{what}"


def _bars(shares: dict[str, Any], full: str) -> Iterator[str]:
    ordered = sorted(shares.items(), key=lambda item: -item[1]["rows"])
    most = max((of["share"] for _, of in ordered), default=0.0)
    for name, of in ordered:
        if of["rows"]:
            yield f"  {name[:16]:<16}{wording.percent(of['share'], 1):>7}  {full * max(1, round(WIDE * of['share'] / most))}"
