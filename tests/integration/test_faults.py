"""Killed or refused at the n-th system call, for every n: what was saved before is there, or what was being saved is.

Real calls of real processes, through strace. Between two calls nothing can change on a disk, so this is every moment.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.integration.faults import CALLS, Injector, Outcome, content, refused, seqs, write
from trainer.learn import checkpoint
from trainer.learn.work import recover_model
from trainer.runs.events import LOG, EventLog
from trainer.runs.tail import EventTail

pytestmark = pytest.mark.skipif(refused() is not None, reason=str(refused()))

KILL = "signal=KILL:when={n}"
CHANGING = tuple(call for call in CALLS if call not in ("chmod", "fchmodat", "unlink", "unlinkat", "rmdir"))
"""What saves something; the others only clean up."""


@pytest.fixture(scope="module")
def injector(tiny_encoder: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Injector]:
    with Injector(tiny_encoder, tmp_path_factory.mktemp("faults")) as one:
        yield one


def survivor(folder: Path) -> str:
    """Which checkpoint a worker that starts now goes on from: A or B, whole. And it can write the next one."""
    checkpoint.tidy(folder)
    assert all(path.name.startswith("step-") for path in folder.iterdir()), "something was left half written"
    assert not [why for path in folder.iterdir() if (why := checkpoint.verify(path))], "one is damaged"
    found, warnings = checkpoint.newest(folder)
    assert found is not None and not warnings
    left = content(found)
    write(folder, "B", 9)
    again, warnings = checkpoint.newest(folder)
    assert again is not None and again.folder.name == "step-000009" and not warnings
    assert content(again) == "B"
    assert all(path.name.startswith("step-") for path in folder.iterdir()), "something was left half written"
    return left


@pytest.mark.parametrize("scenario", ["fresh", "over", "pruning"])
def test_killed_at_every_call_of_a_checkpoint_a_valid_one_remains(injector: Injector, scenario: str) -> None:
    folder, left, tried = injector.folder(scenario), [], {}
    for call in CALLS:
        ends = []
        for _, outcome in injector.every(scenario, call, KILL):
            assert outcome.code == -9, outcome.told
            if scenario == "pruning":
                assert checkpoint.verify(folder / "step-000001") is None, "the best one is gone"
            ends.append(survivor(folder))
        assert "".join(ends) == "".join(sorted(ends)), f"{call}: {ends}"  # once B is there, A does not come back
        left += ends
        tried[call] = len(ends)
    print(f"{scenario}: killed {len(left)} times, {left.count('A')} A and {left.count('B')} B were left: {tried}")
    assert left.count("A") >= 30 and left.count("B") >= (1 if scenario == "fresh" else 3)
    assert tried["fsync"] >= 8 and tried["write"] >= 6 and tried["rename"] >= (1 if scenario == "fresh" else 2)
    assert scenario == "fresh" or tried["unlinkat"] + tried["unlink"] >= 6


@pytest.mark.parametrize(("code", "when"), [("EIO", "{n}"), ("ENOSPC", "{n}+")])
@pytest.mark.parametrize("scenario", ["over", "pruning"])
def test_refused_at_every_call_of_a_checkpoint_it_says_so_and_a_valid_one_remains(
    injector: Injector, scenario: str, code: str, when: str
) -> None:
    folder, ends = injector.folder(scenario), []
    for call in CHANGING:
        for n, outcome in injector.every(scenario, call, f"error={code}:when={when}"):
            at = f"{call} {n}: {outcome.told}"
            assert outcome.code in (0, 1), at  # done, or an OSError: nothing else
            if when == "{n}" and call != "openat":  # without a second fault the way back is free
                assert all(path.name.startswith("step-") for path in folder.iterdir()), at
                found, warnings = checkpoint.newest(folder)
                assert found is not None and not warnings, at
            left = survivor(folder)
            assert left == "B" or outcome.code == 1, at
            ends.append((outcome.code, left))
    print(f"{scenario}: {code} {len(ends)} times, {ends.count((1, 'A'))} A and {ends.count((0, 'B'))} B were left")
    assert ends.count((1, "A")) >= 20


# -- a model


def tree(folder: Path) -> dict[str, str]:
    """Every file below a folder and its sha256."""
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def which(folder: Path) -> int:
    """The model that is kept in `folder`: 0 the old one, 1 the new one."""
    return int(json.loads((folder / "thresholds.json").read_text())["which"])


@pytest.mark.parametrize("what", [KILL, "error=EIO:when={n}", "error=ENOSPC:when={n}+"])
def test_a_better_model_takes_the_place_of_the_old_one_whole_or_not_at_all(injector: Injector, what: str) -> None:
    run, trees, ends = injector.folder("keeping"), {}, []
    for call in CALLS if what == KILL else CHANGING:
        if call == "openat" and what != KILL:
            continue  # libraries that look for files take one that cannot be opened for one that is not there
        for n, outcome in injector.every("keeping", call, what):
            at = f"{call} {n}: {outcome.told}"
            assert outcome.code in ((-9,) if what == KILL else (0, 1)), at
            if what.endswith("{n}") and what != KILL:
                assert [path.name for path in run.iterdir()] == ["model"], at
            recover_model(run / "model")
            assert [path.name for path in run.iterdir()] == ["model"], at
            left = which(run / "model")
            assert trees.setdefault(left, tree(run / "model")) == tree(run / "model"), at
            assert left == 1 or outcome.code != 0, at
            ends.append(left)
    injector.attempt("keeping")
    assert trees.setdefault(1, tree(run / "model")) == tree(run / "model") and which(run / "model") == 1
    print(f"keeping: {what} {len(ends)} times, {ends.count(0)} old and {ends.count(1)} new models were left")
    assert ends.count(0) >= 20 and trees[0].keys() == trees[1].keys() >= {"model.safetensors", "config.json"}
    assert all(trees[0][name] != trees[1][name] for name in ("model.safetensors", "thresholds.json", "README.md"))
    assert ends.count(1) >= (2 if what == KILL else 1)


# -- an event log


@pytest.mark.parametrize("call", ["write", "fdatasync"])
@pytest.mark.parametrize("what", [KILL, "error=EIO:when={n}", "error=ENOSPC:when={n}+2", "error=ENOSPC:when={n}+"])
def test_an_event_log_has_no_gap_whatever_the_disk_refuses(injector: Injector, call: str, what: str) -> None:
    log, hits = injector.folder("logging") / LOG, 0
    for n, outcome in injector.every("logging", call, what):
        hits += 1
        assert outcome.code == (-9 if what == KILL else 0), f"{call} {n}: {outcome.told}"
        before = seqs(log)
        assert before == list(range(1, len(before) + 1)), n
        told = EventTail(log).poll()
        if what != KILL and not what.endswith("+"):
            assert [e["step"] for e in told if e["kind"] == "checkpoint"] == [2, 3, 4, 5, 6, 7], n
            assert [e["kind"] for e in told].count("finished") == 1, n
        with EventLog(log) as later:
            later.append("resumed", step=1)
        tail = EventTail(log)
        assert [e["seq"] for e in tail.poll()] == [*before, len(before) + 1] and tail.bad == 0
        if call == "fdatasync" and what != KILL:
            assert [e["step"] for e in told if e["kind"] == "step"] == [1, 2, 3, 4, 5, 6, 7], n
    assert hits >= (10 if call == "write" else 6)


# -- the order of calls


def calls(outcome: Outcome) -> list[tuple[str, tuple[str, ...]]]:
    """Every call and the paths it is about, in order."""
    found = []
    for call, arguments in re.findall(r"^\d+ +(\w+)\((.*)\) += 0$", outcome.log, re.MULTILINE):
        paths = re.findall(r'(?:<([^>]*)>, )?"([^"]*)"|^\d+<([^>]*)>', arguments)
        found.append((call, tuple(own or str(Path(at or "/", name)) for at, name, own in paths)))
    return found


def moved(story: list[tuple[str, tuple[str, ...]]], source: str, target: str) -> int:
    """When the one got the other's name."""
    (when,) = [n for n, (call, paths) in enumerate(story) if call.startswith("rename") and paths == (source, target)]
    return when


