"""What the documents say is true: commands parse, code runs, links lead somewhere, what is made from the sources is up to date."""

from __future__ import annotations

import importlib.util
import os
import re
import shlex
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path
from types import ModuleType

import pytest

import trainer
from goemo_tui.cli import parser
from tests.conftest import ROOT

DOCS = ROOT / "docs"
EXAMPLES = DOCS / "examples"
CALL = r"(?:^|[|&(] ?|/bin/)goemo-tui(?= |$)(.*)"
PAGES = sorted([ROOT / "README.md", *DOCS.glob("*.md"), *DOCS.glob("guide/*.md")])


def blocks(page: Path, *languages: str) -> list[str]:
    """The blocks of code whose fence names one of these languages."""
    found: list[str] = []
    inside: str | None = None
    for line in page.read_text("utf-8").splitlines():
        fence = re.match(r"\s*```(\w*)$", line)
        if fence and inside is None:
            inside = fence[1]
            found += [""] if inside in languages else []
        elif fence:
            inside = None
        elif inside in languages:
            found[-1] += f"{line.strip() if 'sh' in languages else line}\n"
    return found


def commands(page: Path) -> list[list[str]]:
    """Each `goemo-tui …` of the blocks that are for a shell, without what is piped behind it."""
    lines = "\n".join(blocks(page, "sh", "")).splitlines()
    told = [re.split(r" [|>] | && |\)\"", m[1])[0] for line in lines for m in re.finditer(CALL, line)]
    return [shlex.split(one, comments=True) for one in told]


