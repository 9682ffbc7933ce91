"""A large TSV file in columns gives what the same file gives line by line: rows, ids, lines, labels, problems, refusal."""

from __future__ import annotations

import hashlib
import random
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from trainer.corpus import large_lines, read
from trainer.corpus.label_rows import LabelRows
from trainer.corpus.read import read_split
from trainer.corpus.split import Split, rows_sha256
from trainer.corpus.texts import Texts
from trainer.labels import EMOTIONS, from_names

LABELS = from_names(EMOTIONS, "the official list")

ODD_LINES = [
    b"plain words\t3\tabc", b"two labels\t3,17\tabd", b"again\t17,3,3\tabe", b"named\tjoy\tx1", b"unknown\tjoyous\tx2",
    b"out of range\t28\tx3", b"\t3\tx4", b"   \t3\tx5", "\u00a0\t3\tx6".encode(), "\u3000\u2003\t3\tx7".encode(),
    "\u3042 kana\t3\tx8".encode(),
    "\u2003wide\t3\tx10".encode(), "\u201csaid\u201d\t3\tx11".encode(), "\u2003\u00a0\t3\tx12".encode(),
    "\u0645\u0631\u062d\u0628\u0627\t17\tx9".encode(), b'"quoted\ttab"\t3\ty1', b'"whole ""cell"""\t3\ty2',
    b'"open\t3\ty3', b'inside "quotes"\t3\ty4', b'"open\t3\tclosed"', b'"a" and "b"\t3\t"y7',
    b'text\t"3,17"\ty5', b'text\t3\t"y6"', b"no id\t3\t", b"blank id\t3\t  ", b"two\tfields",
    b"one",     b"four\t3\ty7\tmore", b"", b"    ", b"caf\xe9\t3\ty8", b"nul\0inside\t3\ty9", b"w" * 10_001 + b"\t3\tz1",
    "é".encode() * 6_000 + b"\t3\tz2", b"carriage\r return\t3\tz3", b"windows\t3\tz4\r", b"empty label\t\tz5", b"-1\t-1\tz6", b"\tx\ty",
]  # fmt: skip


def both(file: Path, monkeypatch: pytest.MonkeyPatch, block: int = 200) -> tuple[Split, Split]:
    """The split read line by line, and in columns."""
    with monkeypatch.context() as patch:
        slow = read_split(file, "train", LABELS)
        patch.setattr(read, "LARGE", 0)
        patch.setattr(large_lines, "BLOCK", block)
        return slow, read_split(file, "train", LABELS)


def same(slow: Split, fast: Split) -> None:
    for name in ("text", "labels", "ids", "lines"):
        assert list(getattr(slow, name)) == list(getattr(fast, name)), name
    for name in ("name", "problems", "file", "sha256", "refused", "numbered"):
        assert getattr(slow, name) == getattr(fast, name), name


@settings(max_examples=150, deadline=None)
@given(
    st.lists(st.sampled_from(ODD_LINES) | st.just(ODD_LINES[0]) | st.binary(max_size=12), max_size=30),
    st.sampled_from([b"", b"\n", b"\n\n", b"\n \n", b"\r\n"]),
    st.sampled_from([b"\n", b"\r\n"]),
    st.sampled_from(
        [b"", b"text\tlabels\tid", b"id\ttext\tlabels\tmore", b"labels\ttext", b"\xef\xbb\xbftext\tlabels\tid"]
    ),
    st.sampled_from([7, 60, 500, 100_000]),
)
def test_whatever_stands_in_a_file(
    tmp_path_factory: pytest.TempPathFactory, lines: list[bytes], end: bytes, newline: bytes, header: bytes, block: int
) -> None:
    file = tmp_path_factory.mktemp("odd") / "train.tsv"
    file.write_bytes(newline.join([header, *lines] if header else lines) + end)
    with pytest.MonkeyPatch.context() as patch:
        same(*both(file, patch, block))


