"""`goemo-tui score --engine ray`: the same rows by many processes, on one machine or several, into a folder of Parquet parts."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, Any

from goemo_tui.commands.progress import say
from trainer.errors import ConfigError, GoemoError

if TYPE_CHECKING:
    from trainer.infer.ray_score import Outcome, Scoring
    from trainer.modelfolder import ModelFolder
    from trainer.tables.several import Files
    from trainer.tables.source import Source

SHOWN_FAILED = 10


def run(options: argparse.Namespace) -> int:
    """Score and tell. Exit code 1 where a part could not be done. Raises GoemoError."""
    from goemo_tui.commands import score
    from goemo_tui.commands.score_progress import shown
    from goemo_tui.commands.score_summary import Asked, document

    _check(options)
    files = score.files_given(options)
    out = _target(options, files)
    scoring, model = _scoring(options, files, out)
    score.say_column(scoring.first, len(files))
    scoring.say = say
    with shown() as scoring.tell:
        try:
            outcome = scoring.run(options.again, options.overwrite)
        except (KeyboardInterrupt, SystemExit):
            say(f"stopped; the parts that are whole lie in {scoring.job.out}, and the same command goes on")
            raise
    by = scoring.job.by
    asked = Asked(model.name, scoring.labels, score.input_of(options), out, scoring.first.column, by)
    told = document(outcome.scored, asked) | _parts(outcome)
    score.tell(told, asked, options.json)
    return _failed(outcome, scoring.job.out) or score.no_row(told)


def _check(options: argparse.Namespace) -> None:
    """What can be wrong with the options themselves. Raises ConfigError."""
    from goemo_tui.commands.score import PIPE
    from trainer.tables.places import is_once

    if any(is_once(where) for where in options.input):
        raise ConfigError(
            "stdin cannot be cut into parts, nor can a pipe: name files, or leave --engine ray out", key="input"
        )
    if options.out in (None, PIPE):
        raise ConfigError("--engine ray writes a folder of Parquet parts: name it with --out", key="out")
    if (options.out_format or "parquet").lower() != "parquet" or options.safe_cells:
        raise ConfigError(
            "--engine ray writes Parquet alone: leave --out-format and --safe-cells out", key="out-format"
        )
    for name in ("workers", "part"):
        if getattr(options, name) is not None and getattr(options, name) < 1:
            raise ConfigError(f"--{name} {getattr(options, name)}: at least one", key=name)
    gpus = options.gpus_per_worker
    if gpus is not None and not (0 <= gpus < 1 or gpus == int(gpus)):
        raise ConfigError(f"--gpus-per-worker {gpus:g}: whole ones, or a share of one below 1", key="gpus-per-worker")
    if ":" in options.device:
        raise ConfigError(f"--device {options.device}: Ray gives each worker its GPU; say --device cuda", key="device")


def _target(options: argparse.Namespace, files: Files) -> str:
    from trainer.paths import expanded
    from trainer.tables.kind import COMPRESSIONS, FORMATS
    from trainer.tables.part_folder import within
    from trainer.tables.places import is_uri

    name = options.out.rstrip("/").lower()
    if name.endswith((*COMPRESSIONS, *(f".{format}" for format in FORMATS if format != "parquet"))):
        raise ConfigError(f"{options.out}: --engine ray writes a folder of Parquet parts; name one", key="out")
    if is_uri(options.out):
        return str(options.out)
    to = expanded(options.out).absolute()
    if to.exists() and not to.is_dir():
        raise ConfigError(f"{to} is a file: --engine ray writes a folder of Parquet parts; name a new one", key="out")
    if not to.parent.is_dir():
        raise ConfigError(f"{to.parent} is no folder", key="out")
    if any(within(file, str(to)) for file, _ in files if not is_uri(file)):
        raise ConfigError(f"{to} has files that are read: name another folder", key="out")
    return str(to)


def _scoring(options: argparse.Namespace, files: Files, out: str) -> tuple[Scoring, ModelFolder]:
    """All that can be wrong is found before the first row is judged; the model itself is loaded by the workers."""
    from goemo_tui.commands.score import counted_by
    from goemo_tui.settings import read_settings
    from trainer.infer.part_job import ROWS as PART
    from trainer.infer.part_job import Job
    from trainer.infer.predictor import PRECISIONS, cuts_of
    from trainer.infer.ray_cluster import Cluster, check_installed
    from trainer.infer.ray_score import Scoring
    from trainer.infer.score import ROWS
    from trainer.modelfolder import find_model, model_digest, read_label_names, read_thresholds

    number, first = _first(files, options.column)
    by = counted_by(options, first.names)
    if options.precision not in PRECISIONS:
        raise ConfigError(f"precision {options.precision!r}: one of {', '.join(PRECISIONS)}", key="precision")
    settings, _ = read_settings()
    model = find_model(options.model, settings.model or None)
    labels, warnings = read_label_names(model.path)
    for text in warnings:
        say(text)
    cuts = cuts_of(options.threshold, read_thresholds(model.path), labels)
    check_installed()
    part = options.part or PART
    job = Job(
        files=files,
        first=number,
        column=options.column,
        names=first.names,
        schema=None if first.schema is None else first.schema.serialize().to_pybytes(),
        model=model.name if model.kind in ("starter", "hub") else str(model.path),
        digest=model_digest(model.path),
        device=options.device,
        threshold=options.threshold,
        precision=options.precision,
        by=by,
        portion=options.portion or min(ROWS, part),  # parts end where portions do: a small one is not made larger
        part=part,
        out=out,
    )
    cluster = Cluster(options.address, options.workers, options.gpus_per_worker)
    return Scoring(job, first, labels, cuts.tolist(), cluster), model


def _first(files: Files, column: str | None) -> tuple[int, Source]:
    """The first file that can be read: the others have to be like it. Raises what is wrong with the first where none can."""
    from trainer.tables.source import Source

    trouble: GoemoError | None = None
    for number, (file, kind) in enumerate(files):
        try:
            source = Source(file, kind, column)
            source.close()
            return number, source
        except GoemoError as error:
            trouble = trouble or error
    assert trouble is not None
    raise trouble


def _parts(outcome: Outcome) -> dict[str, Any]:
    return {
        "engine": "ray",
        "parts": outcome.parts,
        "parts_before": outcome.earlier,
        "failed": [vars(failed) for failed in outcome.failed],
    }


def _failed(outcome: Outcome, out: str) -> int:
    for failed in outcome.failed[:SHOWN_FAILED]:
        rows = f", rows {failed.first:,} to {failed.first + failed.rows - 1:,}" if failed.rows else ""
        say(f"not done: {failed.file}{rows}: {failed.what}")
    if len(outcome.failed) > SHOWN_FAILED:
        say(f"… {len(outcome.failed) - SHOWN_FAILED:,} more: {out}/_manifest.json says what is wrong with each file")
    if outcome.failed:
        say(f"{outcome.parts:,} parts are whole; the same command tries the others again")
    return 1 if outcome.failed else 0
