"""What `pip install` brings: both packages, the sample corpus as package data, styles, the man page and the shells' completion
below the prefix, and nothing at the top level but the packages. The wheel is built from the source distribution.
"""

from __future__ import annotations

import os
import site
import subprocess
import sys
import sysconfig
import tarfile
import venv
import zipfile
from pathlib import Path

import pytest

from tests.conftest import ROOT

SHARED = {
    "share/man/man1/goemo-tui.1": "docs/goemo-tui.1",
    "share/bash-completion/completions/goemo-tui": "docs/completion/goemo-tui.bash",
    "share/zsh/site-functions/_goemo-tui": "docs/completion/_goemo-tui",
    "share/fish/vendor_completions.d/goemo-tui.fish": "docs/completion/goemo-tui.fish",
}


def built(target: str, source: Path, into: Path) -> Path:
    command = [sys.executable, "-m", "hatchling", "build", "-t", target, "-d", str(into)]
    subprocess.run(command, cwd=source, check=True, capture_output=True, timeout=120)
    (made,) = into.glob("*.whl" if target == "wheel" else "*.tar.gz")
    return made


@pytest.fixture(scope="module")
def sdist(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return built("sdist", ROOT, tmp_path_factory.mktemp("sdist"))


@pytest.fixture(scope="module")
def wheel(sdist: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Built from the unpacked source distribution: what is missing there is missing here."""
    folder = tmp_path_factory.mktemp("wheel")
    with tarfile.open(sdist) as packed:
        packed.extractall(folder, filter="data")
    (source,) = folder.iterdir()
    return built("wheel", source, folder / "dist")


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A venv into which pip has put the wheel alone; what it depends on is looked up where the tests have it.

    tests/extras/test_clean_install.py has pip install all of it.
    """
    folder = tmp_path_factory.mktemp("venv")
    venv.create(folder, with_pip=True, symlinks=True)
    python = folder / "bin" / "python"
    command = ["-m", "pip", "install", "--no-deps", "--no-index", "--disable-pip-version-check", str(wheel)]
    subprocess.run([python, *command], check=True, capture_output=True, timeout=240)
    purelib = sysconfig.get_path("purelib", vars={"base": str(folder), "platbase": str(folder)})
    # a path file is read for site-packages only: the editable install of the checkout is not followed from there
    Path(purelib, "others.pth").write_text("\n".join(site.getsitepackages()) + "\n")
    return folder


def run(installed: Path, home: Path, *words: str) -> subprocess.CompletedProcess[str]:
    kept = {k: v for k, v in os.environ.items() if k not in ("PYTHONPATH", "GOEMO_STARTER")}
    return subprocess.run(
        [installed / "bin" / words[0], *words[1:]], capture_output=True, text=True, timeout=280, cwd=home.parent,
        env={**kept, "GOEMO_HOME": str(home)},
    )  # fmt: skip


def test_the_wheel_holds_the_data_as_package_data(wheel: Path) -> None:
    names = set(zipfile.ZipFile(wheel).namelist())
    inside = {name for name in names if ".dist-info/" not in name and ".data/" not in name}
    assert {name.partition("/")[0] for name in inside} == {"goemo_tui", "trainer"}
    data = {f"trainer/data/sample/{split}.tsv" for split in ("train", "dev", "test")} | {"trainer/data/emotions.txt"}
    data |= {"trainer/data/wordnet/synonyms.tsv", "trainer/data/wordnet/LICENSE", "trainer/py.typed"}
    data |= {f"trainer/data/starter/{p.name}" for p in (ROOT / "data" / "starter").iterdir()}
    assert data <= names
    assert {f"goemo_tui/{p.relative_to(ROOT / 'goemo_tui')}" for p in (ROOT / "goemo_tui").rglob("*.tcss")} <= names
    packed = {f"{p.parent.name}/{p.name}" for p in (ROOT / "trainer").rglob("*.py")}
    assert packed <= {"/".join(name.split("/")[-2:]) for name in names}


def test_what_is_installed_is_all_there(installed: Path, tmp_path: Path) -> None:
    for place, source in SHARED.items():
        assert (installed / place).read_bytes() == (ROOT / source).read_bytes(), place
    code = "import trainer, goemo_tui; print(trainer.__file__, goemo_tui.__file__, len(trainer.load_corpus('sample').splits['train']))"
    done = run(installed, tmp_path / "home", "python", "-P", "-c", code)
    core, app, rows = done.stdout.split()
    assert core.startswith(str(installed)) and app.startswith(str(installed)) and rows == "1120", done.stderr


def test_the_installed_program_looks_predicts_and_trains_nothing(installed: Path, tmp_path: Path) -> None:
    home = tmp_path / "home"
    looked = run(installed, home, "goemo-tui", "doctor")
    assert looked.returncode == 0, looked.stdout + looked.stderr
    assert f"ok  starter   {installed}" in looked.stdout and "!!" not in looked.stdout
    said = run(installed, home, "goemo-tui", "predict", "what a day, I could hug everyone")
    assert said.returncode == 0 and "•" in said.stdout and "joy" in said.stdout, said.stderr
    assert (
        run(installed, home, "goemo-tui", "completion", "bash").stdout
        == (ROOT / SHARED["share/bash-completion/completions/goemo-tui"]).read_text()
    )
    assert run(installed, home, "python", "-m", "goemo_tui", "--version").stdout.startswith("goemo-tui ")
    assert not home.exists() or not (home / "runs").exists()
