"""The event log: what is written is whole, in sequence and strict JSON; what is read survives every kind of damage."""

from __future__ import annotations

import errno
import fcntl
import json
import os
import threading
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from trainer.runs import events
from trainer.runs.events import EventLog, last_seq
from trainer.runs.tail import EventTail, read_events


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "events.jsonl"


def rows(path: Path) -> list[dict[str, Any]]:
    """Every line of the file as strict JSON."""

    def refuse(name: str) -> None:
        raise AssertionError(f"{name} is not JSON")

    return [json.loads(line, parse_constant=refuse) for line in path.read_bytes().splitlines()]


def seqs(path: Path) -> list[int]:
    return [e["seq"] for e in EventTail(path).poll()]


def line(seq: int, kind: str = "step", **fields: Any) -> bytes:
    return json.dumps({"v": 1, "seq": seq, "kind": kind, "wall": 0.0, "mono": 0.0, **fields}).encode() + b"\n"


# -- writing


def test_an_event_is_one_line_with_its_envelope(path: Path) -> None:
    with EventLog(path, clock=lambda: 1000.5, mono=lambda: 7.25) as log:
        given_back = log.append("started", steps=10, text="two\nlines and a ☃")
        log.append("step", step=1)
    assert rows(path) == [
        {
            "v": 1, "seq": 1, "kind": "started", "wall": 1000.5, "mono": 7.25,
            "steps": 10, "text": "two\nlines and a ☃",
        },
        {"v": 1, "seq": 2, "kind": "step", "wall": 1000.5, "mono": 7.25, "step": 1},
    ]  # fmt: skip
    assert given_back == rows(path)[0]


def test_what_json_does_not_know_is_null(path: Path) -> None:
    with EventLog(path) as log:
        log.append("step", loss=float("nan"), deep={"a": [1.0, float("inf")], "b": -float("inf")})
        log.append("step", loss=np.float32("nan"), f1=np.float64(0.5), n=np.int64(3), all=np.array([1.5, np.nan]))
        log.append("checkpoint", folder=Path("/a/b"))
        with pytest.raises(TypeError):
            log.append("step", loss=object())
    first, second, third = rows(path)
    assert first["loss"] is None and first["deep"] == {"a": [1.0, None], "b": None}
    assert (second["loss"], second["f1"], second["n"], second["all"]) == (None, 0.5, 3, [1.5, None])
    assert third["folder"] == "/a/b"


def test_a_field_cannot_hide_the_envelope(path: Path) -> None:
    with EventLog(path) as log, pytest.raises(ValueError, match="seq"):
        log.append("step", seq=99)
    assert rows(path) == []