def synced(story: list[tuple[str, tuple[str, ...]]], path: str) -> int:
    """When a file or folder was made durable, for the first time."""
    return story.index(("fsync", (path,)))


@pytest.mark.parametrize("scenario", ["fresh", "over", "pruning", "keeping"])
def test_what_is_renamed_is_durable_and_nothing_old_goes_before_the_new_name_is(
    injector: Injector, scenario: str
) -> None:
    folder, story = injector.folder(scenario), calls(injector.attempt(scenario))
    final = (
        folder / {"fresh": "step-000002", "over": "step-000001", "pruning": "step-000004", "keeping": "model"}[scenario]
    )
    (temporary,) = {paths[0] for call, paths in story if call == "rename" and paths[1] == str(final)}
    named = moved(story, temporary, str(final))
    files = sorted(path.name for path in final.iterdir())
    assert len(files) >= 6
    for name in files:
        path = f"{temporary}/{name}"
        assert synced(story, path) < synced(story, temporary) < named, name
        made = [n for n, (_, paths) in enumerate(story) if path in paths and story[n][0] != "fsync"]
        assert made and max(made) < synced(story, path), name
    parent = [n for n, call in enumerate(story) if call == ("fsync", (str(folder),))]
    assert parent and parent[-1] > named
    gone = [n for n, (call, _) in enumerate(story) if call in ("unlink", "unlinkat", "rmdir")]
    gone += [n for n, (call, paths) in enumerate(story) if call.startswith("rename") and ".pruned" in paths[-1]]
    assert all(n > min(n for n in parent if n > named) for n in gone), "something went before the new one was durable"
    assert bool(gone) == (scenario != "fresh")


def test_the_folder_of_the_checkpoints_is_durable_before_the_first_of_them(injector: Injector) -> None:
    run, story = injector.folder("first"), calls(injector.attempt("first"))
    made = story.index(("mkdir", (f"{run}/checkpoints",)))
    (named,) = [
        n for n, (call, paths) in enumerate(story) if paths[-1] == f"{run}/checkpoints/step-000002" and call == "rename"
    ]
    assert made < synced(story, str(run)) < named
