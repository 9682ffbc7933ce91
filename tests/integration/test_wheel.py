"""What `pip install` brings: both packages, the sample corpus as package data, styles, and nothing at the top level but them."""

from __future__ import annotations

import subprocess
import sys
import zipfile
from pathlib import Path

from tests.conftest import ROOT


def test_the_wheel_holds_the_data_as_package_data(tmp_path: Path) -> None:
    # built from copies of the sources alone, as an sdist would be, so that nothing is left in the checkout
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(tmp_path)]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True, timeout=120)
    (wheel,) = tmp_path.glob("*.whl")
    names = set(zipfile.ZipFile(wheel).namelist())
    assert {name.partition("/")[0] for name in names if ".dist-info" not in name} == {"goemo_tui", "trainer"}
    data = {f"trainer/data/sample/{split}.tsv" for split in ("train", "dev", "test")} | {"trainer/data/emotions.txt"}
    data |= {"trainer/data/wordnet/synonyms.tsv", "trainer/data/wordnet/LICENSE"}
    assert data <= names
    assert {f"goemo_tui/{p.relative_to(ROOT / 'goemo_tui')}" for p in (ROOT / "goemo_tui").rglob("*.tcss")} <= names
    unpacked = tmp_path / "unpacked"
    zipfile.ZipFile(wheel).extractall(unpacked)
    code = "from trainer import load_corpus; import trainer; print(trainer.__file__, len(load_corpus('sample').splits['train'].text))"
    done = subprocess.run(
        [sys.executable, "-P", "-c", f"import sys; sys.path.insert(0, {str(unpacked)!r}); {code}"],
        capture_output=True, text=True, check=True, cwd=tmp_path,
    )  # fmt: skip
    assert done.stdout.split() == [str(unpacked / "trainer" / "__init__.py"), "1120"]
