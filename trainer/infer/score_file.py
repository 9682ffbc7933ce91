"""`trainer.score_file`: a whole file as a function call, what `goemo-tui score` does."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from trainer.errors import ConfigError
from trainer.infer.predictor import TUNED, Predictor, Threshold
from trainer.infer.score import By, Progress, Scored, Work
from trainer.paths import expanded
from trainer.tables.kind import kind_of
from trainer.tables.sink import Layout, followed
from trainer.tables.source import Source


def score_file(
    source: str | Path,
    to: str | Path,
    model: str | Predictor | None = None,
    column: str | None = None,
    threshold: Threshold = TUNED,
    by: By = By(),  # noqa: B008 - frozen
    overwrite: bool = False,
    tell: Callable[[Progress], None] = lambda progress: None,
    stop: Callable[[], bool] = lambda: False,
) -> Scored:
    """Write each row of the file `source` into the file `to` with what it feels: `emotions`, a probability a label, `error`.

    TSV, CSV, JSONL, Parquet or a text a line (.txt) in, also .gz and .zst; TSV, CSV, JSONL or Parquet out, told by the
    names' endings. `column` holds the texts (left out: text, comment, comment_text or sentence). Memory does not grow with
    the file. Broken off, or ended by `stop` with Cancelled, the same call goes on behind the last whole part. `tell` hears
    how far it is. A row that cannot be judged keeps its place, says why in `error` and is counted;
    of a packed file that breaks off the rows before that are written, and `torn` of what is returned says so.
    Raises ConfigError for names, columns and formats that cannot be, and for a file `to` that is there already unless
    `overwrite`; NotFoundError, CorpusError, ModelError.
    """
    read, written = expanded(str(source)), expanded(str(to)).absolute()
    folder = followed(written).parent
    if written.exists() and not overwrite:
        raise ConfigError(f"{written} is there already: overwrite=True writes over it", key="to")
    if written.exists() and read.exists() and written.samefile(read):
        raise ConfigError(f"{written} is the file that is read: choose another name", key="to")
    if not folder.is_dir():
        raise ConfigError(f"{folder} is no folder", key="to")
    kind, wanted = kind_of(str(read), None, "its ending"), kind_of(written.name, None, "its ending", writes=True)
    table = Source(str(read), kind, column)
    for name in (*by.values, *by.days):
        if name not in table.names:
            raise ConfigError(
                f"there is no column {name!r} to count by; there are: {', '.join(table.names)[:300]}", key="by"
            )
    predictor = model if isinstance(model, Predictor) else Predictor(model, threshold=threshold)
    open_ended = kind.format == "jsonl" and wanted.format != "jsonl"
    layout = Layout(wanted, table.names, predictor.labels, False, table.schema, open_ended)
    return Work(table, predictor, layout, by, tell=tell, stop=stop).into_file(written)
