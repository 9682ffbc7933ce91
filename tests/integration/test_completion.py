"""Shell completion, asked in real shells: bash, zsh and tcsh by a person who presses Tab, fish by its own question."""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from goemo_tui.cli import parser
from goemo_tui.commands.completion import SHELLS, script
from tests.conftest import ROOT
from tests.integration.terminal import Terminal
from trainer.config import TrainConfig
from trainer.paths import models_folder
from trainer.runs.run import Run


@pytest.fixture
def program(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """`goemo-tui` on the PATH, a run that has a name, and a folder to stand in."""
    bin = tmp_path / "bin"
    bin.mkdir()
    (bin / "goemo-tui").write_text(f'#!/bin/sh\nexec "{sys.executable}" -m goemo_tui "$@"\n')
    (bin / "goemo-tui").chmod(0o755)
    monkeypatch.setenv("PATH", f"{bin}:{os.environ['PATH']}")
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    (tmp_path / "here" / "corpora").mkdir(parents=True)
    (tmp_path / "here" / "reviews.csv").write_text("text\nfine\n")
    for shell in SHELLS:
        (tmp_path / f"completion.{shell}").write_text(script(shell))
    monkeypatch.chdir(tmp_path / "here")
    return tmp_path


@pytest.fixture
def run(program: Path) -> Run:
    return Run.create(TrainConfig())


def needs(shell: str) -> str:
    found = shutil.which(shell)
    if found is None:
        pytest.skip(f"{shell} is not on this machine")
    return found


ASK = r"""
source "$1"; shift
complete -p goemo-tui >/dev/null || exit 9
COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); COMPREPLY=()
_goemo_tui goemo-tui "${@: -1}" "" 2>/dev/null
printf '%s\n' "${COMPREPLY[@]}"
"""


def bash(program: Path, *words: str) -> set[str]:
    """What bash offers for the last of these words, divided at = as bash divides them."""
    done = subprocess.run(
        ["bash", "--norc", "-c", ASK, "bash", str(program / "completion.bash"), "goemo-tui", *words],
        capture_output=True, text=True, timeout=60,
    )  # fmt: skip
    assert done.returncode == 0 and not done.stderr, done.stderr
    return set(done.stdout.split())


def commands() -> Iterator[tuple[tuple[str, ...], argparse.ArgumentParser]]:
    def below(
        at: tuple[str, ...], one: argparse.ArgumentParser
    ) -> Iterator[tuple[tuple[str, ...], argparse.ArgumentParser]]:
        yield at, one
        for action in one._actions:
            if isinstance(action, argparse._SubParsersAction):
                for name, child in action.choices.items():
                    yield from below((*at, name), child)

    return below((), parser())


def test_bash_knows_every_command_and_every_option(program: Path) -> None:
    for at, one in commands():
        options = {o for a in one._actions if a.help != argparse.SUPPRESS for o in a.option_strings}
        assert bash(program, *at, "-") == options, at
        if one._subparsers is not None and not at:
            children = next(a for a in one._actions if isinstance(a, argparse._SubParsersAction)).choices
            assert bash(program, "") >= set(children)


@pytest.mark.parametrize(
    ("words", "offers"),
    [
        (("tr",), {"train"}),
        (("train", "--set", "ep"), {"epochs="}),
        (("train", "--set", "loss", "=", "f"), {"focal"}),
        (("train", "--set", "loss", "=", "focal", "--da"), {"--data"}),
        (("train", "--data", "=", "sam"), {"sample"}),
        (("train", "--data", "c"), {"corpora"}),
        (("--home", "c"), {"corpora"}),
        (("--home", "rev"), set()),
        (("score", "rev"), {"reviews.csv"}),
        (("predict", "--because", "gr"), {"gratitude", "grief"}),
        (("runs", "sh"), {"show"}),
        (("completion", "f"), {"fish"}),
        (("runs", "export", "x", "--to", ""), {"tensorboard", "trackio", "wandb", "mlflow"}),
        (("train", "--track", ""), {"tensorboard", "trackio", "wandb", "mlflow", "none"}),
        (("import", "x", "--labels", "e"), {"emotions"}),
        (("import", "x", "--labels", "re"), {"reviews.csv"}),
    ],
)  # fmt: skip
def test_bash_knows_what_an_argument_takes(program: Path, words: tuple[str, ...], offers: set[str]) -> None:
    assert bash(program, *words) == offers


def test_bash_asks_for_the_runs_there_are(program: Path, run: Run) -> None:
    assert bash(program, "runs", "show", "") == {run.id, run.short}
    assert bash(program, "predict", "--model", "") >= {"starter", "corpora"}
    assert run.id not in bash(program, "predict", "--model", ""), "it has no model yet"


def test_bash_asks_for_imported_models(program: Path) -> None:
    imported = models_folder() / "right"
    imported.mkdir(parents=True)
    (imported / "config.json").write_text("{}")
    assert bash(program, "predict", "--model", "ri") == {"right"}
    assert bash(program, "models", "rm", "") == {"right"}  # what it would refuse is not offered


def test_tab_in_bash(program: Path, run: Run) -> None:
    with Terminal(under=("/bin/bash", "-c", "PS1='$ ' exec bash --norc --noprofile -i")) as terminal:
        terminal.until("$")
        terminal.press(f"source {program}/completion.bash", "enter", "goemo-tui ru", "tab")
        terminal.until("goemo-tui runs")
        terminal.press("show ", run.short[:3], "tab")
        terminal.until(f"goemo-tui runs show {run.short}")
        terminal.press("ctrl+u", "goemo-tui train --set pati", "tab", "4 --data cor", "tab")
        terminal.until("--set patience=4 --data corpora/")


def test_tab_in_zsh(program: Path, run: Run) -> None:
    shell = needs("zsh")
    with Terminal(under=("/bin/sh", "-c", f"PS1='$ ' exec {shell} -f -i")) as terminal:
        terminal.until("$")
        terminal.press("autoload -U compinit; compinit -D -u", "enter", f'eval "$(<{program}/completion.zsh)"', "enter")
        terminal.press("goemo-tui ru", "tab")
        terminal.until("goemo-tui runs")
        terminal.press("show ", run.short[:3], "tab")
        terminal.until(f"goemo-tui runs show {run.short}")
        terminal.press("ctrl+u", "goemo-tui train --set pati", "tab", "4 --data cor", "tab")
        terminal.until("--set patience=4 --data corpora/")


def test_tab_in_tcsh(program: Path, run: Run) -> None:
    shell = needs("tcsh")
    with Terminal(under=("/bin/sh", "-c", f"exec {shell} -f -i")) as terminal:
        terminal.until(lambda text: ">" in text or "#" in text)
        terminal.press(f"source {program}/completion.tcsh", "enter", "goemo-tui ru", "tab")
        terminal.until("goemo-tui runs")
        terminal.press("ctrl+u", "goemo-tui train --after ", run.short[:3], "tab")
        terminal.until(f"--after {run.short}")


def test_fish_offers_the_same(program: Path, run: Run) -> None:
    shell = needs("fish")

    def fish(line: str) -> set[str]:
        asked = f'source {program}/completion.fish; complete -C "{line}"'
        done = subprocess.run([shell, "-N", "-c", asked], capture_output=True, text=True, timeout=60)
        assert not done.stderr, done.stderr
        return {found.partition("\t")[0] for found in done.stdout.splitlines()}

    assert fish("goemo-tui tr") == {"train"}
    assert fish("goemo-tui runs show ") == {run.id, run.short}
    assert fish("goemo-tui train --set loss=f") == {"loss=focal"}
    assert fish("goemo-tui score rev") == {"reviews.csv"}


def test_what_is_no_plain_word_is_never_offered(program: Path, goemo_home: Path) -> None:
    for name in ("fine", "$(touch pwned)", "two words", "-rf"):
        (goemo_home / "corpora" / name).mkdir(parents=True)
    offered = bash(program, "train", "--data", "")
    assert {"sample", "goemotions", "fine"} <= offered and not {"$(touch", "two", "-rf"} & offered
    assert not Path("pwned").exists()
