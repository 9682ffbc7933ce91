"""What a file of rows is: told by its name's ending, or by who asks."""

from __future__ import annotations

from dataclasses import dataclass

from trainer.errors import ConfigError

FORMATS = ("tsv", "csv", "jsonl", "parquet", "txt")
"""`txt` is a text a line, read and never written."""

ALSO = {"ndjson": "jsonl"}
"""Other names of formats."""

COMPRESSIONS = {".gz": "gzip", ".zst": "zstd"}


@dataclass(frozen=True)
class Kind:
    """A format of `FORMATS`; `compression` is gzip, zstd or None."""

    format: str
    compression: str | None = None


def kind_of(name: str, given: str | None, option: str, writes: bool = False) -> Kind:
    """The kind of the file `name`; `given` is what was said of it, `option` where one says so. Raises ConfigError."""
    formats = tuple(f for f in FORMATS if not writes or f != "txt")
    stem, compression = name.lower(), None
    for ending, found in COMPRESSIONS.items():
        if stem.endswith(ending):
            stem, compression = stem.removesuffix(ending), found
    format = format_of(given if given else stem.rpartition(".")[2])
    if format not in formats:
        shown = name if name != "-" else "the other end of a pipe"
        raise ConfigError(f"{shown}: its format is not known; name it with {option}, one of {', '.join(formats)}")
    if format == "parquet" and compression:
        raise ConfigError(f"{name}: Parquet is compressed inside, take the second ending off")
    return Kind(format, compression)


def format_of(name: str) -> str:
    """A format by one of its names, as it is called here."""
    plain = name.lower().removeprefix(".")
    return ALSO.get(plain, plain)
