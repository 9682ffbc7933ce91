"""The laws about imports, looked at in real processes: what sys.modules holds once the work is done."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import tokenize
from pathlib import Path

import pytest

import trainer

HEAVY = ("torch", "transformers", "pandas")
TERMINAL = ("textual", "rich", "goemo_tui")


def loaded(code: str, *names: str) -> set[str]:
    """Which of `names` a fresh process holds after `code`."""
    tail = "\nimport json, sys\nprint(json.dumps(sorted({m.partition('.')[0] for m in sys.modules})))"
    done = subprocess.run([sys.executable, "-c", code + tail], capture_output=True, text=True, timeout=120, check=True)
    return set(names) & set(json.loads(done.stdout.splitlines()[-1]))


OPEN_ALL_SCREENS = """
import asyncio
from goemo_tui.app import GoemoApp

async def main():
    app = GoemoApp("sample")
    async with app.run_test(size=(120, 36)) as pilot:
        await pilot.pause(0.5)
        seen = [type(app.screen).__name__]
        for key in ("f2", "f3"):
            await pilot.press(key)
            await pilot.pause(1.0)
            seen.append(type(app.screen).__name__)
        assert seen == ["DataScreen", "TrainScreen", "InspectScreen"], seen

asyncio.run(main())
"""


def test_the_terminal_holds_nothing_heavy_after_all_three_screens() -> None:
    assert loaded(OPEN_ALL_SCREENS, *HEAVY) == set()


@pytest.mark.parametrize(
    "module",
    ["trainer", "trainer.labels", "trainer.paths", "trainer.config", "trainer.encoders", "trainer.devices",
     "trainer.surroundings", "trainer.modelfolder",
     "trainer.corpus", "trainer.corpus.tokens", "trainer.corpus.stats", "trainer.corpus.download", "trainer.corpus.augmented",
     "trainer.corpus.pair", "trainer.runs.run",
     "trainer.runs.process", "trainer.runs.plan", "trainer.runs.queue", "goemo_tui.cli", "goemo_tui.app"],
)  # fmt: skip
def test_what_is_known_without_torch_never_loads_it(module: str) -> None:
    assert loaded(f"import {module}", *HEAVY) == set()


@pytest.mark.parametrize(
    "module", ["trainer.__main__", "trainer.learn.work", "trainer.infer.service", "trainer.infer.evaluate"]
)
def test_the_core_never_loads_the_terminal(module: str) -> None:
    assert loaded(f"import {module}", *TERMINAL) == set()


def test_the_core_reads_a_corpus_and_plans_a_run_without_torch() -> None:
    code = "from trainer.runs.plan import plan\nassert plan('sample', 'minilm').corpus.splits['train'].text"
    assert loaded(code, *HEAVY, *TERMINAL) == set()


def test_nothing_is_ever_unpickled() -> None:
    """Words of the source, comments and texts left out: no module reads what may run code while it is read.

    The one exception is the process that `import` shuts in: there with `weights_only`, once.
    """
    root = Path(trainer.__file__).parent.parent
    found = []
    for path in [*(root / "trainer").rglob("*.py"), *(root / "goemo_tui").rglob("*.py")]:
        with path.open("rb") as file:
            words = [t.string for t in tokenize.tokenize(file.readline) if t.type in (tokenize.NAME, tokenize.OP)]
        text = " ".join(words)
        if path.relative_to(root) == Path("trainer/model/pickled.py"):
            safely = re.compile(r"torch \. load \( file , map_location = , weights_only = True ,")
            text, times = safely.subn("", text)
            assert times == 1
        forbidden = (
            "torch . load",
            "torch . save",
            "pickle",
            "joblib",
            "dill",
            "marshal",
            "shelve",
            "allow_pickle = True",
        )
        found += [
            f"{path.name}: {what}" for what in forbidden if re.search(rf"(?<![\w.]){re.escape(what)}(?!\w)", text)
        ]
    assert found == []


def test_the_public_names_are_there_and_lazy() -> None:
    code = "import trainer\nassert set(trainer.__all__) <= set(dir(trainer))\ntrainer.EMOTIONS, trainer.TrainConfig, trainer.load_corpus"
    assert loaded(code, *HEAVY, "numpy") == set()
    assert callable(trainer.train) and callable(trainer.evaluate) and trainer.Predictor
    with pytest.raises(AttributeError, match="no attribute"):
        trainer.nothing_of_that_name  # noqa: B018
