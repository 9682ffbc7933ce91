"""Files of every format, well and badly formed, read into rows and problems."""

from __future__ import annotations

import hashlib
import subprocess
import sys
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from trainer.corpus.read import read_split
from trainer.corpus.split import Split, rows_sha256
from trainer.errors import NotFoundError
from trainer.labels import ALPHABETICAL, EMOTIONS, LabelFile, from_names

OFFICIAL_FILE = from_names(EMOTIONS, "test")
GOOD = b"what a lovely day\t17\tgood\n"


def read(
    folder: Path, content: bytes | str, name: str = "train.tsv", labels: LabelFile = OFFICIAL_FILE, split: str = "train"
) -> Split:
    path = folder / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return read_split(path, split, labels)


def wrong(split: Split) -> list[tuple[int, str]]:
    return [(p.line, p.what) for p in split.problems]


def test_the_official_layout(tmp_path: Path) -> None:
    content = 'I saw [NAME] today\t27\tab1\n"She said ""no"" \tagain"\t3,25\tab2\n[/s] 🎉 \t17\tab3\n'
    split = read(tmp_path, content)
    assert split.text == ["I saw [NAME] today", 'She said "no" \tagain', "[/s] 🎉 "]
    assert split.labels == [(27,), (3, 25), (17,)]
    assert split.ids == ["ab1", "ab2", "ab3"] and split.lines == [1, 2, 3]
    assert (len(split), split.name, split.problems, split.refused) == (3, "train", (), None)
    assert split.file == tmp_path / "train.tsv" and split.numbered
    assert split.sha256 == hashlib.sha256(content.encode()).hexdigest()


@pytest.mark.parametrize(
    "ending, end",
    [("\n", ""), ("\n", "\n"), ("\n", "\n\n"), ("\r\n", ""), ("\r\n", "\r\n"), ("\r\n", "\r\n\r\n"), ("\n", "\n  ")],
)
@pytest.mark.parametrize("bom", [b"", b"\xef\xbb\xbf"])
def test_bom_line_ends_and_a_blank_last_line_are_fine(tmp_path: Path, bom: bytes, ending: str, end: str) -> None:
    split = read(tmp_path, bom + (ending.join(["one day\t1\ta", "two days\t2\tb"]) + end).encode())
    assert (split.text, split.ids, split.problems) == (["one day", "two days"], ["a", "b"], ())


def test_only_a_line_feed_ends_a_line(tmp_path: Path) -> None:
    texts = ["a\u2028b", "c\x85d", "e\x0bf\x0cg\x1ch", "i\rj"]
    split = read(tmp_path, "".join(f"{text}\t4\tx\n" for text in texts))
    assert split.text == texts and split.lines == [1, 2, 3, 4]


def test_every_bad_row_is_named_and_no_other_is_lost(tmp_path: Path) -> None:
    bad = {
        b"caf\xe9\t1\tx": "not UTF-8 text",
        b"no columns": "missing column: 1 found, 3 expected",
        b"two\t1": "missing column: 2 found, 3 expected",
        b"four\t1\tx\ty": "4 columns, 3 expected",
        b" \t1\tx": "empty text",
        b"\xe3\x80\x80\t1\tx": "empty text",
        b"no label\t\tx": "no label",
        b"no label\t[]\tx": "no label",
        b"word\tjoyful\tx": "label 'joyful' is neither a known name nor a number",
        b"range\t28\tx": "label 28 is out of range: 0 to 27",
        b"range\t-1\tx": "label -1 is out of range: 0 to 27",
        b"float\t1.5\tx": "label '1.5' is neither a known name nor a number",
        b"n\0l\t1\tx": "holds a NUL character",
        b"nul\t1\tx\0": "holds a NUL character",
        b"": "blank line",
        b"x" * 10_001 + b"\t1\tx": "text of 10,001 characters, at most 10,000 are read",
        b"long id\t1\t" + b"x" * 10_001: "id of 10,001 characters, at most 10,000 are read",
        b"one good, one bad\t1,99\tx": "label 99 is out of range: 0 to 27",
        b"digits\t" + b"9" * 5000 + b"\tx": "label 99999999999999999999 is out of range: 0 to 27",
        b"\xed\xa0\x80\t1\tx": "not UTF-8 text",
        b'""\t1\tx': "empty text",
        b"\0": "holds a NUL character",
    }
    split = read(tmp_path, b"".join(GOOD + line + b"\n" for line in bad) + GOOD)
    assert split.text == ["what a lovely day"] * (len(bad) + 1)
    assert split.lines == list(range(1, 2 * len(bad) + 2, 2))
    what = dict(wrong(split))
    assert list(what) == list(range(2, 2 * len(bad) + 1, 2))
    assert list(what.values()) == list(bad.values())
    assert {p.file for p in split.problems} == {str(tmp_path / "train.tsv")}


