"""`goemo-tui score` on real files with a real model: the numbers of `predict`, and no kill that costs or doubles a row."""

from __future__ import annotations

import csv
import gzip
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from goemo_tui.cli import main
from trainer import Predictor, load_corpus, train

COMMAND = [sys.executable, "-m", "goemo_tui", "score"]
PORTION = ["--portion", "64"]


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory, tiny_encoder: Path) -> Path:
    """A model of a tiny encoder that feels something now and then."""
    with pytest.MonkeyPatch.context() as patched:
        patched.setenv("GOEMO_HOME", str(tmp_path_factory.mktemp("score")))
        return train("sample", str(tiny_encoder), limit=64, epochs=1, head_init="random", seed=3).model


@pytest.fixture
def comments(tmp_path: Path) -> Path:
    """A CSV of 1,000 rows of which every hundredth cannot be judged."""
    texts = load_corpus("sample").splits["train"].text[:1000]
    with (tmp_path / "in.csv").open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(("n", "review", "shop", "when"))
        for n, text in enumerate(texts):
            text = "" if n % 100 == 50 else f"{text}\nand so on" if n % 7 == 0 else text
            writer.writerow((f"{n:05d}", text, f"shop {n % 3}", 1_704_153_600 + 3600 * n))
    return tmp_path / "in.csv"


def arguments(comments: Path, model: Path, out: Path, *more: str) -> list[str]:
    return [str(comments), "--column", "review", "--model", str(model), "--out", str(out), *PORTION, *more]


def table(file: Path) -> list[dict[str, str]]:
    with file.open(newline="") as opened:
        return list(csv.DictReader(opened))


