"""`goemo-tui score`: whole files of comments, reviews or posts; each row keeps its columns and gets its emotions.

stdout is data, stderr is talk. What was broken off goes on when the same command is given again.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from goemo_tui import wording
from goemo_tui.commands.progress import say
from trainer.errors import ConfigError

if TYPE_CHECKING:
    from trainer.infer.score import Progress, Scored, Work
    from trainer.tables.source import Source

PIPE = "-"

SHOWN_VALUES = 12
"""Values of a column that are printed for people, the most frequent; `--json` has them all."""

SHOWN_DAYS = 31

WIDE = 30
"""Cells of a full bar."""

PLAIN_SECONDS = 10.0


def add(commands: Any) -> None:
    """Add the command to the parser."""
    parser = commands.add_parser(
        "score",
        help="what each row of a file feels",
        description="Judge a whole file: TSV, CSV, JSONL, Parquet, or a text a line (.txt); .gz and .zst are unpacked. "
        "The rows keep their columns and get `emotions`, a probability for each label, and `error` where a row cannot be "
        "judged. Broken off, it goes on where it was when the same command is given again.",
    )
    parser.add_argument("input", help="a file, or - for stdin")
    parser.add_argument("--out", metavar="FILE", help="what to write: .tsv, .csv, .jsonl or .parquet (default: stdout)")
    parser.add_argument(
        "--column", metavar="NAME", help="the column with the text, or its number (default: text, comment …)"
    )
    parser.add_argument("--model", help="a run, a folder, a Hub name or starter")
    parser.add_argument("--threshold", default="tuned", help="tuned (the model's own), or one value such as 0.3")
    parser.add_argument("--device", default="auto", help="auto, cpu, cuda, cuda:1, mps")
    parser.add_argument(
        "--precision", default="fp32", help="fp32 (the numbers of predict), bf16 or int8 (see docs/score.md)"
    )
    parser.add_argument("--format", metavar="F", help="of stdin or a file without an ending: tsv, csv, jsonl, txt")
    parser.add_argument("--out-format", metavar="F", help="of stdout: tsv, csv, jsonl (default: as what is read)")
    parser.add_argument(
        "--by", metavar="COLUMN", action="append", default=[], help="count by a column's values as well"
    )
    parser.add_argument("--by-day", metavar="COLUMN", action="append", default=[], help="count by the day of a time")
    parser.add_argument(
        "--safe-cells", action="store_true", help="TSV, CSV: an apostrophe before what a spreadsheet would calculate"
    )
    parser.add_argument(
        "--portion", metavar="ROWS", type=int, help="rows that are sorted, judged and kept together (default: 8192)"
    )
    parser.add_argument("--overwrite", action="store_true", help="write over a file that is there")
    parser.add_argument("--again", action="store_true", help="begin anew, whatever is done already")
    parser.add_argument("--json", action="store_true", help="the summary as one JSON document on stdout")
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Score and tell. Raises GoemoError with the exit code of the command line."""
    to = _target(options)
    work = _work(options, to)
    source = work.source
    if source.kind.format not in ("jsonl", "parquet", "txt"):
        named = "" if source.has_header else "; its first line is a row, for it names no columns"
        say(f"the texts are in the column {source.column}{named}")
    with _shown() as work.tell:
        try:
            if to is not None:
                found = work.into_file(to, options.again)
            else:
                found = work.into(_stdout)
        except KeyboardInterrupt:
            if to is not None:
                say(f"stopped; what is done lies in {to}.parts, and the same command goes on")
            raise
    _tell(found, work, to, options.json)
    if found.rows and found.errors == found.rows:
        say("no row could be judged: the column error says why")
        return 1
    return 0


def _target(options: argparse.Namespace) -> Path | None:
    from trainer.paths import expanded

    if options.out in (None, PIPE):
        if options.json:
            raise ConfigError("--json prints the summary on stdout: give the rows a file with --out", key="out")
        return None
    to = expanded(options.out).absolute()
    if to.is_dir():
        raise ConfigError(f"{to} is a folder: name a file in it", key="out")
    if not to.parent.is_dir():
        raise ConfigError(f"{to.parent} is no folder", key="out")
    if (
        options.input != PIPE
        and to.exists()
        and expanded(options.input).exists()
        and to.samefile(expanded(options.input))
    ):
        raise ConfigError(f"{to} is the file that is read: choose another name", key="out")
    if to.exists() and not options.overwrite:
        raise ConfigError(f"{to} is there already: --overwrite writes over it", key="out")
    return to


