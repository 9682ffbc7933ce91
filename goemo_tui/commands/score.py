"""`goemo-tui score`: whole files of comments, reviews or posts; each row keeps its columns and gets its emotions.

stdout is data, stderr is talk. What was broken off goes on when the same command is given again.
"""

from __future__ import annotations

import argparse
import json
import os
import shlex
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from goemo_tui.commands.progress import say
from goemo_tui.commands.score_progress import shown
from goemo_tui.commands.score_summary import Asked, document, full_cell, lines
from trainer.errors import ConfigError, CorpusError

if TYPE_CHECKING:
    from trainer.infer.score import By, Work
    from trainer.tables.several import Files, Several
    from trainer.tables.source import Source

PIPE = "-"

RAY_ONLY = ("address", "workers", "gpus-per-worker", "part")


def add(commands: Any) -> None:
    """Add the command to the parser."""
    parser = commands.add_parser(
        "score",
        help="what each row of a file feels",
        description="Judge whole files: TSV, CSV, JSONL, Parquet, or a text a line (.txt); .gz and .zst are unpacked. "
        "The rows keep their columns and get `emotions`, a probability for each label, and `error` where a row cannot be "
        "judged. Broken off, it goes on where it was when the same command is given again.",
    )
    parser.add_argument(
        "input", nargs="+", help="a file, a folder, a glob ('…/*.parquet'), a URI of one (s3://…), or - for stdin"
    )
    parser.add_argument(
        "--out",
        metavar="FILE",
        help="what to write: .tsv, .csv, .jsonl or .parquet (default: stdout); with --engine ray a folder",
    )
    parser.add_argument(
        "--column", metavar="NAME", help="the column with the text, or its number (default: text, comment …)"
    )
    parser.add_argument("--model", help="a run, an imported model, a folder, a Hub name or starter")
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
    _add_engine(parser)
    parser.set_defaults(run=run)


def _add_engine(parser: argparse.ArgumentParser) -> None:
    ray = parser.add_argument_group("many files, many processes or machines (docs/ray.md)")
    ray.add_argument("--engine", choices=("local", "ray"), default="local", help="what does the work (default: local)")
    ray.add_argument(
        "--address", metavar="A", help="join this Ray: auto, HOST:PORT or ray://… (default: one of our own)"
    )
    ray.add_argument("--workers", metavar="N", type=int, help="processes that each load the model (default: all)")
    ray.add_argument("--gpus-per-worker", metavar="G", type=float, help="1, or 0.5 where two shall share one")
    ray.add_argument(
        "--part", metavar="ROWS", type=int,
        help="rows of a part of the output: up to the end of a portion, which is no longer than a part unless --portion says so, "
        "and never of two files (default: 16384)",
    )  # fmt: skip


def run(options: argparse.Namespace) -> int:
    """Score and tell. Raises GoemoError with the exit code of the command line."""
    if options.portion is not None and options.portion < 1:
        raise ConfigError(f"--portion {options.portion}: at least one row", key="portion")
    if options.engine == "ray":
        from goemo_tui.commands import score_ray

        return score_ray.run(options)
    for name in RAY_ONLY:
        if getattr(options, name.replace("-", "_")) is not None:
            raise ConfigError(f"--{name} is for --engine ray", key=name)
    return _here(options)


def _here(options: argparse.Namespace) -> int:
    """In this process."""
    from trainer.tables.sink import followed

    files = files_given(options)
    to = _target(options, files)
    work = _work(options, files, to)
    source = work.source
    say_column(source, len(files))
    with shown() as work.tell:
        try:
            if to is not None:
                found = work.into_file(to, options.again)
            else:
                found = work.into(_stdout)
        except KeyboardInterrupt:
            if to is not None:
                say(f"stopped; what is done lies in {followed(to)}.parts, and the same command goes on")
            raise
    labels, name = work.predictor.labels, work.predictor.name
    asked = Asked(name, labels, input_of(options), str(to) if to else None, source.column, work.by)
    told = document(found, asked)
    tell(told, asked, options.json)
    if found.torn:
        say(f"{found.torn}. The rows that came before are scored; get the file again for the others")
    return 1 if found.torn else no_row(told)


def no_row(told: dict[str, Any]) -> int:
    """The exit code: where no row at all could be judged, that is said."""
    if told["rows"] and told["errors"] == told["rows"]:
        say("no row could be judged: the column error says why")
        return 1
    return 0


def files_given(options: argparse.Namespace) -> Files:
    """What is to be read. Raises NotFoundError, ConfigError."""
    from trainer.tables.places import files_of
    from trainer.tables.several import kinds_of

    return kinds_of(files_of(options.input, options.format), options.format)


def input_of(options: argparse.Namespace) -> str:
    """What was given, for people: without keys that may be in a URI."""
    from trainer.paths import expanded
    from trainer.tables.places import is_uri, name_of

    return " ".join(name_of(w) if is_uri(w) or w == PIPE else str(expanded(w)) for w in options.input)


