"""`goemo-tui score --engine ray` on a Ray of its own with two workers: the rows of the local engine, and no kill that costs one."""

from __future__ import annotations

import csv
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from goemo_tui.cli import parser
from goemo_tui.commands import score as score_files
from goemo_tui.commands import score_ray
from tests.conftest import ROOT
from trainer import load_corpus, train

pytest.importorskip("ray")
pytestmark = pytest.mark.timeout(900)  # on a busy machine Ray alone needs a minute to start

COMMAND = [sys.executable, "-m", "goemo_tui", "score"]
LAST = 120
"""Seconds that processes are given to be gone; nothing is decided by it but a failure."""


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory, tiny_encoder: Path) -> Path:
    with pytest.MonkeyPatch.context() as patched:
        patched.setenv("GOEMO_HOME", str(tmp_path_factory.mktemp("ray")))
        return train("sample", str(tiny_encoder), limit=64, epochs=1, head_init="random", seed=3).model


@pytest.fixture(scope="module")
def comments(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three CSV files with line breaks, signs beyond ASCII, no text, a row that is too short, and what is not UTF-8."""
    folder = tmp_path_factory.mktemp("comments")
    texts = load_corpus("sample").splits["train"].text
    for number, rows in enumerate((300, 77, 210)):
        with (folder / f"c{number}.csv").open("w", newline="") as file:
            writer = csv.writer(file)
            writer.writerow(("n", "text", "shop", "when"))
            for n in range(rows):
                text = texts[(number * 300 + n) % len(texts)]
                text = "" if n % 50 == 25 else f"{text}\nسعيد ☃" if n % 7 == 0 else text
                writer.writerow((f"{n:04d}", text, f"shop {n % 3}", 1_704_153_600 + 7200 * n))
        with (folder / f"c{number}.csv").open("ab") as raw:
            raw.write(b"9998,\xff\xfe,shop 1,0\n9999\n")
    return folder


@pytest.fixture(scope="module")
def many(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with 8,000 rows, so that a part is long enough to be hit in its midst."""
    texts = load_corpus("sample").splits["train"].text
    folder = tmp_path_factory.mktemp("many")
    table = pa.table({"n": list(range(8000)), "text": [texts[n % len(texts)] if n % 90 else "" for n in range(8000)]})
    pq.write_table(table, folder / "many.parquet", row_group_size=1500)
    return folder


def score(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([*COMMAND, *arguments, "--portion", "32"], capture_output=True, text=True, timeout=600)


def by_ray(source: str, model: Path, out: Path, *more: str, part: int = 64) -> list[str]:
    return [source, "--model", str(model), "--out", str(out), "--engine", "ray", "--part", str(part), "--json", *more]


def here(source: str, model: Path, out: Path, *more: str) -> tuple[pa.Table, dict[str, Any]]:
    """What the local engine makes of it."""
    done = score(source, "--model", str(model), "--out", str(out), "--json", *more)
    assert done.returncode == 0, done.stderr
    return pq.read_table(out), json.loads(done.stdout)


def parts(out: Path) -> pa.Table:
    return pa.concat_tables([pq.read_table(part) for part in sorted(out.glob("part-*.parquet"))])


def same(told: dict[str, Any]) -> dict[str, Any]:
    """What both engines have to say alike."""
    own = ("out", "seconds", "rows_per_s", "resumed_at", "engine", "parts", "parts_before", "failed")
    return {key: value for key, value in told.items() if key not in own}


def family(process: psutil.Process) -> list[psutil.Process]:
    return process.children(recursive=True)


def begun(out: Path, process: subprocess.Popen[str], seen: set[str]) -> Iterator[tuple[str, int]]:
    """Parts as workers begin them, and the worker's pid."""
    while process.poll() is None:
        for mark in out.glob("_parts/part-*.begun"):
            try:
                pid = int(json.loads(mark.read_text())["pid"])
            except FileNotFoundError:
                continue
            if f"{mark.name} {pid}" not in seen:
                seen.add(f"{mark.name} {pid}")
                yield mark.stem, pid
        time.sleep(0.002)


def test_the_rows_of_the_local_engine_and_nobody_else_can_reach_it(comments: Path, model: Path, tmp_path: Path) -> None:
    more = ("--by", "shop", "--by-day", "when", "--threshold", "0.5")
    whole, told = here(f"{comments}/*.csv", model, tmp_path / "whole.parquet", *more)
    out = tmp_path / "out"
    command = [*COMMAND, *by_ray(f"{comments}/*.csv", model, out, "--workers", "2", *more), "--portion", "32"]
    addresses, processes = set[str](), set[psutil.Process]()
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        for _ in begun(out, process, set()):
            found = family(psutil.Process(process.pid))
            processes.update(found)
            for one in (psutil.Process(process.pid), *found):
                try:
                    listening = [c for c in one.net_connections("inet") if c.status == psutil.CONN_LISTEN]
                except psutil.Error:
                    continue
                addresses |= {c.laddr.ip for c in listening}
        printed, error = process.communicate(timeout=LAST)
    assert process.returncode == 0, error
    assert addresses and addresses <= {"127.0.0.1", "::ffff:127.0.0.1", "::1"}, addresses
    assert "raylet" not in error and "Traceback" not in error
    assert "RAY_" not in error and "Deprecat" not in error, error  # what Ray says to its own developers
    assert not psutil.wait_procs(list(processes), timeout=LAST)[1]
    assert parts(out).equals(whole)
    said = json.loads(printed)
    assert same(said) == same(told)
    assert said["errors"] == 18 and said["parts"] == 11 and said["failed"] == []
    makers = {json.loads(mark.read_text())["by"]["pid"] for mark in out.glob("_parts/*.json")}
    assert process.pid not in makers and len(makers) <= 2  # one may have done all before the other has loaded
    assert json.loads((out / "_manifest.json").read_text())["whole"] is True

    # the same again is done already, and says the same
    again = score(*command[4:-2])
    assert again.returncode == 0 and same(json.loads(again.stdout)) == same(told), again.stderr
    assert json.loads(again.stdout)["parts_before"] == 11
    other = score(*command[4:-2], "--threshold", "0.2")
    assert other.returncode == 2 and "another threshold" in other.stderr and "--overwrite" in other.stderr


def test_a_worker_that_is_killed_at_a_part_costs_and_doubles_no_row(many: Path, model: Path, tmp_path: Path) -> None:
    whole, told = here(str(many), model, tmp_path / "whole.parquet")
    out = tmp_path / "out"
    command = [*COMMAND, *by_ray(str(many), model, out, "--workers", "2", part=1024), "--portion", "32"]
    killed: tuple[str, int] | None = None
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        for part, pid in begun(out, process, set()):
            os.kill(pid, signal.SIGSTOP)  # nothing can happen between looking and killing
            if (out / "_parts" / f"{part}.begun").exists() and not (out / "_parts" / f"{part}.json").exists():
                os.kill(pid, signal.SIGKILL)
                killed = part, pid
                break
            os.kill(pid, signal.SIGCONT)
        printed, error = process.communicate(timeout=600)
    assert killed is not None and process.returncode == 0, error
    assert parts(out).equals(whole)
    assert same(json.loads(printed)) == same(told) and json.loads(printed)["failed"] == []
    mark = json.loads((out / "_parts" / f"{killed[0]}.json").read_text())
    assert mark["by"]["pid"] != killed[1]
    assert not list(out.glob("_parts/*.begun")) and not list(out.glob(".*"))


def test_a_part_at_which_every_worker_dies_is_told_of_and_costs_no_other(
    many: Path, model: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    command = [*COMMAND, *by_ray(str(many), model, out, "--workers", "1", part=3000), "--portion", "32"]
    killed = []
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        for part, pid in begun(out, process, set()):
            if part.endswith("00001"):
                os.kill(pid, signal.SIGKILL)
                killed.append(pid)
        printed, error = process.communicate(timeout=600)
    told = json.loads(printed)
    assert process.returncode == 1 and "its worker died 4 times" in error, error
    assert len(set(killed)) == 4 and [failed["rows"] for failed in told["failed"]] == [3008]
    assert told["parts"] == 2 and told["rows"] == 8000 - 3008


def test_killed_itself_it_leaves_nobody_and_goes_on(many: Path, model: Path, tmp_path: Path) -> None:
    whole, told = here(str(many), model, tmp_path / "whole.parquet")
    out = tmp_path / "out"
    arguments = by_ray(str(many), model, out, "--workers", "1", part=1024)
    reached = 0
    for how in (signal.SIGKILL, signal.SIGTERM):
        command = [*COMMAND, *arguments, "--portion", "32"]
        with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
            left: list[psutil.Process] = []
            for _ in begun(out, process, set()):
                if len(list(out.glob("_parts/*.json"))) > reached:
                    left = family(psutil.Process(process.pid))
                    process.send_signal(how)
                    break
            error = process.communicate(timeout=LAST)[1]
        assert process.returncode == {signal.SIGKILL: -9, signal.SIGTERM: 143}[how], error
        assert left and not psutil.wait_procs(left, timeout=LAST)[1]
        reached = len(list(out.glob("_parts/*.json")))
        if how == signal.SIGTERM:
            assert "the same command goes on" in error
    refused = score(*arguments, "--precision", "bf16")
    assert refused.returncode == 2 and "begun with another precision" in refused.stderr and "--again" in refused.stderr
    done = score(*arguments)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["parts_before"] == reached >= 2
    assert parts(out).equals(whole) and same(json.loads(done.stdout)) == same(told)


def test_a_bad_file_does_not_hold_up_the_others(model: Path, tmp_path: Path) -> None:
    texts = load_corpus("sample").splits["dev"].text[:200]
    for name, first in (("a", 0), ("b", 100)):
        table = pa.table(
            {"n": list(range(100)), "text": [None if n == 7 else t for n, t in enumerate(texts[first:][:100])]}
        )
        pq.write_table(table, tmp_path / f"{name}.parquet", row_group_size=30)
    whole, _ = here(str(tmp_path), model, tmp_path / "whole.out", "--out-format", "parquet")
    (tmp_path / "bad.parquet").write_bytes((tmp_path / "a.parquet").read_bytes()[:-100])
    out = tmp_path / "out"
    arguments = by_ray(f"file://{tmp_path}/*.parquet", model, out, "--workers", "1")
    done = score(*arguments)
    told = json.loads(done.stdout)
    assert done.returncode == 1 and "bad.parquet" in done.stderr and "no readable Parquet" in done.stderr
    assert told["rows"] == 200 and [failed["rows"] for failed in told["failed"]] == [0]
    assert parts(out).equals(whole)
    # put right, it is done with the next start, and nothing else is
    pq.write_table(pq.read_table(tmp_path / "a.parquet").slice(0, 10), tmp_path / "bad.parquet")
    again = score(*arguments)
    told = json.loads(again.stdout)
    assert again.returncode == 0 and told["rows"] == 210 and told["failed"] == [] and told["resumed_at"] == 200
    assert parts(out)["n"].to_pylist() == [*range(100), *range(100), *range(10)]


@pytest.mark.parametrize(
    ("more", "portion", "part"),
    [([], 8192, 16384), (["--part", "100"], 100, 100), (["--part", "100", "--portion", "64"], 64, 100)],
)
def test_a_small_part_is_not_made_larger(comments: Path, model: Path, more: list[str], portion: int, part: int) -> None:
    given = ["score", f"{comments}/c0.csv", "--model", str(model), "--out", "o", "--engine", "ray", *more]
    options = parser().parse_args(given)
    scoring, _ = score_ray._scoring(options, score_files.files_given(options), "o")
    assert (scoring.job.portion, scoring.job.part) == (portion, part)
    sizes = [part.rows for part in scoring._planned(0).parts]
    assert sum(sizes) == 302 and (part != 100 or sizes == ([100, 100, 100, 2] if portion == 100 else [128, 128, 46]))


def test_joins_a_ray_that_is_there_and_leaves_it(comments: Path, model: Path, tmp_path: Path) -> None:
    keeper = (
        "import sys; from trainer.infer.ray_cluster import Cluster, joined\n"
        "with joined(Cluster(workers=2)) as ray:\n"
        "    import os; out = sys.__stdout__\n"
        "    print(os.environ['RAY_AUTH_TOKEN'], ray.get_runtime_context().gcs_address, file=out, flush=True)\n"
        "    sys.stdin.read(); print(len([n for n in ray.nodes() if n['Alive']]), file=out)\n"
    )
    whole, _ = here(f"{comments}/c1.csv", model, tmp_path / "whole.parquet")
    with subprocess.Popen(
        [sys.executable, "-c", keeper], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:  # fmt: skip
        assert process.stdout and process.stdin
        token, address = process.stdout.readline().split()
        arguments = by_ray(f"{comments}/c1.csv", model, tmp_path / "out", "--address", address)
        done = subprocess.run(
            [*COMMAND, *arguments, "--portion", "32"], capture_output=True, text=True, timeout=600,
            env={**os.environ, "RAY_AUTH_MODE": "token", "RAY_AUTH_TOKEN": token},
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        assert parts(tmp_path / "out").equals(whole)
        process.stdin.close()
        assert process.stdout.read().strip() == "1"  # the node is still there
    assert process.returncode == 0


@pytest.mark.parametrize(
    ("more", "code", "words"),
    [
        (["-", "--out", "o"], 2, "stdin cannot be cut"),
        (["IN"], 2, "name it with --out"),
        (["IN", "--out", "o.csv"], 2, "folder of Parquet parts"),
        (["IN", "--out", "FULL"], 2, "other things"),
        (["IN", "--out", "o", "--workers", "0"], 2, "at least one"),
        (["IN", "--out", "o", "--gpus-per-worker", "1.5"], 2, "whole ones"),
        (["IN", "--out", "o", "--device", "cuda:1"], 2, "--device cuda"),
        (["IN", "--out", "o", "--by", "town"], 2, "no column 'town'"),
        (["NONE*.csv", "--out", "o"], 3, "no file matches"),
        (["IN", "--out", "o", "--address", "127.0.0.1:1"], 1, "no Ray can be joined"),
    ],
)
def test_what_cannot_be_is_said_first(
    more: list[str], code: int, words: str, comments: Path, model: Path, tmp_path: Path
) -> None:
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "part-0.parquet").write_bytes(b"mine")
    named = {"IN": str(comments), "FULL": str(tmp_path / "full")}
    done = subprocess.run(
        [*COMMAND, *(named.get(word, word) for word in more), "--engine", "ray", "--model", str(model)],
        capture_output=True, text=True, cwd=tmp_path, timeout=300,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )  # fmt: skip
    assert done.returncode == code and words in done.stderr and "Traceback" not in done.stderr, done.stderr
    assert (tmp_path / "full" / "part-0.parquet").read_bytes() == b"mine"
