"""A training on several devices under torchrun, here two processes on the processor: the same as in one, or it says so."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest
import torch
from safetensors.torch import load_file

from tests.integration import torchrun
from tests.integration.in_process import created
from tests.integration.torchrun import PATIENCE, until
from tests.integration.worker import lines, without_gap
from tests.unit.command_line import cli
from tests.unit.fake_worker import end_all
from trainer.runs import lock, process
from trainer.runs.run import ENDED, Run

SETTINGS = {"devices": 2, "device": "cpu", "precision": "fp32", "limit": 96, "batch_size": 8, "epochs": 2}


@pytest.fixture(autouse=True)
def no_worker_stays() -> Iterator[None]:
    yield
    end_all()


def wait(run: Run) -> str:
    until(lambda: run.look().state in ENDED, f"it does not end: {run.look()}")
    return run.state


def trained(encoder: Path, **settings: Any) -> Run:
    run = created(encoder, **{**SETTINGS, **settings})
    process.start(run)
    assert wait(run) == "finished", run.worker_log.read_text()
    return run


def weights(run: Run) -> dict[str, torch.Tensor]:
    return load_file(run.folder / "model" / "model.safetensors")


def same(one: Run, other: Run) -> bool:
    """To the last bit."""
    theirs = weights(other)
    return all(torch.equal(tensor, theirs[name]) for name, tensor in weights(one).items())


@pytest.mark.parametrize(
    "more", [{}, {"lora_rank": 4, "pooling": "mean", "r_drop": 0.5}], ids=["all weights", "adapters"]
)
def test_gradients_of_two_ranks_are_those_of_one_process(tiny_encoder: Path, more: dict[str, Any]) -> None:
    run = created(tiny_encoder, **{**SETTINGS, "batch_size": 16, **more})
    assert torchrun.alone(run, "gradients", 1) == torchrun.alone(run, "gradients", 2) == 0
    one, first, second = (load_file(run.folder / f"gradients-{name}.safetensors") for name in ("1-0", "2-0", "2-1"))
    assert len(one) > 20 and one.keys() <= first.keys() == second.keys()
    for name, wanted in first.items():
        assert torch.equal(wanted, second[name]), name
        expected = one.get(name, torch.zeros_like(wanted))
        assert torch.allclose(wanted, expected, atol=1e-6, rtol=1e-4), (name, (wanted - expected).abs().max())
    assert any(bool(one[name].abs().max() > 1e-4) for name in one if not name.endswith("loss"))


def test_two_ranks_learn_what_one_process_learns_and_the_first_alone_writes(still_encoder: Path) -> None:
    more = {"accumulation": 2, "limit": 93, "checkpoint_steps": 5}
    one, two = trained(still_encoder, devices=1, **more), trained(still_encoder, **more)
    for name, wanted in weights(one).items():
        assert torch.allclose(wanted, weights(two)[name], atol=1e-4), name
    seen, other = two.snapshot(), one.snapshot()
    assert seen.steps == other.steps == seen.step == 12
    for ours, theirs in zip(seen.validations, other.validations, strict=True):
        assert ours["loss"] == pytest.approx(theirs["loss"], rel=1e-4)
        assert ours["macro_f1"] == pytest.approx(theirs["macro_f1"], abs=0.02)
        assert ours["train_loss"] == pytest.approx(theirs["train_loss"], rel=1e-4)
    events = without_gap(two)
    assert events[0]["kind"] == "started" and events[0]["ranks"] == 2 and "ranks" not in lines(one)[0]
    held = lock.holder(two.folder)
    assert held is not None and held.pid == events[0]["pid"] and held.leader is not None and held.leader.pid != held.pid
    assert not two.worker_log.read_text()
    said = (two.folder / "rank-1.log").read_text()
    assert "rank 1 of 2" in said and "finished on cpu: step 12" in said
    assert str(events[0]["pid"]) not in said and not (two.folder / "rank-0.log").exists()
    names = {path.name for path in (two.folder / "checkpoints").iterdir()}
    assert names == {path.name for path in (one.folder / "checkpoints").iterdir()}


def test_stopped_and_resumed_it_ends_with_the_same_weights_and_listens_on_loopback_alone(tiny_encoder: Path) -> None:
    more = {"limit": 200, "batch_size": 4, "lora_rank": 4, "ema": 0.99}
    whole = trained(tiny_encoder, **more)
    run = created(tiny_encoder, **{**SETTINGS, **more})
    pid = process.start(run)
    held = lock.holder(run.folder)
    assert held is not None and held.pid == pid and held.leader is not None and held.signals
    until(lambda: run.snapshot().step, "it does not begin")
    tree = [psutil.Process(held.leader.pid), *psutil.Process(held.leader.pid).children(recursive=True)]
    assert len(torchrun.ranks_of(held.leader.pid)) == 2
    listening = [c.laddr.ip for one in tree for c in one.net_connections("inet") if c.status == psutil.CONN_LISTEN]
    assert listening and set(listening) <= {"127.0.0.1", "::1"}
    process.stop(run)
    at = run.snapshot().step
    assert run.state == "stopped" and at and 0 < at < 100
    psutil.wait_procs(tree, timeout=PATIENCE)
    assert not any(one.is_running() for one in tree)
    process.resume(run)
    assert wait(run) == "finished"
    assert [e["step"] for e in lines(run) if e["kind"] == "resumed"] == [at]
    assert same(run, whole)


@pytest.mark.parametrize("which", [0, 1, None], ids=["first rank", "second rank", "torchrun"])
def test_a_rank_that_is_killed_comes_back_by_the_retries_of_the_run(tiny_encoder: Path, which: int | None) -> None:
    run = created(tiny_encoder, **{**SETTINGS, "limit": 200, "batch_size": 4, "retries": 2, "checkpoint_steps": 10})
    process.start(run)
    until(lambda: (run.snapshot().step or 0) > 20, "it does not begin")
    held = lock.holder(run.folder)
    assert held is not None and held.leader is not None
    ranks = torchrun.ranks_of(held.leader.pid)
    torchrun.kill(psutil.Process(held.leader.pid) if which is None else ranks[which])
    psutil.wait_procs(ranks, timeout=PATIENCE)  # no rank outlives the others, nor torchrun
    assert not any(one.is_running() for one in ranks)
    assert wait(run) == "finished", run.worker_log.read_text()
    events = lines(run)
    back = [e for e in events if e["kind"] == "resumed"]
    assert len(back) == 1 and back[0]["step"] >= 20
    if which == 1:
        assert any("another rank" in e["error"] for e in events if e["kind"] == "failed")
    else:
        assert "ended without a word" in back[0]["after"]


def test_without_retries_a_killed_rank_is_told_and_the_run_can_be_resumed(tiny_encoder: Path) -> None:
    run = created(tiny_encoder, **{**SETTINGS, "limit": 200, "batch_size": 4, "checkpoint_steps": 10})
    process.start(run)
    until(lambda: (run.snapshot().step or 0) > 20, "it does not begin")
    held = lock.holder(run.folder)
    assert held is not None and held.leader is not None and held.pid is not None
    torchrun.kill(psutil.Process(held.pid))
    assert wait(run) == "died"
    until(lambda: run.exit() is not None, "how it ended is not written down")
    assert "one of the workers" in run.why_died()
    process.resume(run)
    assert wait(run) == "finished"


def test_two_nodes_of_one_rank_each_and_a_killed_rank_comes_back_by_torchrun(
    tiny_encoder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    more = {"limit": 200, "batch_size": 4, "checkpoint_steps": 10}
    run = created(tiny_encoder, **{**SETTINGS, "devices": 1, **more})
    port = torchrun.free_port()
    agents = [torchrun.agent(run, port, restarts=2, log=f"agent-{n}.log") for n in (0, 1)]
    try:
        until(lambda: (run.snapshot().step or 0) > 20, "it does not begin")
        held = lock.holder(run.folder)
        assert held is not None and held.leader is not None and held.leader.pid in [one.pid for one in agents]
        assert held.supervised and held.supervisor == held.leader
        other = next(one for one in agents if held.leader and one.pid != held.leader.pid)
        torchrun.kill(torchrun.ranks_of(other.pid)[0])
        assert torchrun.ended(agents) == [0, 0], (run.folder / "agent-0.log").read_text()
    finally:
        torchrun.ended(agents)
    events = lines(run)
    assert run.state == "finished" and next(e["step"] for e in events if e["kind"] == "resumed") >= 20
    assert {e["ranks"] for e in events if e["kind"] in ("started", "resumed")} == {2}
    told = next(e["error"] for e in events if e["kind"] == "failed")
    assert told.startswith("another rank of this training ended: ") and ".cc" not in told and "🏖" not in told
    assert "worker.log" not in told and "stderr" in told  # by hand there is none
    assert cli("runs", "show", run.id) == 0 and "worker.log" not in capsys.readouterr().out


def test_memory_that_runs_out_on_one_rank_makes_the_micro_batches_of_all_smaller(tiny_encoder: Path) -> None:
    run = created(tiny_encoder, **{**SETTINGS, "epochs": 1})
    assert torchrun.alone(run, "short") == 0
    events = without_gap(run)
    cut = [e for e in events if e.get("split")]
    assert run.state == "finished" and [e["micro_batch"] for e in cut if e["kind"] == "warning"] == [2]
    assert "finished on cpu: step 12" in (run.folder / "rank-1.log").read_text()


def test_memory_that_runs_out_in_an_update_of_one_rank_sends_all_back(tiny_encoder: Path) -> None:
    run = created(tiny_encoder, **{**SETTINGS, "epochs": 1, "checkpoint_steps": 2})
    assert torchrun.alone(run, "short-update") == 0
    events = lines(run)
    assert run.state == "finished" and sum(e["kind"] == "resumed" for e in events) == 1
    assert any("in an update" in e.get("text", "") for e in events)


def test_a_stop_that_one_rank_hears_stops_all_of_them(tiny_encoder: Path) -> None:
    run = created(tiny_encoder, **SETTINGS)
    assert torchrun.alone(run, "stop") == 0
    assert run.state == "stopped" and run.snapshot().step == 3
    assert "stopped on cpu: step 3" in (run.folder / "rank-1.log").read_text()


def test_what_is_wrong_with_the_input_is_said_once_and_not_tried_again(tiny_encoder: Path, tmp_path: Path) -> None:
    corpus = tmp_path / "corpus"
    corpus.mkdir()
    for split in ("train", "dev"):
        rows = (f"{split} comment {n}\t{18 if n % 2 else 2}\tid{n}" for n in range(40))
        (corpus / f"{split}.tsv").write_text("\n".join(rows) + "\n")
    run = created(tiny_encoder, **{**SETTINGS, "data": str(corpus), "retries": 3})
    with (corpus / "train.tsv").open("a") as file:
        file.write("one more\t2\tidx\n")
    process.start(run)
    assert wait(run) == "failed"
    events = lines(run)
    assert [e["kind"] for e in events] == ["failed"] and "has changed" in events[0]["error"]
    assert events[0]["reason"] == "input"
    until(lambda: run.exit() is not None, "how it ended is not written down")


def test_a_wish_to_stop_while_it_loads_is_heard(tiny_encoder: Path) -> None:
    run = created(tiny_encoder, **SETTINGS)
    lock.request_stop(run.folder)
    process.start(run)
    assert wait(run) == "stopped"


def test_a_run_that_was_stopped_is_started_by_hand_and_goes_on(tiny_encoder: Path) -> None:
    run = created(tiny_encoder, **SETTINGS)
    lock.request_stop(run.folder)
    port = torchrun.free_port()
    agents = [torchrun.agent(run, port, log=f"agent-{n}.log") for n in (0, 1)]
    assert torchrun.ended(agents) == [0, 0], (run.folder / "agent-0.log").read_text()
    assert run.state == "stopped" and not lock.stop_requested(run.folder)
    assert any("was asked to stop" in (run.folder / f"agent-{n}.log").read_text() for n in (0, 1))
    lock.request_stop(run.folder)  # as an earlier version left it
    os.utime(run.folder / "control" / "stop", ns=(0, (run.folder / "events.jsonl").stat().st_mtime_ns))
    port = torchrun.free_port()
    agents = [torchrun.agent(run, port, log=f"agent-{n}.log") for n in (0, 1)]
    assert torchrun.ended(agents) == [0, 0], (run.folder / "agent-0.log").read_text()
    assert run.state == "finished" and [e["kind"] for e in lines(run)].count("stopped") == 1


def test_a_login_that_ends_does_not_end_it(tiny_encoder: Path) -> None:
    import signal

    run = created(tiny_encoder, **{**SETTINGS, "limit": 200, "batch_size": 4})
    process.start(run)
    until(lambda: run.snapshot().step, "it does not begin")
    held = lock.holder(run.folder)
    assert held is not None and held.leader is not None
    for one in (held.leader.pid, *(rank.pid for rank in torchrun.ranks_of(held.leader.pid))):
        os.kill(one, signal.SIGHUP)
    assert wait(run) == "finished"