def test_a_plain_file_is_columns_and_odd_lines_stand_where_they_stood(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    draw = random.Random(1)
    lines = [f"comment {i} {'x' * draw.randrange(40)}\t{draw.randrange(28)}\tid{i}".encode() for i in range(3_000)]
    file = tmp_path / "train.tsv"
    file.write_bytes(b"\n".join(lines) + b"\n")
    slow, fast = both(file, monkeypatch, 5_000)
    same(slow, fast)
    assert isinstance(fast.text, Texts) and isinstance(fast.labels, LabelRows) and fast.lines == range(1, 3_001)
    assert len(fast.text.chunks) > 10, "many blocks"
    for place in (10, 1_500, 2_999):
        lines[place:place] = ODD_LINES
    file.write_bytes(b"\n".join(lines))
    slow, fast = both(file, monkeypatch, 5_000)
    same(slow, fast)
    assert len(fast.problems) > 30 and isinstance(fast.text, Texts)


@pytest.mark.parametrize("newline", [b"\n", b"\r\n"])
def test_a_doubtful_line_among_plain_ones_is_found_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, newline: bytes
) -> None:
    lines = [f"comment {i}\t3,17\tid{i}".encode() for i in range(40)]
    for at, line in ((7, b'"whole ""cell"""\t3\ty2'), (20, "\u201csaid\u201d\t4\tx11".encode()), (33, b"numb\t04\tx")):
        lines[at] = line
    file = tmp_path / "train.tsv"
    file.write_bytes(newline.join(lines) + newline)
    for block in (100_000, 400):
        slow, fast = both(file, monkeypatch, block)
        same(slow, fast)
        assert fast.text[7] == 'whole "cell"' and fast.text[20] == "\u201csaid\u201d" and not fast.problems


def test_a_file_without_a_usable_row_says_what_it_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for data in (b"", b"\n", "text\t3\tid\n".encode("utf-16"), b"a\t1\tb\rc\t2\td\r", b"no label\tnone\tx\n" * 50):
        file = tmp_path / "train.tsv"
        file.write_bytes(data)
        slow, fast = both(file, monkeypatch)
        same(slow, fast)


def test_a_line_without_an_end_is_read_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "train.tsv"
    file.write_bytes(b"short\t3\ta\n" + b"x" * 5_000 + b"\t3\tb\nlast\t4\tc\n")
    monkeypatch.setattr(large_lines, "LONGEST_BLOCK", 1_000)
    same(*both(file, monkeypatch))


def test_columns_are_read_like_lists(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "train.tsv"
    file.write_bytes(b"".join(f"row {i}\t{i % 28},{i % 5}\tid{i}\n".encode() for i in range(200)))
    slow, fast = both(file, monkeypatch, 300)
    for name in ("text", "labels", "ids"):
        old, new = list(getattr(slow, name)), getattr(fast, name)
        assert new == old and old == new and new != old[:-1] and len(new) == 200
        assert (new[0], new[-1], new[np.int64(57)], new[13]) == (old[0], old[-1], old[57], old[13])
        for cut in (slice(0, 5), slice(40, 90), slice(-3, None), slice(90, 40), slice(None, None, 7), slice(5, None)):
            assert list(new[cut]) == old[cut], cut
            assert list(new[20:180][cut]) == old[20:180][cut], cut
        for rows in ([], [0], [3, 50, 50, 199], [199, 3, 7]):
            assert list(new.take(rows)) == [old[i] for i in rows]
            assert list(new[20:180].take([1, 100])) == [old[21], old[120]]
        for wrong in (200, -201):
            with pytest.raises(IndexError):
                new[wrong]
    with pytest.raises(IndexError):
        fast.text.take([5, 200])  # type: ignore[attr-defined]
    rows = [150, 3, 199]
    taken, plain = fast.take("dev", rows), slow.take("dev", rows)
    assert taken.sha256 == plain.sha256 == rows_sha256(plain.text, plain.labels, plain.ids)
    assert list(taken.text) == plain.text
    assert fast.label_counts(28) == slow.label_counts(28)
    assert fast.sha256 == hashlib.sha256(file.read_bytes()).hexdigest()


def test_large_files_go_this_way_and_small_ones_do_not(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "train.tsv"
    file.write_bytes(b"what a day\t17\tid\n" * 10)
    assert isinstance(read_split(file, "train", LABELS).text, list)
    monkeypatch.setattr(read, "LARGE", file.stat().st_size)
    assert isinstance(read_split(file, "train", LABELS).text, Texts)
    file.write_bytes(file.read_bytes()[:-1])
    assert isinstance(read_split(file, "train", LABELS).text, list)