def script(name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(f"docs_{name}", DOCS / f"{name}.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_what_is_made_from_the_sources_is_as_they_have_it() -> None:
    done = subprocess.run([sys.executable, "docs/generated.py", "--check"], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, f"{done.stderr}\n(`make man` makes them anew)"


def test_the_library_page_has_every_public_name() -> None:
    text = (DOCS / "api.md").read_text("utf-8")
    assert [name for name in trainer.__all__ if f"### `{name}`" not in text] == []
    for name, signature in (
        ("train", "train(\n    data: str | Path | TrainConfig = 'sample',"),
        ("evaluate", "bootstrap: int"),
    ):
        assert signature in text, name
    assert "| `epochs` | `int` | `3` | how often the model sees each comment (1 to 1000) |" in text


def test_the_code_of_the_library_page_runs(starter: Path, tiny_encoder: Path, tmp_path: Path) -> None:
    """In one process, as a reader would, but that the model that is trained is a tiny one."""
    code = "\n".join(b for b in blocks(DOCS / "api.md", "python") if b.startswith("from "))
    trained = code.replace("epochs=1, limit=64,", f"encoder={str(tiny_encoder)!r}, epochs=1, limit=64,")
    assert trained != code and code.count("from trainer import") == 6
    done = subprocess.run(
        [sys.executable, "-c", trained], cwd=tmp_path, capture_output=True, text=True, timeout=280,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "finished" in done.stdout and (tmp_path / "felt.jsonl").is_file()


@pytest.mark.parametrize(
    ("name", "arguments", "says"),
    [
        ("corpus", ["sample"], "train   1,120 rows, 0 left out"),
        ("predict", ["what a day, I could hug everyone"], "because (joy)"),
        ("evaluate", ["starter"], "on 280 rows: macro-F1"),
        ("score", ["rows.csv", "felt.csv", "said"], "2 rows, 0 not judged"),
        ("train", ["limit=96", "epochs=1", "batch_size=8"], "finished, model in"),
        ("resume", ["limit=96", "epochs=2", "batch_size=8"], "finished: step 24 of 24"),
    ],
)  # fmt: skip
def test_each_example_runs_offline(
    name: str, arguments: list[str], says: str, starter: Path, tiny_encoder: Path, tmp_path: Path
) -> None:
    (tmp_path / "rows.csv").write_text("said\nI love it\nit broke on day one\n")
    tiny = [f"encoder={tiny_encoder}"] if name in ("train", "resume") else []
    done = subprocess.run(
        [sys.executable, str(EXAMPLES / f"{name}.py"), *arguments, *tiny], cwd=tmp_path, capture_output=True, text=True,
        timeout=280, env={**os.environ, "PYTHONPATH": str(ROOT)},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert says in done.stdout, done.stdout


@pytest.mark.parametrize(
    ("name", "words", "said"),
    [
        ("corpus", ("a", "b"), "usage: python docs/examples/corpus.py"),
        ("corpus", ("/no/such",), "/no/such"),
        ("score", (), "usage: python docs/examples/score.py"),
        ("train", ("nonsense",), "usage: python docs/examples/train.py"),
        ("resume", ("nonsense",), "usage: python docs/examples/resume.py"),
        ("evaluate", ("a", "b", "c"), "usage: python docs/examples/evaluate.py"),
    ],
)
def test_an_example_used_wrongly_says_how(name: str, words: tuple[str, ...], said: str) -> None:
    done = subprocess.run(
        [sys.executable, str(EXAMPLES / f"{name}.py"), *words], capture_output=True, text=True, timeout=120,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )  # fmt: skip
    assert done.returncode == 1 and said in done.stderr and "Traceback" not in done.stderr and not done.stdout


def test_no_example_is_left_out() -> None:
    tested = {
        mark.args[1][i][0] for mark in test_each_example_runs_offline.pytestmark for i in range(len(mark.args[1]))
    }  # type: ignore[attr-defined]
    assert {path.stem for path in EXAMPLES.glob("*.py")} == tested


def test_every_command_in_the_documents_parses() -> None:
    seen = 0
    for page in PAGES:
        for words in commands(page):
            seen += 1
            try:
                parser().parse_args(words)
            except SystemExit:
                pytest.fail(f"{page.name}: goemo-tui {shlex.join(words)}")
    assert seen > 40
    for words in (["train", "--set"], ["predcit", "x"]):  # the test would see a wrong one
        with pytest.raises(SystemExit):
            parser().parse_args(words)


def test_what_the_guide_says_of_the_sample_is_so(tmp_path: Path) -> None:
    def goemo(*words: str) -> str:
        command = [sys.executable, "-m", "goemo_tui", *words]
        done = subprocess.run(command, capture_output=True, text=True, timeout=120, cwd=tmp_path, check=True)
        return done.stdout + done.stderr

    told = goemo("data", "stats", "sample", "--split", "train")
    for guide in ("en", "ar"):
        text = (DOCS / "guide" / f"{guide}.md").read_text("utf-8")
        assert re.search(r"tokens: mean 20\.0.*longest 58", told) and "20" in text and "58" in text
    assert goemo("data", "show", "sample", "--filter", "label:joy -label:love tokens:>20").count("\n") > 1


def test_both_guides_go_the_same_way() -> None:
    english, arabic = (DOCS / "guide" / f"{name}.md" for name in ("en", "ar"))
    assert commands(english) == commands(arabic) and len(commands(english)) > 25
    assert blocks(english, "python") == blocks(arabic, "python")
    a, b = english.read_text("utf-8"), arabic.read_text("utf-8")
    assert re.findall(r"\]\((\.\./[^)]+)\)", a) == re.findall(r"\]\((\.\./[^)]+)\)", b)
    assert (
        re.findall(r"^## (\d+)\.", a, re.MULTILINE)
        == re.findall(r"^## (\d+)\.", b, re.MULTILINE)
        == [str(n) for n in range(1, 11)]
    )
    assert b.startswith('<div dir="rtl" lang="ar"')
    from goemo_tui.arabic import PLACES, WORDS

    for place, _ in PLACES.values():
        assert f"الشاشة: {place}" in b, "the guide calls places as the app does"
    assert all(f"**{WORDS[tab]}**" in b for tab in ("Live", "Evaluation", "Config"))


def test_the_keys_that_the_guide_names_are_those_of_the_app() -> None:
    from goemo_tui.actions import ACTIONS

    keys = {key: {a.where for a in ACTIONS if a.shown_key == key} for key in (a.shown_key for a in ACTIONS)}
    text = (DOCS / "guide" / "en.md").read_text("utf-8")
    places = re.findall(r"\*\*On the screen: (\w+)\*\*(.*?)(?=\n\n)", text, re.DOTALL)
    assert len(places) == 10
    for place, told in places:
        for key in re.findall(r"`([a-zA-Z/\[\]]|Space)`", told):
            assert {place.lower(), "everywhere", "inspect"} & keys.get(key, set()), (place, key)


def test_the_site_is_whole_and_asks_nobody(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "docs/site.py", str(tmp_path)], cwd=ROOT, capture_output=True, text=True, timeout=280
    )
    assert done.returncode == 0, done.stdout + done.stderr
    site = tmp_path / "site"
    arabic, english = ((site / "docs" / "guide" / f"{name}.html").read_text("utf-8") for name in ("ar", "en"))
    assert '<html lang="ar"' in arabic and '<body dir="rtl"' in arabic and '<body dir="ltr"' in english
    assert "عتبته المضبوطة" in arabic and "<h2" in arabic
    troubles = script("site").troubles
    assert list(troubles(site)) == []
    page = site / "docs" / "tour.html"
    page.write_text(
        page.read_text("utf-8") + '<a href="gone.html">x</a><script src="https://example.org/a.js"></script>', "utf-8"
    )
    said = "\n".join(troubles(site))
    assert "gone.html, which is not there" in said and "loads https://example.org/a.js" in said


def test_the_man_page_is_good_roff() -> None:
    page = DOCS / "goemo-tui.1"
    text = page.read_text("utf-8")
    assert all(f".SS {name}" in text for name in ("train", "predict", "completion")) and r"\fB\-\-when\-free\fR" in text
    for linter in (["mandoc", "-T", "lint", "-W", "style"], ["man", "--warnings", "-l"]):
        if shutil.which(linter[0]) is None:
            continue
        done = subprocess.run(
            [*linter, str(page)], capture_output=True, text=True, env={**os.environ, "MANPAGER": "cat", "PAGER": "cat"}
        )
        assert done.returncode == 0 and not done.stderr, done.stderr
        assert linter[0] == "man" or not done.stdout, done.stdout


@pytest.mark.parametrize("name", ["Dockerfile.cpu", "Dockerfile.cuda"])
def test_what_a_dockerfile_copies_and_runs_is_there(name: str) -> None:
    text = (DOCS / "docker" / name).read_text("utf-8")
    copied = [word for line in re.findall(r"^COPY (.+) \S+$", text, re.MULTILINE) for word in line.split()]
    made = {"dist/*.whl"}  # by make dist
    assert made < set(copied) and all((ROOT / word).exists() for word in copied if word not in made)
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    (program,) = re.findall(r'^ENTRYPOINT \["([^"]+)"\]', text, re.MULTILINE)
    assert program in project["scripts"] and "offline" in project["optional-dependencies"]
    assert "Not built" in text and "USER goemo" in text and "GOEMO_HOME=/data" in text
