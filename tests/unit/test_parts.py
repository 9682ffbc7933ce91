"""A file in parts: what was done is kept, what does not belong together is not mixed, one process at a time."""

from __future__ import annotations

from pathlib import Path

import pytest

from trainer.errors import ConfigError, CorpusError
from trainer.tables.parts import ONCE, Parts


def test_it_goes_on_behind_the_last_whole_part(tmp_path: Path) -> None:
    to = tmp_path / "out.csv"
    parts = Parts(to, {"model": "a", "list": (1, 2)})
    parts.add(b"one", {"rows": 3})
    parts.add(b"two", {"rows": 4})
    parts.close()
    (parts.folder / "part-000002").write_bytes(b"half of a part whose story is missing")
    (parts.folder / ".part-000002.json").write_bytes(b'{"rows": 9')
    again = Parts(to, {"model": "a", "list": [1, 2]})
    assert again.total("rows") == 7 and [f.read_bytes() for f in again.files] == [b"one", b"two"]
    again.add(b"three", {"rows": 1})
    assert again.files[2].read_bytes() == b"three"
    again.done()
    again.close()
    again.close()
    assert not again.folder.exists()


def test_what_others_put_there_stays(tmp_path: Path) -> None:
    folder = tmp_path / "out.parts"
    folder.mkdir()
    (folder / "mine.txt").write_text("mine")
    parts = Parts(tmp_path / "out", {})
    parts.add(b"one", {"rows": 1})
    parts.done()
    assert [f.name for f in folder.iterdir()] == ["mine.txt"]


def test_another_job_is_not_mixed_in(tmp_path: Path) -> None:
    parts = Parts(tmp_path / "out", {"model": "a", "threshold": 1})
    parts.add(b"one", {"rows": 3})
    parts.close()
    with pytest.raises(ConfigError, match=r"another model, threshold.*--again"):
        Parts(tmp_path / "out", {"model": "b"})
    anew = Parts(tmp_path / "out", {"model": "b"}, again=True)
    assert not list(anew.told()) and [f.name for f in anew.folder.iterdir() if f.name.startswith("part")] == []


def test_what_came_through_a_pipe_is_in_nobodys_way(tmp_path: Path) -> None:
    parts = Parts(tmp_path / "out", {"input": ["-"], ONCE: True})
    parts.add(b"one", {"rows": 3})
    with pytest.raises(ConfigError, match="another process"):
        Parts(tmp_path / "out", {"input": ["file"]})
    parts.close()
    other = Parts(tmp_path / "out", {"input": ["file"]})
    assert not list(other.told()) and other.total("rows") == 0
    other.add(b"two", {"rows": 1})
    other.close()
    assert Parts(tmp_path / "out", {"input": ["file"]}).total("rows") == 1


def test_a_second_process_is_turned_away(tmp_path: Path) -> None:
    parts = Parts(tmp_path / "out", {})
    with pytest.raises(ConfigError, match="another process"):
        Parts(tmp_path / "out", {})
    parts.close()
    Parts(tmp_path / "out", {}).close()


def test_nobody_else_may_read_it(tmp_path: Path) -> None:
    parts = Parts(tmp_path / "out", {})
    parts.add(b"one", {"rows": 3})
    assert parts.folder.stat().st_mode & 0o777 == 0o700
    assert {f.stat().st_mode & 0o777 for f in parts.folder.iterdir()} == {0o600}


def test_a_place_that_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(CorpusError, match="cannot be written"):
        Parts(tmp_path / "file" / "out", {})
