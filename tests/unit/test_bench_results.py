"""The dated rows of `make bench`: only ever added, each in the table of its place, with nothing in them but the figures."""

from __future__ import annotations

import re
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest

from benchmarks import __main__ as bench
from benchmarks import results
from benchmarks.machine import FAST_MATH, Machine, commit, this_machine
from benchmarks.results import Measured, append, cell
from benchmarks.watched import median_between

HERE = Machine(
    "AMD EPYC", 2, ("avx2", "avx512_bf16"), 8, "", "torch 2.13.0 · Python 3.11", "abc1234", "2026-11-29", 0.5
)
ON_CPU = Measured("train minilm", "40.0 comments/s", "8.0x notebook (5.0)")
ON_GPU = Measured("train minilm", "4,000.0 comments/s", "8.0x notebook (500.0)", "GPU")


def rows(file: Path, place: str) -> list[str]:
    """The lines of the table in one section, without its head."""
    section = re.split(r"^## ", file.read_text("utf-8"), flags=re.M)
    body = next(part for part in section if part.startswith(f"{place}\n"))
    return [line for line in body.splitlines() if line.startswith("|")][2:]


def test_the_first_run_makes_the_document(tmp_path: Path) -> None:
    file = tmp_path / "RESULTS.md"
    append([ON_CPU], HERE, file)
    assert rows(file, "CPU") == [
        "| 2026-11-29 | AMD EPYC · 2 cores · avx2 avx512_bf16 · 8 GB · torch 2.13.0 · Python 3.11 · load 0.5 | abc1234 "
        "| train minilm | 40.0 comments/s | 8.0x notebook (5.0) |"
    ]
    assert "## GPU" not in file.read_text("utf-8")
    assert list(tmp_path.iterdir()) == [file]
    assert file.stat().st_mode & 0o777 == 0o644


def test_processor_and_gpu_have_tables_of_their_own(tmp_path: Path) -> None:
    file = tmp_path / "RESULTS.md"
    append([ON_GPU, ON_CPU], HERE, file)
    append([ON_CPU], replace(HERE, date="2026-11-30"), file)
    append([ON_GPU], replace(HERE, date="2026-12-01"), file)
    assert [row.split(" | ")[0] for row in rows(file, "CPU")] == ["| 2026-11-29", "| 2026-11-30"]
    assert [row.split(" | ")[0] for row in rows(file, "GPU")] == ["| 2026-11-29", "| 2026-12-01"]
    assert all("4,000.0" in row for row in rows(file, "GPU"))
    assert file.read_text("utf-8").count("| date |") == 2


@pytest.mark.parametrize(
    "before",
    [
        b"# Results\n\n## CPU\n\n| a |\n|---|\n| 1 |\n\nWords behind it.\n\n## GPU\n\n| a |\n|---|\n| 2 |\n",
        b"# Results\r\n\r\n## CPU\r\n\r\n| a |\r\n|---|\r\n| 1 |\r\n\r\n## GPU\r\n\r\n| a |\r\n|---|\r\n| 2 |",
        b"## GPU\n\n| a |\n|---|\n| \xff not UTF-8 |\n\n## CPU\n\n| a |\n|---|\n| 1 |",
        b"## CPU\n\nNothing yet.\n\n## GPU\n",
        b"only words, no line's end",
        b"",
    ],
)
def test_what_is_there_stays_byte_for_byte(before: bytes, tmp_path: Path) -> None:
    file = tmp_path / "RESULTS.md"
    file.write_bytes(before)
    file.chmod(0o664)
    append([ON_CPU, ON_GPU], HERE, file)
    after = file.read_bytes()
    left = iter(after)
    assert all(byte in left for byte in before), "a byte that was there is gone, or stands elsewhere"
    assert after.count(b"train minilm") == 2
    cpu, gpu = after.index(b"| 40.0 comments/s"), after.index(b"| 4,000.0 comments/s")
    for at, place in ((cpu, b"CPU"), (gpu, b"GPU")):
        headings = re.findall(rb"^## (\w+)", after[:at], re.M)
        assert headings[-1] == place
    old = [line for line in before.split(b"\n") if line.strip()]
    assert [line for line in after.split(b"\n") if line in old] == old
    assert file.stat().st_mode & 0o777 == 0o664