def test_every_row_gets_the_numbers_of_predict(
    comments: Path, model: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out.csv"
    more = ("--json", "--by", "shop", "--by-day", "when", "--threshold", "0.5")
    assert main(["score", *arguments(comments, model, out, *more)]) == 0
    told = json.loads(capsys.readouterr().out)
    before, after = table(comments), table(out)
    assert [{k: row[k] for k in before[0]} for row in after] == before
    predictor = Predictor(str(model), device="cpu", threshold=0.5)
    good = [row for row in after if row["review"]]
    assert len(good) == 990
    for row, said in zip(good, predictor.predict([row["review"] for row in good]), strict=True):
        assert row["emotions"] == ",".join(e.emotion for e in said.emotions)
        assert [float(row[name]) for name in said.scores] == pytest.approx(list(said.scores.values()), abs=2e-6)
    bad = [row for row in after if not row["review"]]
    assert {row["error"] for row in bad} == {"empty text"} and {row["joy"] for row in bad} == {""}

    assert (told["rows"], told["scored"], told["errors"], told["column"]) == (1000, 990, 10, "review")
    assert told["wrong"][0] == {"row": 51, "what": "empty text"}
    for name in predictor.labels:
        felt = sum(name in row["emotions"].split(",") for row in good)
        assert told["emotions"][name] == {"rows": felt, "share": round(felt / 990, 6)}
    assert told["without"]["rows"] == sum(not row["emotions"] for row in good)
    negative = {"anger", "annoyance", "disapproval", "disgust", "fear", "nervousness"}
    negative |= {"sadness", "disappointment", "embarrassment", "grief", "remorse"}
    found = sum(bool(negative & set(row["emotions"].split(","))) for row in good)
    assert told["sentiment"]["negative"]["rows"] == found
    assert [(of["value"], of["rows"]) for of in told["by"]["shop"]] == [
        ("shop 0", 334),
        ("shop 1", 333),
        ("shop 2", 333),
    ]
    days = told["by"]["when"]
    assert days[0]["value"] == "2024-01-02" and len(days) == 42 and sum(of["rows"] for of in days) == 1000
    assert not list(tmp_path.glob("*.parts"))


@pytest.mark.parametrize("ending", ["jsonl", "parquet", "tsv.gz"])
def test_formats_say_the_same(
    ending: str, comments: Path, model: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    first, second = tmp_path / "one.csv", tmp_path / f"two.{ending}"
    assert main(["score", *arguments(comments, model, first)]) == 0
    assert main(["score", *arguments(comments, model, second)]) == 0
    back = tmp_path / "back.csv"
    # what was written is read again: its new columns are old ones now, and stay
    assert main(["score", *arguments(second, model, back)]) == 0
    for before, after in zip(table(first), table(back), strict=True):
        assert after["review"] == before["review"] and after["error"] == before["error"]
        assert after["predicted_emotions"] == before["emotions"]
        assert after["predicted_joy"] == before["joy"]
        if ending != "jsonl":
            assert after["joy"] == before["joy"] or float(after["joy"]) == pytest.approx(float(before["joy"]), abs=1e-6)
        elif before["joy"]:
            assert json.loads(after["scores"])["joy"] == float(before["joy"])
    if ending == "parquet":
        found = pq.read_table(second).column("joy").to_pylist()
        assert [p for p in found if p is not None] == pytest.approx(
            [float(row["joy"]) for row in table(first) if row["joy"]], abs=1e-6
        )
    assert "1,000 rows, 10 not judged" in capsys.readouterr().out


def test_a_long_text_gets_the_numbers_of_predict(
    model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    texts = ["x" * 10_400 + " I love you so much", *["so sad"] * 5, "a word " * 5_000, "x" * 30_000, "fine"]
    (tmp_path / "in.txt").write_text("\n".join(texts))
    predictor = Predictor(str(model), device="cpu")
    said = [list(one.scores.values()) for one in predictor.predict(texts)]
    assert said[0] != pytest.approx(said[7], abs=1e-4), "what stands behind the long word is read"
    for characters in (1_000_000, 20_000, 1):
        monkeypatch.setattr("trainer.infer.score.CHARACTERS", characters)
        out = tmp_path / f"{characters}.jsonl"
        assert main(["score", str(tmp_path / "in.txt"), "--model", str(model), "--out", str(out)]) == 0
        found = [list(json.loads(line)["scores"].values()) for line in out.read_text().splitlines()]
        for ours, its in zip(found, said, strict=True):
            assert ours == pytest.approx(its, abs=2e-6)


def test_what_is_said_by_a_column_and_by_the_day(
    model: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    days = [f"{2015 + n // 300}-{n // 25 % 12 + 1:02d}-{n % 25 + 1:02d}" for n in range(1_100)]
    rows = [f"so happy,{day},{'VIP' if n < 50 or n > 900 else n}" for n, day in enumerate(days)]
    rows += ["so sad,,VIP", "so sad,03/01/2024,VIP", "so sad,yesterday,VIP"]
    (tmp_path / "in.csv").write_text("text,day,user\n" + "\n".join(rows) + "\n")
    base = ["score", str(tmp_path / "in.csv"), "--model", str(model), "--by", "user", "--by-day", "day"]
    for portion in ("400", "2000"):
        out = ["--out", str(tmp_path / f"{portion}.csv"), "--portion", portion]
        assert main([*base, *out, "--threshold", "0.01", "--json"]) == 0
        told = json.loads(capsys.readouterr().out)["by"]
        assert [of["value"] for of in told["day"]] == [*days, "(none)", "(not a date)"]
        assert [of["rows"] for of in told["day"]][-2:] == [1, 2]
        assert (told["user"][0]["value"], told["user"][0]["rows"]) == ("VIP", 252)
    assert main([*base, *out, "--threshold", "0.01", "--overwrite"]) == 0
    said = capsys.readouterr().out.splitlines()
    assert "by the day of day" in said and [line for line in said if line.startswith(f"  {days[-1]} ")]
    assert not [line for line in said if line.startswith(f"  {days[0]} ")] and "1,069 earlier days" in "\n".join(said)
    assert [line.split()[:4] for line in said if line.startswith("  (not a date)  ")] == [["(not", "a", "date)", "2"]]
    line = next(line for line in said if line.startswith("  VIP"))
    assert line.split()[2].strip("#") == "" and "█" not in "".join(said), "no terminal: plain signs"
    assert main([*base, *out, "--by-day", "user", "--overwrite"]) == 2
    assert "--by counts its values, --by-day its days" in capsys.readouterr().err


def test_several_files_are_one_table(
    comments: Path, model: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    lines = comments.read_text().splitlines(keepends=True)
    (tmp_path / "many").mkdir()
    for name, shop in (("a", "shop 1"), ("b", "shop 2")):
        (tmp_path / "many" / f"{name}.csv").write_text(
            f"{lines[0]}1,so happy,{shop},0\n2,,{shop},0\n3,so sad,{shop},0\n"
        )
    given = (f"{tmp_path}/many/*.csv", f"{tmp_path}/many", f"file://{tmp_path}/many/*.csv")
    for number, where in enumerate(given):
        out = tmp_path / f"{number}.csv"
        assert main(["score", *arguments(Path(where), model, out, "--json", "--by", "shop")[1:], where]) == 0
        told = json.loads(capsys.readouterr().out)
        assert (told["rows"], told["errors"], told["input"]) == (6, 2, where)
        wrong = [(of["row"], of["file"].rsplit("/", 1)[1]) for of in told["wrong"]]
        assert wrong == [(2, "a.csv"), (2, "b.csv")]
        assert [(of["value"], of["rows"]) for of in told["by"]["shop"]] == [("shop 1", 3), ("shop 2", 3)]
        assert [(row["n"], row["shop"]) for row in table(out)] == [
            (n, shop) for shop in ("shop 1", "shop 2") for n in "123"
        ]
        assert out.read_bytes() == (tmp_path / "0.csv").read_bytes()
    assert main(["score", f"{tmp_path}/many/*.tsv", "--out", str(out), "--overwrite"]) == 3
    assert "no file matches" in capsys.readouterr().err
    assert main(["score", given[0], "--address", "auto"]) == 2
    assert "--engine ray" in capsys.readouterr().err


def killed(command: list[str], parts: Path, after: int, how: signal.Signals) -> subprocess.CompletedProcess[str]:
    """Start it and kill it when so many parts are there."""
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        while len(list(parts.glob("part-*.json"))) < after and process.poll() is None:
            time.sleep(0.002)
        process.send_signal(how)
        out, error = process.communicate(timeout=60)
        return subprocess.CompletedProcess(command, process.returncode, out, error)


@pytest.mark.parametrize("ending", ["csv", "parquet"])
def test_killed_and_started_again_no_row_is_lost_or_twice(
    ending: str, comments: Path, model: Path, tmp_path: Path
) -> None:
    whole, out = tmp_path / f"whole.{ending}", tmp_path / f"out.{ending}"
    assert main(["score", *arguments(comments, model, whole, "--threshold", "0.5")]) == 0
    command = [*COMMAND, *arguments(comments, model, out, "--json", "--threshold", "0.5")]
    parts = out.with_name(f"{out.name}.parts")
    reached = 0
    ways = ((1, signal.SIGKILL), (4, signal.SIGINT), (7, signal.SIGTERM))
    for after, how in ways if ending == "csv" else ways[:1]:
        ended = killed(command, parts, after, how)
        assert ended.returncode == {signal.SIGKILL: -9, signal.SIGINT: 130, signal.SIGTERM: 143}[how], ended.stderr
        assert not out.exists() and "Traceback" not in ended.stderr
        now = len(list(parts.glob("part-*.json")))
        assert now > reached
        reached = now
        if how == signal.SIGINT:
            assert "the same command goes on" in ended.stderr
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    told = json.loads(done.stdout)
    assert told["rows"] == 1000 and told["errors"] == 10 and told["resumed_at"] >= 64 * reached
    if ending == "csv":
        assert out.read_bytes() == whole.read_bytes()
    else:
        assert pq.read_table(out).equals(pq.read_table(whole))
    assert not parts.exists()


def test_what_has_changed_meanwhile_is_not_mixed(comments: Path, model: Path, tmp_path: Path) -> None:
    out = tmp_path / "out.csv"
    command = [*COMMAND, *arguments(comments, model, out)]
    killed(command, out.with_name("out.csv.parts"), 2, signal.SIGKILL)
    os.utime(comments, (1, 1))
    again = subprocess.run(command, capture_output=True, text=True)
    assert again.returncode == 2 and "begun with another input" in again.stderr and "--again" in again.stderr
    other = subprocess.run([*command, "--portion", "63"], capture_output=True, text=True)
    assert other.returncode == 2 and "begun with another input, portion" in other.stderr
    anew = subprocess.run([*command, "--again"], capture_output=True, text=True)
    assert anew.returncode == 0 and len(table(out)) == 1000


def test_through_a_pipe(model: Path) -> None:
    done = subprocess.run(
        [*COMMAND, "-", "--format", "txt", "--model", str(model), "--out-format", "tsv"],
        input="so happy\n\nso sad\n", capture_output=True, text=True, check=True,
    )  # fmt: skip
    rows = list(csv.DictReader(done.stdout.splitlines(), delimiter="\t"))
    assert [(row["text"], row["error"]) for row in rows] == [("so happy", ""), ("", "empty text"), ("so sad", "")]
    assert "3 rows, 1 not judged" in done.stderr


def test_a_torn_file_keeps_what_came_before(comments: Path, model: Path, tmp_path: Path) -> None:
    packed = gzip.compress(comments.read_bytes())
    (tmp_path / "in.csv.gz").write_bytes(packed[: -len(packed) // 4])
    out = tmp_path / "out.csv"
    done = subprocess.run(
        [*COMMAND, *arguments(tmp_path / "in.csv.gz", model, out, "--json")], capture_output=True, text=True
    )
    told = json.loads(done.stdout)
    assert done.returncode == 1 and "in.csv.gz cannot be unpacked" in told["torn"] and told["torn"] in done.stderr
    before, after = table(comments), table(out)
    assert 500 < len(after) == told["rows"] < 1000 and not list(tmp_path.glob("*.parts"))
    assert [row["review"] for row in after[:-1]] == [row["review"] for row in before[: len(after) - 1]]
    assert "Traceback" not in done.stderr and sum(row["joy"] != "" for row in after) == told["scored"]


def test_packed_rows_through_a_pipe(comments: Path, model: Path) -> None:
    command = [*COMMAND, "-", "--format", "csv", "--column", "review", "--model", str(model)]
    done = subprocess.run(command, input=gzip.compress(comments.read_bytes()), capture_output=True, check=True)
    plain = subprocess.run(command, input=comments.read_bytes(), capture_output=True, check=True)
    assert done.stdout == plain.stdout and b"1,000 rows, 10 not judged" in done.stderr


def test_a_first_line_that_is_taken_for_a_row_is_said(
    model: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "in.csv").write_text("my words,who\nso happy,a\n")
    base = ["score", str(tmp_path / "in.csv"), "--model", str(model)]
    assert main([*base, "--column", "1", "--out", str(tmp_path / "o.csv"), "--json"]) == 0
    told = capsys.readouterr()
    assert json.loads(told.out)["rows"] == 2 and "say --column 'my words'" in told.err
    assert main([*base, "--column", "my words", "--out", str(tmp_path / "p.csv"), "--json"]) == 0
    told = capsys.readouterr()
    assert json.loads(told.out)["rows"] == 1 and "if its first line" not in told.err


def test_what_a_pipe_left_behind_is_in_no_ones_way(comments: Path, model: Path, tmp_path: Path) -> None:
    out = tmp_path / "out.csv"
    parts = out.with_name("out.csv.parts")
    more = ["--column", "review", "--model", str(model), "--out", str(out), *PORTION]
    script = " ".join([f"cat {comments} -", "|", *COMMAND, "-", "--format", "csv", *more])
    with subprocess.Popen(
        ["bash", "-c", f"exec 9>&1; {script} & wait"], stdin=subprocess.PIPE, start_new_session=True
    ) as shell:
        while len(list(parts.glob("part-*.json"))) < 2 and shell.poll() is None:
            time.sleep(0.002)
        os.killpg(shell.pid, signal.SIGKILL)
    assert len(list(parts.glob("part-*.json"))) >= 2
    assert main(["score", *arguments(comments, model, out)]) == 0
    assert len(table(out)) == 1000 and not parts.exists()


def test_a_disk_that_is_full_at_the_very_end_costs_nothing(
    comments: Path, model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out.csv"
    with monkeypatch.context() as full:
        full.setattr(
            "trainer.tables.sink.shutil.copyfileobj", lambda *_: (_ for _ in ()).throw(OSError(28, "disk is full"))
        )
        assert main(["score", *arguments(comments, model, out)]) == 1
    said = capsys.readouterr().err
    assert "disk is full. All that was done is kept in" in said and "out.csv.parts: the same command goes on" in said
    assert not out.exists()
    assert main(["score", *arguments(comments, model, out, "--json")]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["resumed_at"] == told["rows"] == len(table(out)) == 1000


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="a device that is always full")
@pytest.mark.parametrize("more", [[], ["--out", "o.csv"], ["--out", "o.csv", "--json"]])
def test_a_full_stdout_is_said(more: list[str], comments: Path, model: Path, tmp_path: Path) -> None:
    command = [*COMMAND, str(comments), "--column", "review", "--model", str(model), *more]
    with Path("/dev/full").open("wb") as full:
        done = subprocess.run(command, stdout=full, stderr=subprocess.PIPE, text=True, cwd=tmp_path)
    assert done.returncode == 1 and "stdout cannot be written: No space left on device" in done.stderr
    assert "unforeseen" not in done.stderr and "Exception ignored" not in done.stderr


def test_columns_of_parquet_that_are_called_alike_come_out_in_every_format(
    model: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    columns = [pa.array(["so happy", "so sad"]), pa.array([1, 2]), pa.array([3, 4]), pa.array(["x", "y"])]
    pq.write_table(pa.Table.from_arrays(columns, ["text", "n", "n", "text"]), tmp_path / "in.parquet")
    for ending in ("csv", "jsonl", "parquet"):
        out = tmp_path / f"out.{ending}"
        assert (
            main(["score", str(tmp_path / "in.parquet"), "--model", str(model), "--out", str(out), "--safe-cells"]) == 0
        )
        said = capsys.readouterr().err
        assert ("--safe-cells changes nothing here" in said) == (ending != "csv")
        match ending:
            case "csv":
                rows: list[dict[str, Any]] = [dict(row) for row in table(out)]
            case "jsonl":
                rows = [json.loads(line) for line in out.read_text().splitlines()]
            case _:
                rows = pq.read_table(out).to_pylist()
        found = [[str(row[name]) for name in ("text", "n", "n_2", "text_2")] for row in rows]
        assert found == [["so happy", "1", "3", "x"], ["so sad", "2", "4", "y"]]


def test_through_a_pipe_into_a_file(model: Path, tmp_path: Path) -> None:
    out = tmp_path / "out.csv"
    command = [*COMMAND, "-", "--format", "jsonl", "--model", str(model), "--out", str(out), "--json"]
    for _ in range(2):  # nothing of the first is gone on with
        done = subprocess.run(
            [*command, "--overwrite"], input='{"text": "so happy", "n": 1}\nnonsense\n', capture_output=True, text=True
        )
        assert done.returncode == 0 and "cannot be taken up again" in done.stderr, done.stderr
        assert json.loads(done.stdout)["rows"] == 2
        assert [(row["text"], row["other_fields"]) for row in table(out)] == [
            ("so happy", ""), ("", ""),
        ]  # fmt: skip
        assert [row["line"] for row in table(out)] == ["", "nonsense"]


@pytest.mark.parametrize("given", ["<(cat IN)", "/dev/stdin", "FIFO"])
def test_whatever_can_be_read_once_is_read_once(given: str, model: Path, tmp_path: Path) -> None:
    """A look at its beginning, as files are known again by, would take rows away."""
    rows = 20_000
    (tmp_path / "in.csv").write_text("text,n\n" + "".join(f"row,{n}\n" for n in range(rows)))
    where = given.replace("IN", str(tmp_path / "in.csv")).replace("FIFO", str(tmp_path / "fifo"))
    out = tmp_path / "out.jsonl"
    command = " ".join([*COMMAND, where, "--format", "csv", "--model", str(model), "--out", str(out), "--json"])
    before = ""
    if given == "FIFO":
        os.mkfifo(tmp_path / "fifo")
        before = f"cat {tmp_path}/in.csv >{tmp_path}/fifo &"
    script = f"{before} cat {tmp_path}/in.csv | {command}" if given == "/dev/stdin" else f"{before} {command}"
    done = subprocess.run(["bash", "-c", script], capture_output=True, text=True)
    assert done.returncode == 0 and json.loads(done.stdout)["rows"] == rows, done.stderr
    assert "cannot be taken up again" in done.stderr
    assert [json.loads(line)["n"] for line in out.read_text().splitlines()] == [str(n) for n in range(rows)]


def test_a_pipe_or_a_device_stays_what_it_is(comments: Path, model: Path, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "out.csv")
    done = subprocess.run(
        [*COMMAND, *arguments(comments, model, tmp_path / "out.csv", "--overwrite")], capture_output=True
    )
    assert done.returncode == 2 and b"leave --out out" in done.stderr
    assert (tmp_path / "out.csv").is_fifo() and not list(tmp_path.glob("*.parts"))


def test_what_a_link_leads_to_is_written_over(comments: Path, model: Path, tmp_path: Path) -> None:
    (tmp_path / "deep").mkdir()
    (tmp_path / "deep" / "real.csv").write_text("old")
    (tmp_path / "out.csv").symlink_to("deep/real.csv")
    assert main(["score", *arguments(comments, model, tmp_path / "out.csv", "--overwrite")]) == 0
    assert (tmp_path / "out.csv").is_symlink() and len(table(tmp_path / "deep" / "real.csv")) == 1000
    assert sorted(f.name for f in tmp_path.glob("**/*.parts")) == []


@pytest.mark.parametrize(
    ("more", "code", "words"),
    [
        (["--json"], 2, "--out"),
        (["--out", "IN"], 2, "is the file that is read"),
        (["--out", "THERE.csv"], 2, "--overwrite"),
        (["--out", "nowhere/o.csv"], 2, "no folder"),
        (["--out", "o.xls"], 2, "--out-format"),
        (["--out", "o.csv", "--column", "body"], 2, "no column 'body'"),
        (["--out", "o.csv", "--by", "town"], 2, "no column 'town'"),
        (["--out", "o.csv", "--precision", "int3"], 2, "fp32, bf16, int8"),
        (["--out", "o.csv", "--portion", "0"], 2, "at least one row"),
        (["--out", "o.csv", "--model", "gone"], 3, "gone"),
        (["--out-format", "parquet"], 2, "--out"),
    ],
)
def test_what_cannot_be_is_said_before_anything_is_done(
    more: list[str], code: int, words: str, comments: Path, model: Path, tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    monkeypatch.chdir(tmp_path)
    (tmp_path / "THERE.csv").write_text("mine")
    chosen: list[str] = [str(comments) if word == "IN" else word for word in more]
    base: list[Any] = ["score", str(comments), "--model", str(model), "--column", "review"]
    assert main([*base, *chosen]) == code
    assert words in capsys.readouterr().err
    assert {f.name for f in tmp_path.iterdir()} <= {"in.csv", "THERE.csv", "home"}
    assert (tmp_path / "THERE.csv").read_text() == "mine"


def test_a_file_of_which_nothing_can_be_judged(model: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "in.csv").write_bytes(b"text,n\n,1\n\xff,2\n")
    assert (
        main(["score", str(tmp_path / "in.csv"), "--model", str(model), "--out", str(tmp_path / "o.csv"), "--json"])
        == 1
    )
    told = capsys.readouterr()
    assert json.loads(told.out)["errors"] == 2 and "no row could be judged" in told.err
    assert [row["error"] for row in table(tmp_path / "o.csv")] == ["empty text", "not UTF-8 text"]
