"""Out-of-fold scores by real trainings of a tiny encoder, through the command; rows left out or weighed; soft labels."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from goemo_tui.cli import main
from tests.integration.in_process import created, told
from tests.integration.test_cli import document, goemo
from tests.integration.test_laws import HEAVY, loaded
from tests.unit.test_raters import rating, write
from trainer import load_corpus
from trainer.corpus.decisions import Decision, keep_decisions
from trainer.corpus.folds import folds_of
from trainer.corpus.interrupt import Cancelled
from trainer.corpus.suspects import begun, folder_of, keep_scores, read_scores, read_suspects
from trainer.errors import ConfigError
from trainer.infer import out_of_fold
from trainer.learn.work import prepare
from trainer.runs.plan import plan
from trainer.runs.run import list_runs

FEW = {"epochs": 1, "limit": 120, "head_init": "random", "batch_size": 16}


def asked(encoder: Path, folds: int = 3, **settings: Any) -> out_of_fold.Work:
    return out_of_fold.planned(plan("sample", str(encoder), "goemo", {**FEW, **settings}), folds)


def made(encoder: Path) -> None:
    """Scores of all rows, by hand: training is another test's affair."""
    from trainer.corpus.suspects import given_labels

    corpus = load_corpus("sample")
    given = given_labels(corpus)
    p = np.random.default_rng(0).uniform(0, 1, given.shape)
    keep_scores(folder_of(corpus), p.astype(np.float32), {"labels": list(corpus.labels.names)})


