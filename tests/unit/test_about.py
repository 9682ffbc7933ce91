"""A run's name and note: what can be one, who may write them, and that a name stands for its run wherever an id does."""

from __future__ import annotations

import json
import os
import stat
from pathlib import Path

import pytest

from tests.unit.command_line import cli, finished, one_document
from trainer.errors import ConfigError, NotFoundError, RunError
from trainer.modelfolder import find_model
from trainer.runs import about
from trainer.runs.about import About, read_about, write_about
from trainer.runs.lock import RunLock
from trainer.runs.run import Run, list_runs


def test_name_and_note_are_written_whole_for_their_owner_alone_and_leave_each_other_in_peace() -> None:
    run = finished()
    assert run.about == About()
    assert write_about(run, name="  best so far ") == About("best so far")
    assert write_about(run, note="two\n epochs  of everything") == About("best so far", "two epochs of everything")
    assert run.about == About("best so far", "two epochs of everything")
    file = run.folder / about.NAME
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert [p.name for p in run.folder.iterdir() if p.name.startswith(f".{about.NAME}")] == []
    assert write_about(run, name="").name == "" and run.about.note == "two epochs of everything"
    assert run.id.endswith(run.short), "the id stays"


@pytest.mark.parametrize(
    "name",
    ["a/b", "..", ".hidden", "~x", "-n", "--json", "back\\slash", "20261124-0412", "20261124-0412-calm-otter", "7",
     "starter", "Sample", "two\nlines", "bell\x07", "rtl\u202e", "x" * 41],
)  # fmt: skip
def test_what_could_be_taken_for_something_else_is_no_name(name: str) -> None:
    run = finished()
    with pytest.raises(ConfigError):
        write_about(run, name=name)
    assert not (run.folder / about.NAME).exists()


def test_arabic_and_blanks_are_fine_in_a_name() -> None:
    run = finished()
    assert write_about(run, name="أفضل تجربة").name == "أفضل تجربة"
    assert Run.open("أفضل تجربة").id == run.id


def test_a_name_that_another_run_has_is_refused_but_ones_own_is_not() -> None:
    first, second = finished(), finished()
    write_about(first, name="mine", others=list_runs())
    write_about(first, name="mine", note="again", others=list_runs())
    for taken in ("mine", first.short):
        with pytest.raises(ConfigError, match=first.id):
            write_about(second, name=taken, others=list_runs())


@pytest.mark.parametrize("note", ["x" * 501, "esc\x1b[2J"])
def test_a_note_is_short_plain_text(note: str) -> None:
    with pytest.raises(ConfigError):
        write_about(finished(), note=note)


@pytest.mark.parametrize(
    "text", ["", "[]", '{"name": 7, "note": null}', "not json", '{"name": "x"}' + " " * 20_000, "[" * 9_000]
)
def test_a_broken_file_costs_the_name_and_never_the_run(text: str) -> None:
    run = finished()
    (run.folder / about.NAME).write_text(text)
    assert run.about == About()
    assert Run.open(run.short).id == run.id


def test_what_a_foreign_file_holds_is_cut() -> None:
    run = finished()
    (run.folder / about.NAME).write_text(json.dumps({"name": "n" * 900, "note": "o" * 900}))
    assert (len(run.about.name), len(run.about.note)) == (40, 500)


def test_a_run_of_somebody_else_is_not_written_to(monkeypatch: pytest.MonkeyPatch) -> None:
    run = finished()
    monkeypatch.setattr(os, "geteuid", lambda: run.folder.stat().st_uid + 1)
    with pytest.raises(RunError, match="looked at"):
        write_about(run, name="mine")


def test_a_living_run_can_be_named(tmp_path: Path) -> None:
    run = finished()
    with RunLock(run.folder):
        assert write_about(run, name="under way").name == "under way"
    assert read_about(tmp_path) == About()


def test_a_name_stands_for_its_run_wherever_an_id_does(capsys: pytest.CaptureFixture[str]) -> None:
    run, other = finished(), finished()
    write_about(run, name="best so far")
    assert Run.open("best so far").id == run.id
    assert cli("runs", "show", "best so far", "--json") == 0
    document = one_document(capsys.readouterr().out)
    assert (document["run"], document["name"]) == (run.id, "best so far") and "note" not in document
    with pytest.raises(NotFoundError, match="no model yet"):
        find_model("best so far")
    (other.folder / about.NAME).write_text(json.dumps({"name": "best so far"}))  # copied by hand
    with pytest.raises(NotFoundError, match="2 runs"):
        Run.open("best so far")


def test_the_short_name_of_a_run_goes_before_the_name_of_another() -> None:
    run, other = finished(), finished()
    (other.folder / about.NAME).write_text(json.dumps({"name": run.short}))
    assert Run.open(run.short).id == run.id


def test_rename_and_note_from_the_command_line(capsys: pytest.CaptureFixture[str]) -> None:
    run = finished()
    assert cli("runs", "rename", run.short, "best so far") == 0
    out, err = capsys.readouterr()
    assert out == "" and f"{run.id} is called best so far" in err
    assert cli("runs", "note", "best so far", "two", "epochs", "--json") == 0
    assert one_document(capsys.readouterr().out) == {"run": run.id, "name": "best so far", "note": "two epochs"}
    assert cli("runs", "show", run.id) == 0
    out = capsys.readouterr().out
    assert "name        best so far\n" in out and "note        two epochs\n" in out
    assert cli("runs", "rename", run.id, "") == 0 and cli("runs", "note", run.id, "") == 0
    assert run.about == About()
    assert cli("runs", "rename", run.id, "../outside") == 2
    assert cli("runs", "rename", run.id) == 2
    assert cli("runs", "note", "nobody", "x") == 3
    assert "goemo-tui runs rename ID NAME" in capsys.readouterr().err