def test_each_line_is_one_appending_write(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    written: list[bytes] = []
    real = os.write
    monkeypatch.setattr(os, "write", lambda fd, data: written.append(bytes(data)) or real(fd, data))
    path.write_bytes(line(1) + b'{"torn')
    with EventLog(path) as log:
        assert fcntl.fcntl(log._fd, fcntl.F_GETFL) & os.O_APPEND
        assert not os.get_inheritable(log._fd)
        log.append("step", step=1)
        log.append("step", step=2)
    assert [data.count(b"\n") for data in written] == [2, 1]
    assert all(data.endswith(b"}\n") for data in written)


def test_the_file_is_private_whatever_the_umask(path: Path) -> None:
    for umask in (0o000, 0o277):
        before = os.umask(umask)
        try:
            EventLog(path).close()
        finally:
            os.umask(before)
        assert path.stat().st_mode & 0o777 == 0o600
        path.unlink()


@pytest.mark.parametrize(
    ("tail", "expected"),
    [
        (b"", 3),
        (b'{"v":1,"seq":4,"ki', 3),
        (b"\0" * 5000, 3),
        (b"\0" * 100 + b"\n" + b"rubbish\n", 3),
        (b'{"seq": "9", "kind": "step"}\n[4]\n{"kind": "step"}\n', 3),
        (b"x" * 300_000, 3),
        (b"x\n" * 50_000, 3),
        (line(4)[:-1], 4),  # only the newline is missing: the event counts, and its number must not come again
    ],
)
def test_the_sequence_goes_on_from_the_last_good_line(path: Path, tail: bytes, expected: int) -> None:
    path.write_bytes(line(1) + line(2) + line(3) + tail)
    assert last_seq(path) == expected
    with EventLog(path) as log:
        assert log.seq == expected
        log.append("step", step=5)
    assert seqs(path) == list(range(1, expected + 2))
    assert path.read_bytes().startswith(line(1) + line(2) + line(3) + tail)


def test_the_sequence_has_no_gap_over_many_writers_one_after_the_other(path: Path) -> None:
    for n in range(5):
        with EventLog(path) as log:
            log.append("resumed", step=n)
        with path.open("ab") as file:
            file.write(b'{"v":1,"seq":')
    assert seqs(path) == [1, 2, 3, 4, 5]
    assert last_seq(path.with_name("no such log")) == 0


def test_threads_of_the_writer_do_not_mix_lines(path: Path) -> None:
    with EventLog(path) as log:
        gate = threading.Barrier(4)

        def write() -> None:
            gate.wait()
            for step in range(100):
                log.append("step", step=step)

        threads = [threading.Thread(target=write) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert seqs(path) == list(range(1, 401))


def test_what_must_last_is_made_durable(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    now, synced = [100.0], [0]

    def sync(fd: int) -> None:
        synced[0] += 1

    monkeypatch.setattr(events, "_sync", sync)
    log = EventLog(path, mono=lambda: now[0])
    for kind in ("started", "validation", "checkpoint", "finished", "failed", "stopped", "resumed"):
        before = synced[0]
        log.append(kind)
        assert synced[0] == before + 1, kind
    before = synced[0]
    log.append("step")
    now[0] += 4.9
    log.append("step")
    assert synced[0] == before
    now[0] += 0.2
    log.append("step")
    assert synced[0] == before + 1
    log.close()


def test_the_last_lines_before_a_silence_are_made_durable_too(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    now, synced = [100.0], threading.Event()
    monkeypatch.setattr(events, "_LOOK_SECONDS", 0.005)
    with EventLog(path, mono=lambda: now[0]) as log:
        monkeypatch.setattr(events, "_sync", lambda fd: synced.set())
        log.append("step")
        assert not synced.wait(0.1)
        now[0] += 5.1
        assert synced.wait(30)
        synced.clear()
        now[0] += 5.1
        assert not synced.wait(0.1)  # nothing new: nothing to do


def test_where_no_thread_can_be_started_the_log_goes_on_without(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    now, synced = [100.0], [0]

    def sync(fd: int) -> None:
        synced[0] += 1

    def refuse(thread: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(events, "_sync", sync)
    with EventLog(path, mono=lambda: now[0]) as log:
        with monkeypatch.context() as patch:
            patch.setattr(threading.Thread, "start", refuse)
            log.append("step", step=1)
            assert synced[0] == 0
            now[0] += 5.1
            log.append("step", step=2)
            assert synced[0] == 1
        monkeypatch.setattr(events, "_LOOK_SECONDS", 0.005)
        before = threading.active_count()
        log.append("step", step=3)
        assert threading.active_count() == before + 1, "there are threads again"
    assert seqs(path) == [1, 2, 3] and threading.active_count() == before


def test_a_full_disk_costs_steps_and_nothing_else(
    path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    real = os.write

    def full(fd: int, data: bytes) -> int:
        raise OSError(errno.ENOSPC, "No space left on device")

    log = EventLog(path)
    log.append("started")
    monkeypatch.setattr(os, "write", full)
    log.append("step", step=1)
    log.append("validation", epoch=1)
    log.append("step", step=2)
    assert log.lost == 2
    monkeypatch.setattr(os, "write", real)
    log.append("step", step=3)
    log.append("finished")
    log.close()
    told = EventTail(path).poll()
    assert [(e["seq"], e["kind"]) for e in told] == [
        (1, "started"), (2, "validation"), (3, "step"), (4, "warning"), (5, "finished"),
    ]  # fmt: skip
    assert "No space left" in told[3]["text"] and "2 steps" in told[3]["text"]
    assert capsys.readouterr().err.count("No space left") == 1


@pytest.mark.parametrize("missing", [1, 2, 30])
def test_a_line_that_was_cut_short_is_written_again_unless_it_is_whole(
    path: Path, monkeypatch: pytest.MonkeyPatch, missing: int
) -> None:
    real = os.write
    log = EventLog(path)
    monkeypatch.setattr(os, "write", lambda fd, data: real(fd, data[:-missing]))
    log.append("validation", epoch=1)
    monkeypatch.setattr(os, "write", real)
    log.append("finished")
    log.close()
    told = [e for e in EventTail(path).poll() if e["kind"] != "warning"]
    assert [e["kind"] for e in told] == ["validation", "finished"]
    assert seqs(path) == list(range(1, len(seqs(path)) + 1))


def test_a_disk_that_cannot_sync_is_said_and_borne(
    path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def broken(fd: int) -> None:
        raise OSError(errno.EIO, "Input/output error")

    monkeypatch.setattr(events, "_sync", broken)
    with EventLog(path) as log:
        log.append("started")
    assert seqs(path)[0] == 1
    assert "Input/output error" in capsys.readouterr().err


# -- reading


def test_only_whole_lines_are_read(path: Path) -> None:
    tail = EventTail(path)
    assert tail.poll() == []
    path.write_bytes(line(1) + line(2)[:10])
    assert [e["seq"] for e in tail.poll()] == [1]
    assert tail.poll() == []
    with path.open("ab") as file:
        file.write(line(2)[10:])
    assert [e["seq"] for e in tail.poll()] == [2]
    assert (tail.bad, tail.restarts) == (0, 0)


def test_bad_lines_are_skipped_and_counted(path: Path) -> None:
    path.write_bytes(
        line(1) + b"not json\n" + b"[1, 2]\n" + b'"text"\n' + b'{"kind": 3, "seq": 1}\n' + b'{"kind": "step"}\n'
        + b"\xff\xfe\n" + b"[" * 100_000 + b"\n" + b'{"kind":"step","seq":2}'[:9] + b"\n" + line(2)
    )  # fmt: skip
    tail = EventTail(path)
    assert [e["seq"] for e in tail.poll()] == [1, 2]
    assert tail.bad == 8


def test_blocks_of_nul_hide_no_event(path: Path) -> None:
    path.write_bytes(line(1) + b"\0" * 4096 + line(2) + b"\0" * 4096 + b"\n" + line(3))
    tail = EventTail(path)
    assert [e["seq"] for e in tail.poll()] == [1, 2, 3]
    assert tail.bad == 2


def test_unknown_kinds_and_fields_pass_through(path: Path) -> None:
    path.write_bytes(line(1, "eclipse", moon={"phase": 0.5}) + b'{"v":9,"seq":2,"kind":"step","loss":NaN}\n')
    told = EventTail(path).poll()
    assert told[0]["kind"] == "eclipse" and told[0]["moon"] == {"phase": 0.5}
    assert told[1]["v"] == 9 and told[1]["loss"] is None


def test_a_truncated_log_is_read_anew(path: Path) -> None:
    path.write_bytes(line(1) + line(2) + line(3))
    tail = EventTail(path)
    tail.poll()
    os.truncate(path, len(line(1)))
    assert [e["seq"] for e in tail.poll()] == [1]
    assert tail.restarts == 1
    with path.open("ab") as file:
        file.write(line(2))
    assert [e["seq"] for e in tail.poll()] == [2]


def test_a_replaced_log_is_read_anew(path: Path) -> None:
    path.write_bytes(line(1) + line(2))
    tail = EventTail(path)
    tail.poll()
    other = path.with_name("other")
    other.write_bytes(line(7) + line(8) + line(9))
    other.replace(path)
    assert [e["seq"] for e in tail.poll()] == [7, 8, 9]
    assert tail.restarts == 1


def test_a_log_replaced_by_one_that_ends_alike_is_read_anew(path: Path) -> None:
    end = line(3, text="x" * 500)
    path.write_bytes(line(1) + line(2) + end)
    tail = EventTail(path)
    tail.poll()
    other = path.with_name("other")
    other.write_bytes(line(7) + line(8) + end)
    other.replace(path)
    assert [e["seq"] for e in tail.poll()] == [7, 8, 3]


def test_a_log_rewritten_in_place_and_longer_is_read_anew(path: Path) -> None:
    path.write_bytes(line(1) + line(2))
    tail = EventTail(path)
    tail.poll()
    path.write_bytes(line(3) + line(4) + line(5))  # same inode, and more bytes than were read
    assert [e["seq"] for e in tail.poll()] == [3, 4, 5]
    assert tail.restarts == 1


def test_a_log_that_vanishes_has_nothing_new(path: Path) -> None:
    path.write_bytes(line(1))
    tail = EventTail(path)
    tail.poll()
    path.unlink()
    assert tail.poll() == []
    assert read_events(path) == []


def test_a_limited_poll_leaves_the_rest(path: Path) -> None:
    path.write_bytes(b"".join(line(n) for n in range(1, 101)) + line(101, text="x" * 5000) + line(102))
    tail, told = EventTail(path), []
    for _ in range(500):
        told += tail.poll(limit=300)
        if not tail.behind:
            break
    assert [e["seq"] for e in told] == list(range(1, 103))
    assert tail.bad == 0


@given(st.data())
def test_however_the_bytes_arrive_every_good_line_is_read_once(data: st.DataObject) -> None:
    import tempfile

    junk = st.sampled_from([b"rubbish\n", b"\0\0\0\n", b"\xff\n", b"{}\n", b"\n", b'{"seq":1}\n'])
    pieces = data.draw(st.lists(st.one_of(st.just(None), junk), max_size=12))
    whole, expected = b"", []
    for number, piece in enumerate(pieces, start=1):
        whole += line(number) if piece is None else piece
        expected += [number] if piece is None else []
    cuts = sorted(data.draw(st.lists(st.integers(0, len(whole)), max_size=6)))
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "events.jsonl"
        tail, told, start = EventTail(path), [], 0
        for cut in [*cuts, len(whole)]:
            with path.open("ab") as file:
                file.write(whole[start:cut])
            start = cut
            told += tail.poll()
    assert [e["seq"] for e in told] == expected


# -- what counts


def test_what_a_resume_takes_back_is_left_out(path: Path) -> None:
    with EventLog(path) as log:
        log.append("started", steps=10)
        for step in range(1, 7):
            log.append("step", step=step, loss=1.0)
        log.append("checkpoint", step=3)
        log.append("validation", step=6, epoch=1)
        log.append("warning", text="the disk is slow")
        log.append("resumed", step=3)
        log.append("step", step=4, loss=2.0)
    told = [(e["kind"], e.get("step")) for e in read_events(path)]
    assert told == [
        ("started", None), ("step", 1), ("step", 2), ("step", 3), ("checkpoint", 3), ("warning", None),
        ("resumed", 3), ("step", 4),
    ]  # fmt: skip


def test_a_validation_takes_back_the_earlier_one_of_its_epoch(path: Path) -> None:
    with EventLog(path) as log:
        log.append("started", steps=20)
        log.append("validation", step=5, epoch=1)
        log.append("checkpoint", step=10)
        log.append("validation", step=10, epoch=2)
        log.append("resumed", step=10)
        log.append("validation", step=10, epoch=2)
        log.append("validation", step=15)
        log.append("validation", step=20)  # of which epochs is not known, so both stay
    told = [e["seq"] for e in read_events(path)]
    assert told == [1, 2, 3, 5, 6, 7, 8]


def test_a_new_start_takes_all_steps_back(path: Path) -> None:
    with EventLog(path) as log:
        log.append("started")
        log.append("step", step=1)
        log.append("started")
        log.append("step", step=1)
    assert [(e["seq"], e["kind"]) for e in read_events(path)] == [(1, "started"), (3, "started"), (4, "step")]
