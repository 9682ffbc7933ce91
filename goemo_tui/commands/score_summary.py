"""What `score` has found, as one JSON document or as lines for people: shares of each emotion, by columns and days."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from goemo_tui import wording

if TYPE_CHECKING:
    from trainer.infer.score import By, Scored

SHOWN_VALUES = 12
"""Values of a column that are printed for people, the most frequent; `--json` has them all."""

SHOWN_DAYS = 31

WIDE = 30
"""Cells of a full bar."""


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
        "resumed_at": found.began_at,
        "seconds": round(found.seconds, 3),
        "rows_per_s": round((found.rows - found.began_at) / max(found.seconds, 1e-6), 2),
        **_shares(counts, labels, found.groups),
        "by": {
            column: [
                {"value": value, "rows": of["rows"], "scored": of["scored"], **_shares(of, labels, found.groups)}
                for value, of in _ordered(values, column in asked.by.days)
            ]
            for column, values in counts.get("apart", {}).items()
        },
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


def _ordered(values: dict[str, dict[str, Any]], by_day: bool) -> list[tuple[str, dict[str, Any]]]:
    if by_day:
        return sorted(values.items())
    return sorted(values.items(), key=lambda item: (-item[1]["rows"], item[0]))


def lines(told: dict[str, Any], days: tuple[str, ...]) -> Iterator[str]:
    """The document for people; `days` are the columns that were counted by the day."""
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
            yield from _bars(shares)
    if told["without"]["rows"]:
        yield f"  {'none of them':<16}{wording.percent(told['without']['share'], 1):>7}"
    for column, values in told["by"].items():
        yield ""
        yield f"by {column}"
        shown = values[-SHOWN_DAYS:] if column in days else values[:SHOWN_VALUES]
        for value in shown:
            top = sorted(value["emotions"].items(), key=lambda item: -item[1]["rows"])[:3]
            said = ", ".join(f"{name} {wording.percent(of['share'])}" for name, of in top if of["rows"])
            yield f"  {value['value'][:24]:<24} {value['rows']:>9,}  {said}"
        if len(values) > len(shown):
            yield f"  … {len(values) - len(shown):,} more: --json has them"


def _bars(shares: dict[str, Any]) -> Iterator[str]:
    ordered = sorted(shares.items(), key=lambda item: -item[1]["rows"])
    most = max((of["share"] for _, of in ordered), default=0.0)
    for name, of in ordered:
        if of["rows"]:
            yield f"  {name[:16]:<16}{wording.percent(of['share'], 1):>7}  {'█' * max(1, round(WIDE * of['share'] / most))}"