def test_each_row_is_judged_by_a_model_that_had_not_seen_it(
    tiny_encoder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: dict[int, set[str]] = {}
    predicted: dict[int, list[str]] = {}
    real = out_of_fold.Predictor

    def work(run: Any, stop: Any, observer: Any) -> Any:
        from trainer.learn.work import work as train

        chosen = prepare(run, lambda: False)[0].train
        seen[len(seen)] = {str(chosen.tokens.lengths.tolist())}
        assert len(chosen.truth) == int((fold != len(seen) - 1).sum())
        return train(run, stop, observer)

    class Spy(real):  # type: ignore[misc, valid-type]
        def probabilities(self, texts: Any, stop: Any = None) -> Any:
            predicted[len(predicted)] = list(texts)
            return super().probabilities(texts, stop)

    job = asked(tiny_encoder)
    fold = job.fold_of()
    monkeypatch.setattr(out_of_fold, "work", work)
    monkeypatch.setattr(out_of_fold, "Predictor", Spy)
    kinds: list[str] = []
    scores = out_of_fold.make(job, lambda: False, lambda k, event: kinds.append(event["kind"]))
    train = load_corpus("sample").splits["train"]
    for k in range(3):
        assert predicted[k] == [train.text[i] for i in np.flatnonzero(fold == k)]
    assert scores.judged.sum() == 120 and not scores.judged[120:].any()
    assert scores.about["judged"] == 120 and 0 <= scores.about["macro_f1"] <= 1
    assert kinds.count("predicted") == kinds.count("finished") == 3
    assert sorted(p.name for p in scores.folder.iterdir()) == ["about.json", "oof.npy"]
    assert list_runs() == []  # the folds' trainings are no runs of the person's


def test_stopped_work_goes_on_where_it_was(tiny_encoder: Path) -> None:
    job = asked(tiny_encoder, epochs=2, checkpoint_steps=3)
    through = out_of_fold.make(job, lambda: False, lambda fold, event: None).probabilities
    out_of_fold.forget(job.folder)
    assert read_scores(job.corpus) is None
    stopping: list[bool] = []

    def watch(fold: int, event: Any) -> None:
        if fold == 1 and event["kind"] == "validation":
            stopping.append(True)

    with pytest.raises(Cancelled, match="fold 2 of 3"):
        out_of_fold.make(job, lambda: bool(stopping), watch)
    kept = begun(job.folder)
    assert kept is not None and kept["folds"] == 3 and job.done(0) is not None and job.done(1) is None
    events: list[tuple[int, str]] = []
    again = out_of_fold.make(job, lambda: False, lambda fold, event: events.append((fold, event["kind"])))
    assert (0, "started") not in events and (1, "resumed") in events and (2, "started") in events
    assert np.array_equal(again.probabilities, through, equal_nan=True)
    assert begun(job.folder) is None


def test_other_settings_do_not_mix_with_what_was_begun(tiny_encoder: Path) -> None:
    with pytest.raises(Cancelled):
        out_of_fold.make(asked(tiny_encoder), lambda: True, lambda fold, event: None)
    with pytest.raises(ConfigError, match=r"epochs 1 \(not 2\), folds 3 \(not 4\).*--again"):
        out_of_fold.make(asked(tiny_encoder, 4, epochs=2), lambda: True, lambda fold, event: None)
    with pytest.raises(Cancelled):  # another device or another pace of checkpoints is the same work
        out_of_fold.make(asked(tiny_encoder, device="cpu", checkpoint_steps=9), lambda: True, lambda fold, event: None)


def test_folds_that_cannot_be(tiny_encoder: Path) -> None:
    for folds, settings in ((1, {}), (21, {}), (15, {}), (3, {"limit": 20})):
        with pytest.raises(ConfigError, match="--folds"):
            asked(tiny_encoder, folds, **settings)


def test_the_command_finds_ranks_marks_and_writes(
    tiny_encoder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    options = ["--encoder", str(tiny_encoder), "--set", "epochs=1", "--set", "limit=120", "--folds", "2"]
    done = goemo("data", "suspects", "sample", *options, "--json", "--top", "30")
    assert done.returncode == 0, done.stderr
    first = document(done)
    assert (first["rows"], first["folds"], len(first["results"])) == (120, 2, 30)
    assert "fold 2/2 done" in done.stderr and "ranking" in done.stderr
    assert set(first["suspect_rows"]) == {"any", "doubted", "missed", "both", "any_by_default"}
    assert first["per_label"]["joy"].keys() == {"given", "doubted", "missed"}
    worst = first["results"][0]
    other = next(row for row in first["results"][1:] if row["suggested"] != row["labels"])
    assert worst["rank"] == 1 and worst["labels"] and worst["suggested"] and worst["decision"] is None

    out = tmp_path / "clean.jsonl"
    marks = ["--mark", f"{worst['line']}=fine", "--mark", f"{other['line']}=model"]

    def again(*more: str) -> tuple[int, str, str]:
        """The command in this process: nothing is trained any more."""
        code = main(["data", "suspects", "sample", *more])
        return code, *capsys.readouterr()

    code, said, talk = again(*marks, "--out", str(out), "--share", "0.1", "--json", "--top", "1")
    assert code == 0 and "fold 1" not in talk, talk
    assert json.loads(said)["results"][0]["decision"] == "fine"
    rows = [json.loads(line) for line in out.read_text().splitlines()]
    assert len(rows) == len(load_corpus("sample").splits["train"]) - 12
    by_id = {row["id"]: row["labels"] for row in rows}
    assert by_id[worst["id"]] == worst["labels"]
    assert by_id[other["id"]] == other["suggested"]
    code, _, talk = again("--out", str(out))
    assert code == 1 and "--overwrite" in talk
    code, said, _ = again("--top", "3")
    assert "of 120 rows" in said and "not a count of errors" in said and "[fine]" in said
    code, _, talk = again("--set", "epochs=2")
    assert code == 2 and "--again" in talk


def test_ctrl_c_keeps_what_is_done_and_says_how_to_go_on(tiny_encoder: Path) -> None:
    command = [sys.executable, "-m", "goemo_tui", "data", "suspects", "sample", "--encoder", str(tiny_encoder),
               "--set", "epochs=200", "--folds", "2"]  # fmt: skip
    process = subprocess.Popen(command, stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=dict(os.environ))
    assert process.stderr is not None
    lines = []
    for line in process.stderr:
        lines.append(line)
        if "epoch 1:" in line:
            process.send_signal(signal.SIGINT)
            break
    rest = process.stderr.read()
    assert process.wait(120) == 130, "".join(lines) + rest
    assert "What is done is kept; this goes on with it: goemo-tui data suspects sample" in rest
    assert process.stdout is not None and process.stdout.read() == "" and "Traceback" not in rest
    assert begun(folder_of(load_corpus("sample"))) is not None


@pytest.mark.parametrize(
    ("arguments", "what"),
    [
        (["--share", "2"], "--share 2: between 0 and 0.9"),
        (["--mark", "x=fine"], "--mark x=fine"),
        (["--mark", "3=maybe"], "--mark 3=maybe"),
        (["--top", "-1"], "--top -1"),
        (["--folds", "40"], "--folds 40: 2 to 20"),
        (["--set", "suspects=leave_out"], "set it to keep"),
        (["--set", "teacher=starter"], "teacher: a teacher may have seen"),
        (["--set", "nothing=1"], "no setting is called"),
        (["--filter", "x"], "--filter belongs to"),
    ],
)
def test_what_cannot_be_asked(
    arguments: list[str], what: str, starter: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["data", "suspects", "sample", *arguments]) == 2
    assert what in capsys.readouterr().err
    assert main(["data", "check", "sample", "--folds", "3"]) == 2
    assert "--folds belongs to data suspects" in capsys.readouterr().err


def test_suspects_are_left_out_or_weighed(tiny_encoder: Path) -> None:
    made(tiny_encoder)
    corpus = load_corpus("sample")
    run = created(tiny_encoder, suspects="leave_out", suspect_share=0.2, limit=0)
    task, warnings = prepare(run, lambda: False)
    found = read_suspects(corpus)  # ranked on the way
    assert found is not None
    worst = found.worst(0.2, {})
    assert len(task.train.truth) == (~worst).sum() and task.train.weights is None
    assert f"{worst.sum():,} rows with doubtful labels are left out" in "\n".join(warnings)
    run = created(tiny_encoder, suspects="down_weight", suspect_share=0.2, suspect_weight=0.25, limit=300)
    weights = prepare(run, lambda: False)[0].train.weights
    assert weights is not None and np.array_equal(weights, np.where(worst, 0.25, 1.0)[:300].astype(np.float32))
    assert prepare(created(tiny_encoder), lambda: False)[0].train.weights is None


def test_a_run_keeps_its_rows_whatever_is_decided_meanwhile(tiny_encoder: Path) -> None:
    made(tiny_encoder)
    run = created(tiny_encoder, suspects="leave_out", limit=0)
    before = prepare(run, lambda: False)[0].train.truth
    found = read_suspects(load_corpus("sample"))
    assert found is not None
    keep_decisions(found.scores.folder, {int(found.order[-1]): Decision("wrong")})
    assert np.array_equal(prepare(run, lambda: False)[0].train.truth, before)
    other = created(tiny_encoder, suspects="leave_out", limit=0)
    assert len(prepare(other, lambda: False)[0].train.truth) == len(before) - 1


def test_weights_change_what_is_learned(tiny_encoder: Path) -> None:
    made(tiny_encoder)
    losses = {}
    for name, more in (
        ("plain", {}),
        ("weighed", {"suspects": "down_weight", "suspect_share": 0.9, "suspect_weight": 0.0}),
    ):
        events = told(created(tiny_encoder, lr=0.01, **more))
        losses[name] = [fields["loss"] for kind, fields in events if kind == "validation"]
    assert losses["plain"] != losses["weighed"] and len(losses["weighed"]) == 3


def test_suspects_that_are_not_known_are_named_before_anything_starts(tiny_encoder: Path) -> None:
    with pytest.raises(ConfigError, match="goemo-tui data suspects sample finds out") as caught:
        created(tiny_encoder, suspects="leave_out")
    assert caught.value.key == "suspects"
    made(tiny_encoder)
    with pytest.raises(ConfigError, match="taxonomy=ekman"):  # other labels, other suspects
        created(tiny_encoder, suspects="leave_out", taxonomy="ekman")


def test_raters_shares_are_learned_in_place_of_labels(tiny_encoder: Path, tmp_path: Path) -> None:
    train = load_corpus("sample").splits["train"]
    rows = [rating(train.ids[0], "joy"), rating(train.ids[0], "love"), rating("elsewhere", "anger")]
    folder = write(tmp_path / "raters", rows)
    run = created(tiny_encoder, rater_labels=str(folder))
    assert run.record["raters"]["sha256"]
    task, warnings = prepare(run, lambda: False)
    names = task.labels.index()
    targets, truth = task.train.targets, task.train.truth
    assert (
        targets is not None and targets[0, names["joy"]] == targets[0, names["love"]] == 0.5 and targets[0].sum() == 1
    )
    assert np.array_equal(targets[1:], truth[1:]) and set(np.unique(truth)) == {0.0, 1.0}
    assert task.dev.targets is None
    assert "the raters' shares stand for 1 of 96 rows" in "\n".join(warnings)
    assert told(run)[-1][0] == "finished"
    with (folder / "goemotions_3.csv").open("a") as file:
        file.write("\n")
    with pytest.raises(ConfigError, match="have changed since run"):
        prepare(run, lambda: False)


def test_raters_of_other_comments_or_no_files_are_an_error(tiny_encoder: Path, tmp_path: Path) -> None:
    folder = write(tmp_path / "raters", [rating("elsewhere", "anger")])
    with pytest.raises(ConfigError, match="no comment of"):
        prepare(created(tiny_encoder, rater_labels=str(folder)), lambda: False)
    with pytest.raises(ConfigError, match="holds no goemotions_1"):
        created(tiny_encoder, rater_labels=str(tmp_path))


def test_folds_are_dealt_out_as_the_command_says(tiny_encoder: Path) -> None:
    job = asked(tiny_encoder)
    split = job.corpus.splits["train"]
    assert np.array_equal(job.fold_of(), folds_of(split.text[:120], split.labels[:120], 3, 0))


SHOW_SUSPECTS = """
import asyncio
from goemo_tui.app import GoemoApp

async def main():
    app = GoemoApp("sample")
    async with app.run_test(size=(120, 36)) as pilot:
        for _ in range(400):
            await pilot.pause(0.05)
            if app.screen.browser.columns is not None:
                break
        await pilot.press("f")
        for _ in range(400):
            await pilot.pause(0.05)
            if app.screen.browser.figures.suspects is not None:
                break
        await pilot.press("b")
        assert app.screen.browser.figures.suspects.decisions

asyncio.run(main())
"""


def test_the_terminal_shows_suspects_without_what_ranked_them(tiny_encoder: Path) -> None:
    from trainer.corpus.suspects import given_labels
    from trainer.model.label_quality import ranked

    made(tiny_encoder)
    corpus = load_corpus("sample")
    scores = read_scores(corpus)
    assert scores is not None
    ranked(scores, given_labels(corpus))
    assert loaded(SHOW_SUSPECTS, *HEAVY, "cleanlab", "sklearn", "scipy") == set()


def test_what_was_said_out_of_fold_can_teach(tiny_encoder: Path) -> None:
    settings = {"teacher": "out-of-fold", "distill": 0.25}
    with pytest.raises(ConfigError, match="goemo-tui data suspects sample finds out") as caught:
        created(tiny_encoder, **settings)
    assert caught.value.key == "teacher"
    made(tiny_encoder)
    corpus = load_corpus("sample")
    scores = read_scores(corpus)
    assert scores is not None
    run = created(tiny_encoder, **settings)
    rows = prepare(run, lambda: False)[0].train
    assert rows.targets == pytest.approx(0.75 * rows.truth + 0.25 * scores.probabilities[:96], abs=1e-6)
    few = scores.probabilities.copy()
    few[50:] = np.nan
    keep_scores(folder_of(corpus), few, scores.about)
    again = prepare(run, lambda: False)[0].train
    assert again.targets is not None and np.array_equal(again.targets, rows.targets), "a run keeps what it was told"
    with pytest.raises(ConfigError, match="only 50 of 1,120 rows were judged"):
        prepare(created(tiny_encoder, **settings), lambda: False)
