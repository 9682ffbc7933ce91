"""What a path, a glob, a folder or a URI of files stands for, and how several files are one source."""

from __future__ import annotations

import gzip
import os
from pathlib import Path
from types import SimpleNamespace

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from pyarrow import fs

from trainer.errors import ConfigError, CorpusError, NotFoundError
from trainer.tables.folder import Folder
from trainer.tables.part_folder import Part, PartFolder, within
from trainer.tables.places import PATIENCE, files_of, fingerprint, is_once, name_of, opened, system_of
from trainer.tables.several import Several, kinds_of, source_of
from trainer.tables.source import Source


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """b.csv, a.csv, deep/c.csv.gz, and what is no data."""
    (tmp_path / "deep").mkdir()
    (tmp_path / "b.csv").write_text("text,n\nb1,1\nb2,2\n")
    (tmp_path / "a.csv").write_text("text,n\na1,1\n,2\na3,3\n")
    (tmp_path / "deep" / "c.csv.gz").write_bytes(gzip.compress(b"text,n\nc1,1\n"))
    for name in ("_SUCCESS", ".hidden.csv", "notes.md"):
        (tmp_path / name).write_text("no")
    return tmp_path


def names(files: list[str], folder: Path) -> list[str]:
    return [file.removeprefix("file://").removeprefix(f"{folder}/") for file in files]


@pytest.mark.parametrize("start", ["", "file://"])
@pytest.mark.parametrize(
    ("given", "found"),
    [
        ("", ["a.csv", "b.csv"]),
        ("/*.csv", ["a.csv", "b.csv"]),
        ("/**/*.csv*", ["a.csv", "b.csv", "deep/c.csv.gz"]),
        ("/b.csv", ["b.csv"]),
    ],
)
def test_what_is_meant_is_sorted(start: str, given: str, found: list[str], folder: Path) -> None:
    assert names(files_of([f"{start}{folder}{given}"]), folder) == found


def test_each_file_once_in_the_order_given(folder: Path) -> None:
    given = [str(folder / "b.csv"), f"{folder}/*.csv"]
    assert names(files_of(given), folder) == ["b.csv", "a.csv"]


def test_a_name_with_the_signs_of_a_glob_is_a_name(tmp_path: Path) -> None:
    file = tmp_path / "odd [1]*.txt"
    file.write_text("x\n")
    assert files_of([str(file)]) == [str(file)]
    assert files_of([f"file://{tmp_path}/*.txt"]) == [f"file://{tmp_path}/odd%20%5B1%5D%2A.txt"]
    with opened(f"file://{tmp_path}/odd%20%5B1%5D%2A.txt")[0] as read:
        assert read.read() == b"x\n"


@pytest.mark.parametrize(
    ("given", "error", "words"),
    [
        (["DIR/*.tsv"], NotFoundError, "no file matches"),
        (["file://DIR/*.tsv"], NotFoundError, "no file matches"),
        (["DIR/empty"], NotFoundError, "no file of rows"),
        (["-", "DIR/a.csv"], ConfigError, "alone"),
        (["gopher://x/y"], ConfigError, "gopher"),
    ],
)
def test_what_is_not_there_is_said(given: list[str], error: type[Exception], words: str, folder: Path) -> None:
    (folder / "empty").mkdir()
    with pytest.raises(error, match=words):
        files_of([where.replace("DIR", str(folder)) for where in given])


def test_what_can_be_read_once_stands_alone(folder: Path) -> None:
    os.mkfifo(folder / "pipe")
    (folder / "link").symlink_to(folder / "pipe")
    once = [str(folder / "pipe"), str(folder / "link"), "-", "/dev/null"]
    assert all(map(is_once, once))
    assert not any(map(is_once, (str(folder), f"{folder}/a.csv", f"{folder}/gone", f"file://{folder}/pipe")))
    for where in once:
        with pytest.raises(ConfigError, match="alone"):
            files_of([f"{folder}/a.csv", where])
    assert files_of([once[0]]) == [once[0]]


def test_a_store_that_does_not_answer_is_no_wrong_use(monkeypatch: pytest.MonkeyPatch) -> None:
    def asked(uri: str) -> None:
        raise OSError(
            "When resolving region for bucket 'b': AWS Error NETWORK_CONNECTION during HeadBucket operation: curlCode: 6, "
            "Could not resolve hostname; Details: Could not resolve host: b.s3.us-east-1.amazonaws.com"
        )

    monkeypatch.setattr(fs, "FileSystem", SimpleNamespace(from_uri=asked))
    with pytest.raises(CorpusError, match=r"^s3://b/a\.csv could not be reached \(Could not resolve host: b\.") as told:
        system_of("s3://me:secret@b/a.csv")
    assert "AWS Error" not in str(told.value) and "network" in str(told.value) and "secret" not in str(told.value)


@pytest.mark.parametrize(
    ("uri", "seconds"),
    [("gs://b/x.csv", PATIENCE), ("gs://b/x?scheme=http", PATIENCE), ("gs://b/x?retry_limit_seconds=7", 7)],
)
def test_a_google_store_is_not_asked_for_a_quarter_of_an_hour(uri: str, seconds: int) -> None:
    system, path = system_of(uri)
    assert system.__reduce__()[1][0]["retry_time_limit"].total_seconds() == seconds and path.startswith("b/x")


