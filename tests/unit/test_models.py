"""The models that are offered, remembered and complained about, without loading one."""

from __future__ import annotations

from pathlib import Path

import pytest

from goemo_tui.services.models import (
    RECENT,
    Choice,
    complaint_about,
    list_choices,
    recent_of,
    remembered_of,
    still_there,
    used,
)
from tests.unit.command_line import finished
from trainer.runs.about import write_about
from trainer.runs.run import Run


def with_model(score: float = 0.5) -> Run:
    run = finished(score)
    folder(run.folder / "model")
    return run


def folder(at: Path) -> Path:
    at.mkdir()
    (at / "config.json").write_text("{}")
    (at / "model.safetensors").write_bytes(b"")
    return at


def test_a_run_is_called_by_the_name_that_it_was_given_and_found_by_either() -> None:
    run = with_model()
    (choice,) = list_choices()
    assert (choice.name, choice.short) == (run.id, run.short) and choice.about.startswith("finished · F1 .500")
    write_about(run, name="best so far")
    (choice,) = list_choices()
    assert (choice.name, choice.short) == (run.id, "best so far")
    assert choice.fits("BEST far") and choice.fits(run.short) and not choice.fits("best running")


def test_a_run_that_cannot_be_read_costs_its_own_line_only() -> None:
    broken, whole = with_model(), with_model()
    (broken.folder / "events.jsonl").unlink()
    (broken.folder / "events.jsonl").mkdir()
    found = {choice.name: choice.about for choice in list_choices()}
    assert found[whole.id].startswith("finished") and "cannot be read" in found[broken.id]


def test_what_was_used_before_is_offered_once_where_it_is_still_there(tmp_path: Path) -> None:
    run, mine = with_model(), folder(tmp_path / "mine")
    names = [choice.name for choice in list_choices([run.id, str(mine), "/no/such", "owner/model", "~no-such-user/x"])]
    assert names == [run.id, str(mine), "owner/model"]
    assert still_there("owner/model") and not still_there("/" + "x" * 5000)


def test_what_is_remembered_may_be_anything() -> None:
    for state in ({}, {"model": None, "recent": None}, {"model": 7, "recent": {"a": 1}}, {"model": "", "recent": [3]}):
        assert remembered_of(state) is None and recent_of(state) == ()
    assert remembered_of({"model": "/no/such"}) is None
    assert remembered_of({"model": "calm-otter"}) == "calm-otter"
    assert recent_of({"recent": ["a/b", 4, "c/d"]}) == ("a/b", "c/d")


def test_folders_and_hub_names_are_kept_newest_first_and_runs_are_not() -> None:
    recent: list[str] = []
    for number in range(RECENT + 3):
        recent = used(recent, f"owner/model{number}")
    assert recent[0] == f"owner/model{RECENT + 2}" and len(recent) == RECENT
    assert used(recent, "owner/model5")[:2] == ["owner/model5", recent[0]]
    assert used(recent, "20261124-0412-calm-otter") == recent and used([], "~/m") == ["~/m"]


@pytest.mark.parametrize(
    ("answer", "wrong"),
    [
        ("", "type a model"), ("a\0b", "type a model"), ("a/b/c", "owner/model"), ("a b/c", "owner/model"),
        ("owner/", "owner/model"), ("/no/such", "no such folder"), ("~no-such-user/x", "no such folder"),
        ("no-such-run", "a run, an imported model, a folder, a Hub name or starter"), ("/" + "x" * 5000, "File name too long"),
        ("x" * 300 + "/" + "y" * 300, "File name too long"), ("starter", "starter"),
    ],
)  # fmt: skip
def test_why_a_typed_model_cannot_be_loaded_is_said(answer: str, wrong: str) -> None:
    assert wrong in complaint_about(answer)


def test_a_folder_and_what_may_lie_on_the_hub_are_no_complaint(tmp_path: Path) -> None:
    assert complaint_about(f" {folder(tmp_path / 'mine')} ") == "" and complaint_about("owner/model-v1.0") == ""
    (tmp_path / "empty").mkdir()
    assert "config.json" in complaint_about(str(tmp_path / "empty"))


def test_words_are_looked_for_whatever_their_case_and_order() -> None:
    choice = Choice("20261124-0412-calm-otter", "calm-otter", "finished · F1 .531 · 2h05m ago")
    assert choice.fits("") and choice.fits("Otter .531 CALM") and not choice.fits("calm failed")