def test_a_text_of_10000_characters_is_fine(tmp_path: Path) -> None:
    assert len(read(tmp_path, "é" * 10_000 + "\t1\tx\n")) == 1


def test_only_the_last_blank_line_is_free(tmp_path: Path) -> None:
    assert wrong(read(tmp_path, GOOD * 20 + b"\n\n\n")) == [(21, "blank line"), (22, "blank line")]


def test_a_stray_quote_swallows_nothing(tmp_path: Path) -> None:
    content = b'"oh no\t3\ta\nfine\t1\tb\n"oh\t3\tc"\nfine" again\t1\td\n'
    split = read(tmp_path, content)
    assert split.text == ['"oh no', "fine", '"oh', 'fine" again'] and split.ids == ["a", "b", 'c"', "d"]
    # a field broken over two lines costs a row of its own, never the rows below it
    split = read(tmp_path, b'"two\nlines, too",3,a\n' + b"fine,1,b\n" * 9, "train.csv")
    assert len(split) == 9 and [line for line, _ in wrong(split)] == [1, 2]


@pytest.mark.parametrize("extension, delimiter", [("tsv", "\t"), ("csv", ",")])
def test_a_header_names_columns_in_any_order(tmp_path: Path, extension: str, delimiter: str) -> None:
    rows = [["Comment_ID", "extra", " EMOTION ", "Sentence"], ["i1", "e", "joy", "so glad"], ["", "e", "3", "so cross"]]
    content = "\n".join(delimiter.join(row) for row in rows)
    split = read(tmp_path, content, f"validation.{extension}", split="dev")
    assert split.text == ["so glad", "so cross"] and split.labels == [(17,), (3,)]
    assert split.ids == ["i1", "dev-3"] and split.lines == [2, 3] and split.problems == ()


def test_a_header_without_ids(tmp_path: Path) -> None:
    split = read(tmp_path, '"text",labels\n"well, well","joy;love"\nshort\na,b,c\n' + "ok,1\n" * 8, "train.csv")
    assert split.text[0] == "well, well" and split.labels[0] == (17, 18)
    assert split.ids[:2] == ["train-2", "train-5"]
    assert wrong(split) == [(3, "missing column: 1 found, 2 expected"), (4, "3 columns, 2 expected")]


def test_the_better_name_is_taken_where_two_columns_fit(tmp_path: Path) -> None:
    assert read(tmp_path, "comment\tlabel\ttext\nno\t1\tyes\n").text == ["yes"]


def test_a_line_that_names_only_text_is_a_row(tmp_path: Path) -> None:
    assert read(tmp_path, "text\t5\tid\n").text == ["text"]


def test_numbers_count_by_the_label_file_and_names_do_not(tmp_path: Path) -> None:
    alphabetical = from_names(ALPHABETICAL, "test")
    split = read(tmp_path, "meh\t20\ta\nwow\tsurprise\tb\nhm\t27\tc\n", labels=alphabetical)
    assert split.labels == [(27,), (26,), (26,)] and split.numbered
    assert not read(tmp_path, "wow\tsurprise\tb\n", labels=alphabetical).numbered


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be"])
@pytest.mark.parametrize("name", ["train.tsv", "train.csv", "train.jsonl"])
def test_utf16_is_refused_by_name(tmp_path: Path, encoding: str, name: str) -> None:
    split = read(tmp_path, "what a lovely day\t17\tx\n".encode(encoding) * 50, name)
    assert len(split) == 0 and split.refused and "UTF-16" in split.refused
    assert [p.line for p in split.problems] == [0]


