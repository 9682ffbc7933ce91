"""The log of a run as lines: events and output in one order, read on where it was left, hostile text made harmless."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from pathlib import Path

from goemo_tui.services.log_book import MOST_LINES, LogBook
from goemo_tui.services.run_log import at_most, event_words
from trainer.runs.events import EventLog

HOSTILE = "[/s] \x1b]52;c;aGk=\x07 \x9b2J\u202e"


def told(tmp_path: Path, *kinds: str, at: float = 1000.0) -> None:
    times = iter(range(100))
    with EventLog(tmp_path / "events.jsonl", clock=lambda: at + next(times)) as log:
        for kind in kinds:
            log.append(kind, step=1, text=HOSTILE)


def printed(tmp_path: Path, data: bytes, when: float = 2000.0) -> None:
    with (tmp_path / "worker.log").open("ab") as file:
        file.write(data)
    os.utime(tmp_path / "worker.log", (when, when))


def texts(book: LogBook, ended: bool = False) -> list[str]:
    return [line.text for line in book.read(ended)]


def test_events_and_output_stand_in_the_order_of_their_time(tmp_path: Path) -> None:
    told(tmp_path, "checkpoint", "step", "stopped")
    moment = datetime.fromtimestamp(1001, UTC).isoformat(" ", "seconds")
    printed(tmp_path, f"{moment} the supervisor speaks\nright behind it\n".encode())
    book = LogBook(tmp_path)
    lines = book.read()
    assert [line.text for line in lines] == [
        "checkpoint at step 1", "the supervisor speaks", "right behind it", "stopped at step 1",
    ]  # fmt: skip
    assert [line.wall for line in lines] == [
        1000.0,
        1001.0,
        None,
        1002.0,
    ]  # each time in seconds, whatever the zone it was written in
    assert [line.event for line in lines] == [True, False, False, True]


def test_a_clock_that_was_put_back_does_not_turn_the_story_round(tmp_path: Path) -> None:
    told(tmp_path, "started", "stopped", at=9000.0)
    told(tmp_path, "resumed", "finished", at=5000.0)
    first, second = (datetime.fromtimestamp(at, UTC).isoformat(" ", "seconds") for at in (9001, 5000))
    printed(tmp_path, f"{first} before\n{second} behind\n".encode())
    lines = LogBook(tmp_path).read()
    assert [line.text.split()[0] for line in lines if line.event] == ["started", "stopped", "resumed", "finished"]
    assert [line.text for line in lines if not line.event] == ["before", "behind"]
    assert [line.wall for line in lines if line.event] == [9000.0, 9001.0, 5000.0, 5001.0]  # as they were written


def test_output_without_times_is_as_old_as_the_file(tmp_path: Path) -> None:
    told(tmp_path, "checkpoint", "failed")
    printed(tmp_path, b"Traceback (most recent call last):\n  boom\n", when=1500.0)
    assert texts(LogBook(tmp_path))[-2:] == ["Traceback (most recent call last):", "  boom"]


def test_only_what_came_is_read_and_a_torn_line_waits_for_its_end(tmp_path: Path) -> None:
    told(tmp_path, "checkpoint")
    printed(tmp_path, b"one\ntw")
    book = LogBook(tmp_path)
    assert "one" in texts(book) and not book.has_grown() and book.read() == ()
    printed(tmp_path, b"o\n", when=2001.0)
    assert book.has_grown() and texts(book) == ["two"]
    printed(tmp_path, b"last words", when=2002.0)
    assert texts(book) == [] and texts(book, ended=True) == ["last words"]


def test_a_log_that_began_anew_is_read_anew(tmp_path: Path) -> None:
    printed(tmp_path, b"first worker\n")
    book = LogBook(tmp_path)
    assert texts(book) == ["first worker"]
    (tmp_path / "worker.log").write_bytes(b"second\n")
    assert texts(book) == ["second"]


def test_nothing_that_was_printed_can_be_obeyed(tmp_path: Path) -> None:
    told(tmp_path, "warning")
    printed(tmp_path, HOSTILE.encode() + b"\n" + b"\xff\xfe\0 raw\n" + b"x" * 1_000_000 + b"\n")
    lines = texts(LogBook(tmp_path))
    assert len(lines) == 4
    for line in lines:
        assert line.isprintable() and "\x1b" not in line and len(line) < 21_000


def test_without_a_file_there_are_no_lines(tmp_path: Path) -> None:
    book = LogBook(tmp_path / "gone")
    assert book.read() == ()


def test_the_oldest_lines_of_an_endless_log_are_forgotten(tmp_path: Path) -> None:
    printed(tmp_path, b"line\n" * (MOST_LINES + 10) + b"newest\n")
    lines = LogBook(tmp_path).read()
    assert len(lines) == MOST_LINES and lines[-1].text == "newest"


def test_a_run_that_finished_on_a_gpu_tells_the_memory_it_took() -> None:
    end = {"kind": "finished", "seconds": 100.0, "reason": "early stopping"}
    assert event_words(end) == "finished after 1m40s (early stopping)"
    assert event_words({**end, "memory_peak": 9_100_000_000}).endswith("(early stopping), 9.1 GB of memory at most")
    assert at_most({"memory_peak": None}) == at_most({}) == ""