def test_a_google_store_where_nobody_listens_is_told_in_short() -> None:
    nobody = "gs://anonymous@b/x.csv?retry_limit_seconds=1&scheme=http&endpoint_override=127.0.0.1:9"
    with pytest.raises(
        CorpusError, match=r"^gs://b/x\.csv cannot be read: CURL error \[7\]=Could not connect to server\. Check"
    ):
        opened(nobody)


def test_keys_in_a_uri_are_told_to_nobody() -> None:
    assert name_of("s3://me:secret@bucket/a.csv?access_key=me&secret_key=k") == "s3://bucket/a.csv"


def test_several_are_one(folder: Path) -> None:
    files = kinds_of(files_of([f"{folder}/*.csv", f"file://{folder}/deep/c.csv.gz"]), None)
    source = source_of(files)
    assert isinstance(source, Several) and source.names == ("text", "n") and not source.is_pipe
    rows = [(p.file.rsplit("/", 1)[1], p.first + i, t) for p in source.portions(2) for i, t in enumerate(p.texts)]
    assert rows == [
        ("a.csv", 0, "a1"), ("a.csv", 1, ""), ("a.csv", 2, "a3"), ("b.csv", 0, "b1"), ("b.csv", 1, "b2"),
        ("c.csv.gz", 0, "c1"),
    ]  # fmt: skip
    for skip in range(8):
        again = source_of(files)
        kept = [t for p in again.portions(2, skip) for t in p.texts]
        assert kept == [text for _, _, text in rows][skip:] and again.position == again.size


def test_files_have_to_be_alike(folder: Path) -> None:
    (folder / "deep" / "d.csv").write_text("text,m\nd1,1\n")
    with pytest.raises(CorpusError, match=r"d\.csv is not like .*a\.csv: its columns are text, m"):
        source_of(kinds_of([f"{folder}/a.csv", f"{folder}/deep/d.csv"], None))
    (folder / "e.tsv").write_text("text\te\n")
    with pytest.raises(ConfigError, match="one format"):
        kinds_of([f"{folder}/a.csv", f"{folder}/e.tsv"], None)
    for name, n in (("f", 1), ("g", "one")):
        pq.write_table(pa.table({"text": ["t"], "n": [n]}), folder / f"{name}.parquet")
    with pytest.raises(CorpusError, match=r"n \(string\) where that has n \(int64\)"):
        source_of(kinds_of([f"{folder}/f.parquet", f"{folder}/g.parquet"], None))


@pytest.mark.parametrize("skip", [0, 3, 7, 10, 29, 30, 31, 64, 99, 100, 130])
def test_portions_of_parquet_are_the_same_wherever_one_begins(skip: int, tmp_path: Path) -> None:
    pq.write_table(pa.table({"text": [f"t{n}" for n in range(100)]}), tmp_path / "a.parquet", row_group_size=30)
    ((file, kind),) = kinds_of([str(tmp_path / "a.parquet")], None)
    source = Source(file, kind)
    found = [(p.first, p.texts) for p in source.portions(10, skip)]
    assert found == [(n, [f"t{m}" for m in range(n, min(n + 10, 100))]) for n in range(skip, 100, 10)]
    assert source.skipped == min(skip, 100)


def test_a_file_is_known_again(folder: Path) -> None:
    for where in (f"{folder}/a.csv", f"file://{folder}/a.csv"):
        before = fingerprint(where)
        assert fingerprint(where) == before
    (folder / "a.csv").write_text("text,n\nA1,1\n,2\na3,3\n")
    assert fingerprint(where) != before


@pytest.mark.parametrize("start", ["", "file://"])
def test_a_folder_takes_files_whole(start: str, tmp_path: Path) -> None:
    folder = Folder(f"{start}{tmp_path}/out")
    assert folder.sizes() == {} and folder.read("a") is None
    folder.make()
    folder.make("in")
    folder.write("in/a", b"one")
    folder.write("in/a", b"three")
    folder.write("b", b"x")
    assert folder.read("in/a") == b"three" and folder.sizes() == {"b": 1} and folder.sizes("in") == {"a": 5}
    folder.remove("b")
    folder.remove("b")
    assert folder.sizes() == {}


def test_a_part_counts_with_its_mark_of_the_same_plan_alone(tmp_path: Path) -> None:
    out = PartFolder(str(tmp_path / "out"), "plan")
    out.begin()
    one, two, three = (Part(0, n, n, 1) for n in range(3))
    for part in (one, two):
        out.add(part, b"rows", [{"rows": part.first}], {"pid": 1})
    PartFolder(str(tmp_path / "out"), "other").add(three, b"rows", [], {})
    assert out.done([one, two, three]) == [one, two]
    assert [told["rows"] for told in out.told([two, one])] == [0, 1]
    (tmp_path / "out" / f"{two.name}.parquet").write_bytes(b"ro")
    assert out.done([one, two, three]) == [one]
    with pytest.raises(ConfigError, match="another process is writing"):
        PartFolder(str(tmp_path / "out"), "plan").begin()
    out.clear([one])
    assert sorted(f.name for f in tmp_path.rglob("*part-0*")) == [f"{one.name}.json", f"{one.name}.parquet"]
    out.close()


def test_what_lies_in_a_folder_is_seen_through_links(tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "a.csv").write_text("")
    (tmp_path / "link").symlink_to(tmp_path / "out")
    assert within(str(tmp_path / "link" / "a.csv"), str(tmp_path / "out"))
    assert not within(str(tmp_path / "b.csv"), str(tmp_path / "out"))
