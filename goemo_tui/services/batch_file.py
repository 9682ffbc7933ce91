"""A batch written into a file: TSV and CSV with a column a label, JSONL as `predict --json` has its results.

The file is written whole or not at all; no screen is known here.
"""

from __future__ import annotations

import csv
import json
import os
from collections.abc import Iterator
from contextlib import suppress
from typing import TextIO

from goemo_tui.services.batch import Batch, BatchError
from trainer.paths import expanded

FORMATS = (".tsv", ".csv", ".jsonl")


def complaint_about(answer: str) -> str:
    """Why nothing can be written there, or nothing. A file that is there already is no complaint."""
    if not answer.strip() or "\0" in answer:
        return f"type a path that ends in {', '.join(FORMATS)}"
    path = expanded(answer.strip())
    if path.suffix.lower() not in FORMATS:
        return f"the name says the format: end it in {', '.join(FORMATS)}"
    try:
        if path.is_dir():
            return "that is a folder"
        if not path.parent.is_dir():
            return f"there is no folder {path.parent}"
    except OSError as error:
        return f"cannot be written: {error.strerror or error}"
    return "" if os.access(path.parent, os.W_OK) else f"the folder {path.parent} may not be written to"


def write_batch(batch: Batch, answer: str) -> str:
    """Write the answered lines into the file `answer` and say so. Raises BatchError."""
    path = expanded(answer.strip())
    part = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        with part.open("w", encoding="utf-8", newline="") as out:
            if path.suffix.lower() == ".jsonl":
                out.writelines(json.dumps(batch.result(row), ensure_ascii=False) + "\n" for row in range(batch.done))
            else:
                _table(batch, out, "\t" if path.suffix.lower() == ".tsv" else ",")
        part.replace(path)
    except OSError as error:
        with suppress(OSError):
            part.unlink(missing_ok=True)
        raise BatchError(f"{path} cannot be written: {error.strerror or error}") from error
    return f"{batch.done:,} {'rows' if batch.done != 1 else 'row'} written to {path.absolute()}"


def _table(batch: Batch, out: TextIO, delimiter: str) -> None:
    writer = csv.writer(out, delimiter=delimiter, lineterminator="\n")
    writer.writerow(("text", "emotions", *batch.model.labels))
    writer.writerows(_rows(batch))


def _rows(batch: Batch) -> Iterator[tuple[object, ...]]:
    for row in range(batch.done):
        emotions = batch.emotions(row)
        if not emotions:
            yield (batch.texts[row], "", *("" for _ in batch.model.labels))
            continue
        chosen = ",".join(e.name for e in emotions if e.above)
        yield (batch.texts[row], chosen, *batch.scores(row))
