"""What is pasted stays text, in whatever pieces it comes; what is pressed stays keys."""

from __future__ import annotations

import pytest

from goemo_tui.pasted import END, PICTURE, START, KeyReader


def read(data: bytes, size: int) -> str:
    reader = KeyReader()
    return "".join(reader.decode(data[i : i + size]) for i in range(0, len(data), size))


@pytest.mark.parametrize("size", [1, 2, 3, 5, 7, 1000])
def test_an_escape_code_in_a_paste_is_text(size: int) -> None:
    sent = f"\x1b[A{START}one \x1b]52;c;x\x07\x1b[48;1;1;1;1t\x1b[200~\x1b{END}q\x1b[B"
    assert read(sent.encode(), size) == (
        f"\x1b[A{START}one {PICTURE}]52;c;x\x07{PICTURE}[48;1;1;1;1t{PICTURE}[200~{PICTURE}{END}q\x1b[B"
    )


@pytest.mark.parametrize("size", [1, 2, 3, 1000])
def test_bytes_that_are_no_text_do_not_end_the_paste(size: int) -> None:
    got = read(START.encode() + b"a\xff\x9b2J\xe4\xf6b\x1b[2J" + END.encode() + b"\x1b", size)
    assert got.startswith(f"{START}a") and got.endswith(f"b{PICTURE}[2J{END}\x1b")
    assert got.count("\x1b") == 3


def test_keys_come_at_once() -> None:
    reader = KeyReader()
    assert [reader.decode(b"\x1b"), reader.decode(b"["), reader.decode(b"A"), reader.decode(b"x")] == [
        "\x1b",
        "[",
        "A",
        "x",
    ]


def test_two_pastes() -> None:
    sent = f"{START}a{END}{START}b\x1b{END}\x1bOP".encode()
    for size in (1, 4, 1000):
        assert read(sent, size) == f"{START}a{END}{START}b{PICTURE}{END}\x1bOP"
