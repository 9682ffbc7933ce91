"""Several files as one source: their rows one file after the other. They have to be alike, for they become one table."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import replace
from typing import Any

from trainer.errors import ConfigError, CorpusError
from trainer.tables.kind import Kind, kind_of
from trainer.tables.places import name_of
from trainer.tables.portion import Portion
from trainer.tables.source import Source

Files = tuple[tuple[str, Kind], ...]
"""Each file and what it is."""


def kinds_of(files: Sequence[str], format: str | None) -> Files:
    """The files with their kinds. Raises ConfigError where they are not of one format."""
    found = tuple((file, kind_of(name_of(file), format, "--format")) for file in files)
    for file, kind in found:
        if kind.format != found[0][1].format:
            raise ConfigError(
                f"{name_of(file)} is {kind.format}, but {name_of(found[0][0])} is {found[0][1].format}: files of one format "
                "become one table; give the others a command of their own",
                key="input",
            )
    return found


def source_of(files: Files, column: str | None = None) -> Source | Several:
    """One file, or several as one. Raises NotFoundError, ConfigError, CorpusError."""
    if len(files) == 1:
        return Source(*files[0], column)
    return Several(files, column)


def opened_like(first: Source, file: str, kind: Kind, column: str | None) -> Source:
    """The file's rows, if it is like the `first` one. Raises what `Source` does, and CorpusError where it differs."""
    source = Source(file, kind, column)
    unlike = _unlike(first, source)
    if unlike:
        source.close()
        raise CorpusError(f"{name_of(file)} is not like {name_of(first.where)}: {unlike}")
    return source


def _unlike(first: Source, other: Source) -> str:
    if other.column != first.column:
        return f"its texts are in {other.column}, not in {first.column}; say --column"
    if first.schema is not None:
        if other.schema.equals(first.schema, check_metadata=False):
            return ""
        for ours, its in zip(first.schema, other.schema, strict=False):
            if not ours.equals(its):
                return f"it has {its.name} ({its.type}) where that has {ours.name} ({ours.type})"
        return f"it has {len(other.schema)} columns, that has {len(first.schema)}"
    if first.kind.format in ("tsv", "csv") and other.names != first.names:
        return f"its columns are {', '.join(other.names)[:200]}; those are {', '.join(first.names)[:200]}"
    return ""


class Several:
    """What a `Source` is, over two files and more: names, column and schema are those of the first. `files` are all of them.

    `torn` says which of them break off. Each is opened once before the first row, so that a wrong one is found then; never more
    than one stays open.
    """

    is_pipe = False

    def __init__(self, files: Files, column: str | None = None) -> None:
        self.files, self._column = files, column
        self.where = name_of(files[0][0]) + f" and {len(files) - 1:,} more"
        self.size = self._before = self.skipped = 0
        self.torn = ""
        self._now: Source | None = None
        self._first = Source(*files[0], column)
        self._first.close()
        for file, kind in files:
            with closing(opened_like(self._first, file, kind, column)) as source:
                self.size += source.size

    @property
    def kind(self) -> Kind:
        """That of the first file."""
        return self._first.kind

    @property
    def names(self) -> tuple[str, ...]:
        """The columns."""
        return self._first.names

    @property
    def column(self) -> str:
        """The one with the text."""
        return self._first.column

    @property
    def has_header(self) -> bool:
        """Whether the first file names its columns."""
        return self._first.has_header

    @property
    def instead(self) -> str:
        """What stands over the text of the first file, if that may be a name."""
        return self._first.instead

    @property
    def schema(self) -> Any:
        """The Arrow schema of Parquet files, None for others."""
        return self._first.schema

    @property
    def position(self) -> int:
        """How far they are read, in what `size` counts."""
        return self._before + (self._now.position if self._now else 0)

    def portions(self, rows: int, skip: int = 0) -> Iterator[Portion]:
        """As a `Source` has them; a portion's rows are of one file, and are counted in it."""
        self._before, self.skipped, self.torn = 0, 0, ""
        for file, kind in self.files:
            with closing(Source(file, kind, self._column)) as self._now:
                for portion in self._now.portions(rows, skip - self.skipped):
                    yield replace(portion, file=name_of(file))
                self.skipped += self._now.skipped
                self.torn = "; ".join(filter(None, (self.torn, self._now.torn)))
                self._before, self._now = self._before + self._now.size, None

    def close(self) -> None:
        """Nothing is open."""