def test_bytes_like_a_utf16_mark_cost_their_own_line_only(tmp_path: Path) -> None:
    split = read(tmp_path, b"\xff\xfe\n" + GOOD * 9)
    assert len(split) == 9 and wrong(split) == [(1, "not UTF-8 text")]


def test_carriage_returns_alone_are_named(tmp_path: Path) -> None:
    split = read(tmp_path, b"a b\t1\tx\rc d\t2\ty\re f\t3\tz\r")
    assert len(split) == 0 and split.refused and "carriage returns" in split.refused


def test_a_fifth_of_bad_rows_is_still_taken(tmp_path: Path) -> None:
    assert read(tmp_path, GOOD * 80 + b"bad\n" * 20).refused is None
    split = read(tmp_path, GOOD * 79 + b"bad\n" * 21)
    assert len(split) == 79 and split.refused
    assert "21 of 100 rows" in split.refused and "train.tsv" in split.refused
    assert split.refused.count("\n  line ") == 5 and "line 84: missing column" in split.refused


@pytest.mark.parametrize("content", [b"", b"\n", b"\xef\xbb\xbf", b"text\tlabels\tid\n"])
@pytest.mark.parametrize("name", ["train.tsv", "train.jsonl"])
def test_a_file_without_rows_is_refused(tmp_path: Path, content: bytes, name: str) -> None:
    split = read(tmp_path, content, name)
    assert len(split) == 0 and split.refused and "train." in split.refused


def test_what_cannot_be_read_at_all(tmp_path: Path) -> None:
    with pytest.raises(NotFoundError, match=r"gone\.tsv"):
        read_split(tmp_path / "gone.tsv", "train", OFFICIAL_FILE)
    (tmp_path / "folder.tsv").mkdir()
    split = read_split(tmp_path / "folder.tsv", "train", OFFICIAL_FILE)
    assert split.refused and "cannot be read" in split.refused
    assert "formats read are" in (read(tmp_path, GOOD, "train.xlsx").refused or "")


def test_taking_rows_out(tmp_path: Path) -> None:
    whole = read(tmp_path, "a a\t1\tx\nb b\t2\ty\nbad\nc c\t3\tz\n")
    part = whole.take("dev", [0, 2])
    assert (part.name, part.text, part.labels, part.ids, part.lines) == (
        "dev",
        ["a a", "c c"],
        [(1,), (3,)],
        ["x", "z"],
        [1, 4],
    )
    assert part.problems == () and part.sha256 == rows_sha256(part.text, part.labels, part.ids)
    assert len({rows_sha256(part.text, part.labels, ids) for ids in (part.ids, part.ids[::-1])}) == 2


def test_comments_are_read_without_heavy_libraries(tmp_path: Path) -> None:
    pq.write_table(pa.table({"text": ["a b"], "labels": [[1]]}), tmp_path / "train.parquet")
    (tmp_path / "dev.tsv").write_bytes(GOOD)
    code = (
        "import sys; from trainer.corpus import download, load_corpus, stats, tokens; "
        "assert len(load_corpus(sys.argv[1]).splits) == 2; "
        "print({'torch', 'transformers', 'pandas', 'textual', 'rich'} & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code, str(tmp_path)], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"
    code = "import sys, trainer.corpus; print({'numpy', 'pyarrow', 'tokenizers'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"


@pytest.mark.corpus
def test_the_real_files(goemotions: Path) -> None:
    train = read_split(goemotions / "train.tsv", "train", OFFICIAL_FILE)
    dev = read_split(goemotions / "dev.tsv", "dev", OFFICIAL_FILE)
    assert (len(train), len(dev), train.problems, dev.problems) == (43_410, 5_426, (), ())
    assert train.lines == list(range(1, 43_411))
    assert sum(27 in row for row in train.labels) == 14_219
    assert sum("[NAME]" in text for text in train.text) == 6_059
    # 1,097 rows of the file begin with a quote that is the format's, not the comment's
    raw = (goemotions / "train.tsv").read_text("utf-8").split("\n")[:-1]
    quoted = [(line, text) for line, text in zip(raw, train.text, strict=True) if line.startswith('"')]
    assert len(quoted) == 1_097
    assert all(line.split('"\t')[0][1:].replace('""', '"') == text for line, text in quoted)