def test_a_row_stands_on_the_line_behind_the_last(tmp_path: Path) -> None:
    file = tmp_path / "RESULTS.md"
    file.write_bytes(b"## CPU\n\n| a |\n|---|\n| 1 |\n\nWords behind it.\n")
    append([ON_CPU], HERE, file)
    lines = file.read_text("utf-8").split("\n")
    assert lines[4] == "| 1 |"
    assert "train minilm" in lines[5]
    assert lines[6:] == ["", "Words behind it.", ""]


def test_a_disk_that_takes_nothing_leaves_the_document_as_it_was(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "RESULTS.md"
    append([ON_CPU], HERE, file)
    before = file.read_bytes()

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(OSError, match="No space left"):
        append([ON_CPU], HERE, file)
    assert file.read_bytes() == before
    assert list(tmp_path.iterdir()) == [file]


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("a|b", r"a\|b"),
        ("two\nlines\tand  blanks", "two lines and blanks"),
        ("*bold* `code` <b> [link](x)", r"\*bold\* \`code\` \<b> \[link\](x)"),
        (r"back\slash", r"back\\slash"),
        ("avx512_bf16 _so_", r"avx512_bf16 \_so\_"),
    ],
)
def test_cells_hold_no_markup(text: str, shown: str) -> None:
    assert cell(text) == shown


def test_a_pipe_in_a_figure_makes_no_column(tmp_path: Path) -> None:
    file = tmp_path / "RESULTS.md"
    append([Measured("a | b", "1\n2", "c")], HERE, file)
    assert len(re.findall(r"(?<!\\)\|", rows(file, "CPU")[0])) == len(results.COLUMNS) + 1


def test_the_machine_is_told_without_whose_it_is(tmp_path: Path) -> None:
    machine = this_machine()
    told = f"{machine} {machine.commit} {machine.date}"
    assert machine.processor and machine.cores > 0 and machine.memory > 0
    assert set(machine.instructions) <= set(FAST_MATH)
    assert "torch 2" in told and "transformers 5" in told and "Python 3" in told
    assert re.fullmatch(r"\d{4}-\d\d-\d\d", machine.date)
    assert not re.search(r"(?<!\w)/\w", told), "a path"


def test_the_commit_says_whether_files_were_changed(tmp_path: Path) -> None:
    def git(*words: str) -> None:
        subprocess.run(["git", "-c", "user.name=a", "-c", "user.email=a@b", *words], cwd=tmp_path, check=True)

    assert commit(tmp_path) == ""
    git("init", "-q")
    for name in ("code.py", "benchmarks/RESULTS.md"):
        file = tmp_path / name
        file.parent.mkdir(exist_ok=True)
        file.write_text("1\n")
    git("add", ".")
    git("commit", "-qm", "one")
    clean = commit(tmp_path)
    assert re.fullmatch("[0-9a-f]{7,}", clean)
    (tmp_path / "benchmarks/RESULTS.md").write_text("2\n")
    assert commit(tmp_path) == clean
    (tmp_path / "code.py").write_text("2\n")
    assert commit(tmp_path) == f"{clean}+"


@pytest.mark.parametrize("words", [[], ["--no-write"]])
def test_a_run_prints_and_writes_unless_told_not_to(
    words: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    file, corpus = tmp_path / "RESULTS.md", tmp_path / "goemotions"
    monkeypatch.setenv("GOEMO_TEST_CORPUS", str(corpus))
    monkeypatch.setattr(bench, "PARTS", {"loading": lambda name: [Measured("load", "1 s", f"{name == str(corpus)}")]})
    monkeypatch.setattr(bench, "append", lambda found, machine: append(found, machine, file))
    assert bench.main(["--only", "loading", *words]) == 0
    printed = capsys.readouterr().out
    assert "cores" in printed and "corpus goemotions" in printed and "True" in printed
    assert str(tmp_path) not in printed
    assert file.exists() == (not words)
    if not words:
        assert str(tmp_path) not in file.read_text("utf-8")
        assert "| load | 1 s | True |" in rows(file, "CPU")[0]


def test_a_median_lies_between_two_of_the_values() -> None:
    # ranks 22 and 39 of 60 are what statistical tables give for 95%
    assert median_between([float(value) for value in range(60, 0, -1)]) == (22.0, 39.0)
    assert median_between([3.0, 1.0, 2.0]) == (1.0, 3.0)