def _work(options: argparse.Namespace, to: Path | None) -> Work:
    """All that can be wrong is found before the first row is judged."""
    if options.portion is not None and options.portion < 1:
        raise ConfigError(f"--portion {options.portion}: at least one row", key="portion")
    from trainer.paths import expanded
    from trainer.tables.kind import Kind, kind_of
    from trainer.tables.sink import Layout
    from trainer.tables.source import Source

    where = options.input if options.input == PIPE else str(expanded(options.input))
    kind = kind_of(where, options.format, "--format")
    if to is not None:
        written = kind_of(to.name, options.out_format, "--out-format", writes=True)
    else:
        lines = kind.format if kind.format in ("tsv", "csv") else "jsonl"
        written = Kind(options.out_format.lower() if options.out_format else lines)
        if written.format not in ("tsv", "csv", "jsonl"):
            raise ConfigError(f"{written.format} cannot be written to stdout: name a file with --out", key="out-format")
    source = Source(where, kind, options.column)
    by = _by(options, source)

    from goemo_tui.settings import read_settings
    from trainer.infer.predictor import Predictor
    from trainer.infer.score import ROWS, Work
    from trainer.modelfolder import find_model

    settings, _ = read_settings()
    folder = find_model(options.model, settings.model or None)
    predictor = Predictor(folder, options.device, options.threshold, precision=options.precision)
    for text in predictor.warnings:
        say(text)
    if where == PIPE and to is not None:
        say("what comes through a pipe cannot be taken up again: keep it in a file where it is long")
    open_ended = kind.format == "jsonl" and written.format != "jsonl"
    layout = Layout(written, source.names, predictor.labels, options.safe_cells, source.schema, open_ended)
    return Work(source, predictor, layout, by, options.portion or ROWS)


def _by(options: argparse.Namespace, source: Source) -> Any:
    from trainer.infer.score import By

    for column in (*options.by, *options.by_day):
        if column not in source.names:
            raise ConfigError(
                f"there is no column {column!r} to count by; there are: {', '.join(source.names)[:300]}", key="by"
            )
    return By(tuple(dict.fromkeys(options.by)), tuple(dict.fromkeys(options.by_day)))


def _stdout(data: bytes) -> None:
    sys.stdout.buffer.write(data)
    sys.stdout.buffer.flush()


@contextmanager
def _shown() -> Iterator[Callable[[Progress], None]]:
    """What shows the progress on stderr: a bar on a terminal, else a line now and then."""
    if not sys.stderr.isatty():
        last = time.monotonic()

        def line(progress: Progress) -> None:
            nonlocal last
            if time.monotonic() - last >= PLAIN_SECONDS:
                last = time.monotonic()
                say(_figures(progress))

        yield line
        return
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn

    columns = (TextColumn("scoring"), BarColumn(bar_width=None), TextColumn("{task.fields[figures]}", markup=False))
    with Progress(*columns, console=Console(stderr=True), transient=True, expand=True, auto_refresh=False) as bars:
        task, last = bars.add_task("", total=None, figures=""), 0.0

        def bar(progress: Any) -> None:
            nonlocal last
            if time.monotonic() - last >= 0.2 or progress.share == 1.0:
                last = time.monotonic()
                total = None if progress.share is None else 1.0
                bars.update(task, total=total, completed=progress.share or 0.0, figures=_figures(progress))
                bars.refresh()

        yield bar


def _figures(progress: Progress) -> str:
    parts = [f"{progress.rows:,} rows", f"{wording.rate(progress.rows_per_s)}/s"]
    if progress.share:
        parts.insert(0, wording.percent(progress.share))
        if progress.share < 1 and progress.left is not None:
            parts.append(f"eta {wording.duration(progress.left)}")
    if progress.errors:
        parts.append(f"{progress.errors:,} not judged")
    return " · ".join(parts)


# What was found


def document(found: Scored, work: Work, to: Path | None) -> dict[str, Any]:
    """The summary as JSON: shares are of the rows that were judged."""
    counts, labels = found.counts, work.predictor.labels
    return {
        "model": work.predictor.name,
        "input": work.source.where,
        "out": str(to) if to else None,
        "column": work.source.column,
        "rows": found.rows,
        "scored": counts.get("scored", 0),
        "errors": found.errors,
        "wrong": [{"row": row, "what": what} for row, what in found.wrong],
        "resumed_at": found.began_at,
        "seconds": round(found.seconds, 3),
        "rows_per_s": round((found.rows - found.began_at) / max(found.seconds, 1e-6), 2),
        **_shares(counts, labels, found.groups),
        "by": {
            column: [
                {"value": value, "rows": of["rows"], "scored": of["scored"], **_shares(of, labels, found.groups)}
                for value, of in _ordered(values, column in work.by.days)
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


def _tell(found: Scored, work: Work, to: Path | None, as_json: bool) -> None:
    told = document(found, work, to)
    if as_json:
        print(json.dumps(told))
        return
    lines = _lines(told, work.by.days)
    if to is not None:
        from goemo_tui.safe_text import clean

        print("\n".join(clean(line) for line in lines))
    else:
        say("\n".join(lines))


def _lines(told: dict[str, Any], days: tuple[str, ...]) -> Iterator[str]:
    rest = f", {told['errors']:,} not judged" if told["errors"] else ""
    rate = f"{wording.rate(told['rows_per_s'])} rows/s"
    yield f"{told['rows']:,} rows{rest} · {wording.duration(told['seconds'])} · {rate}" + (
        f" · {told['out']}" if told["out"] else ""
    )
    for wrong in told["wrong"][:5]:
        yield f"  row {wrong['row']:,}: {wrong['what']}"
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
