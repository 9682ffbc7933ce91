"""Memory does not grow with the file: what reads, tokenizes and writes holds a few portions."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

MOST_MORE = 30
"""Megabytes that a file of five times the length may take more: one that is held takes 80."""

SCRIPT = """
import sys
from pathlib import Path
import numpy as np
from trainer.corpus.tokens import load_tokenizer
from trainer.infer.score import Work
from trainer.modelfolder import ModelFolder
from trainer.tables.kind import kind_of
from trainer.tables.sink import Layout
from trainer.tables.source import Source

class Quick:  # all but the model's arithmetic, which knows one batch at a time
    labels, precision, max_length = tuple(f"label {k}" for k in range(28)), "fp32", 128
    def __init__(self, encoder):
        self.folder = ModelFolder("quick", Path(encoder), "folder")
        self.tokenizer = load_tokenizer(Path(encoder))
    def thresholds(self):
        return np.full(28, 0.5)
    def of_tokens(self, tokens, tell):
        return np.random.default_rng(0).random((len(tokens), 28), dtype=np.float32)

file, out, encoder, portion = sys.argv[1:]
source, model = Source(file, kind_of(file, None, "")), Quick(encoder)
found = Work(source, model, Layout(kind_of(out, None, ""), source.names, model.labels), rows=int(portion)).into_file(Path(out))
most = next(line for line in open("/proc/self/status") if line.startswith("VmHWM"))  # getrusage counts the parent's
print(found.rows, int(most.split()[1]) // 1024)
"""


def peak(file: Path, out: Path, encoder: Path, portion: int = 1_000) -> tuple[int, int]:
    """Rows, and the most memory that the process had, in MB, with so many rows a portion."""
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT, str(file), str(out), str(encoder), str(portion)],
        capture_output=True,
        text=True,
        check=True,
    )
    rows, most = map(int, done.stdout.split())
    return rows, most


@pytest.mark.skipif(sys.platform != "linux", reason="the kernel tells the peak of a process")
@pytest.mark.parametrize("ending", ["csv", "parquet"])
def test_five_times_the_rows_take_no_more_memory(ending: str, tmp_path: Path, tiny_encoder: Path) -> None:
    line = '{"text": "' + "a comment that goes on and on " * 60 + '", "n": 1}\n'
    found = []
    for rows in (4_000, 20_000):  # the first portions fill what is used again and again
        file = tmp_path / f"{rows}.jsonl"
        file.write_text(line * rows)
        found.append(peak(file, tmp_path / f"out.{rows}.{ending}", tiny_encoder))
    assert [rows for rows, _ in found] == [4_000, 20_000]
    assert found[1][1] - found[0][1] < MOST_MORE, found


@pytest.mark.skipif(sys.platform != "linux", reason="the kernel tells the peak of a process")
@pytest.mark.parametrize("ending", ["jsonl", "parquet"])
def test_rows_with_much_in_other_columns_take_no_more_memory(ending: str, tmp_path: Path, tiny_encoder: Path) -> None:
    found = []
    for rows in (1_500, 6_000):
        file = tmp_path / f"{rows}.{ending}"
        if ending == "jsonl":
            file.write_text((json.dumps({"text": "so happy", "vector": [1 / 3] * 1_500}) + "\n") * rows)
        else:
            pictures = pa.table({"text": ["so happy"] * rows, "picture": [os.urandom(30_000) for _ in range(rows)]})
            pq.write_table(pictures, file, write_batch_size=32)  # a page is what has to be held
        # Small portions: the shorter file, too, has as many under way at once as there ever are.
        found.append(peak(file, tmp_path / f"out.{rows}.{ending}", tiny_encoder, 250))
    assert [rows for rows, _ in found] == [1_500, 6_000]
    assert found[1][1] - found[0][1] < 2 * MOST_MORE, (
        found
    )  # what is held takes 135, and a portion under way ten to fifteen