def say_column(source: Source | Several, files: int) -> None:
    """How many files there are, and where their texts stand, if it was a guess."""
    if files > 1:
        say(f"{files:,} files, from {source.where}")
    if source.kind.format not in ("jsonl", "parquet", "txt"):
        named = "" if source.has_header else "; its first line is a row, for it names no columns"
        say(f"the texts are in the column {source.column}{named}")
        if source.instead:
            say(f"if its first line does name the columns, say --column {shlex.quote(source.instead)}")


def tell(told: dict[str, Any], asked: Asked, as_json: bool) -> None:
    """The summary: on stdout, or on stderr where stdout has the rows. Raises CorpusError where stdout takes nothing."""
    done = f"the rows are in {asked.out}"
    if as_json:
        with _written(done):
            print(json.dumps(told))
    elif asked.out is not None:
        from goemo_tui.safe_text import clean

        said = "\n".join(clean(line) for line in lines(told, asked.by.days, full_cell(sys.stdout)))
        known = sys.stdout.encoding or "utf-8"
        with _written(done):
            print(said.encode(known, "replace").decode(known))
    else:
        say("\n".join(lines(told, asked.by.days, full_cell(sys.stderr))))


def _target(options: argparse.Namespace, files: Files) -> Path | None:
    from trainer.paths import expanded
    from trainer.tables.places import is_uri
    from trainer.tables.sink import followed

    if options.out in (None, PIPE):
        if options.json:
            raise ConfigError("--json prints the summary on stdout: give the rows a file with --out", key="out")
        return None
    if is_uri(options.out):
        raise ConfigError(f"{options.out}: only --engine ray writes to a URI; name a file", key="out")
    to = expanded(options.out).absolute()
    if to.is_dir():
        raise ConfigError(f"{to} is a folder: name a file in it", key="out")
    if not followed(to).parent.is_dir():
        raise ConfigError(f"{followed(to).parent} is no folder", key="out")
    read = [Path(file) for file, _ in files if file != PIPE and not is_uri(file)]
    if to.exists() and any(file.exists() and to.samefile(file) for file in read):
        raise ConfigError(f"{to} is the file that is read: choose another name", key="out")
    if to.exists() and not options.overwrite:
        raise ConfigError(f"{to} is there already: --overwrite writes over it", key="out")
    return to


def _work(options: argparse.Namespace, files: Files, to: Path | None) -> Work:
    """All that can be wrong is found before the first row is judged."""
    from trainer.tables.kind import Kind, format_of, kind_of
    from trainer.tables.several import source_of
    from trainer.tables.sink import Layout

    kind = files[0][1]
    if to is not None:
        written = kind_of(to.name, options.out_format, "--out-format", writes=True)
    else:
        lines = kind.format if kind.format in ("tsv", "csv") else "jsonl"
        written = Kind(format_of(options.out_format) if options.out_format else lines)
        if written.format not in ("tsv", "csv", "jsonl"):
            raise ConfigError(f"{written.format} cannot be written to stdout: name a file with --out", key="out-format")
    source = source_of(files, options.column)
    by = counted_by(options, source.names)

    from goemo_tui.settings import read_settings
    from trainer.infer.predictor import Predictor
    from trainer.infer.score import ROWS, Work
    from trainer.modelfolder import find_model

    settings, _ = read_settings()
    folder = find_model(options.model, settings.model or None)
    predictor = Predictor(folder, options.device, options.threshold, precision=options.precision)
    for text in predictor.warnings:
        say(text)
    if source.is_pipe and to is not None:
        say("what comes through a pipe cannot be taken up again: keep it in a file where it is long")
    if options.safe_cells and written.format not in ("tsv", "csv"):
        say(f"--safe-cells changes nothing here: it is for TSV and CSV, and the rows are written as {written.format}")
    open_ended = kind.format == "jsonl" and written.format != "jsonl"
    layout = Layout(written, source.names, predictor.labels, options.safe_cells, source.schema, open_ended)
    return Work(source, predictor, layout, by, options.portion or ROWS)


def counted_by(options: argparse.Namespace, names: Sequence[str]) -> By:
    """The columns to count by. Raises ConfigError for one that is not there."""
    from trainer.infer.score import By

    for column in (*options.by, *options.by_day):
        if column not in names:
            raise ConfigError(
                f"there is no column {column!r} to count by; there are: {', '.join(names)[:300]}", key="by"
            )
    both = next((column for column in options.by if column in options.by_day), None)
    if both is not None:
        raise ConfigError(f"{both}: --by counts its values, --by-day its days; give one of them", key="by")
    return By(tuple(dict.fromkeys(options.by)), tuple(dict.fromkeys(options.by_day)))


def _stdout(data: bytes) -> None:
    with _written("--out FILE keeps what is done"):
        sys.stdout.buffer.write(data)
        sys.stdout.buffer.flush()


@contextmanager
def _written(done: str) -> Iterator[None]:
    """Something is written to stdout. Raises CorpusError where it is not taken, with what is `done`; where nobody reads a pipe any
    more, that is another matter."""
    try:
        yield
        sys.stdout.flush()
    except BrokenPipeError:
        raise
    except OSError as error:
        # what is held of it must not be tried again when the interpreter ends
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        raise CorpusError(
            f"stdout cannot be written: {error.strerror or error}; --out FILE keeps what is done"
        ) from None
