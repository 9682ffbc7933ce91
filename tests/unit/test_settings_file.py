"""`settings.toml` as its user's file, and `goemo-tui settings` on it: nothing of theirs is lost, what is wrong is told by line."""

from __future__ import annotations

import json
import os
import sys
import tomllib
from pathlib import Path

import pytest

from goemo_tui.keymap import read_keys
from goemo_tui.settings import KEYS, Settings, docs, read_settings
from goemo_tui.settings_file import change, problems, template, with_value, written
from tests.unit.command_line import cli, one_document
from trainer import paths
from trainer.errors import ConfigError


@pytest.fixture
def file(goemo_home: Path) -> Path:
    goemo_home.mkdir(parents=True, exist_ok=True)
    return paths.settings_file()


def test_the_first_file_explains_everything_and_sets_nothing() -> None:
    text = template()
    assert tomllib.loads(text) == {}
    for key in KEYS:
        assert docs()[key].split()[0] in text and (f"\n# {key} = " in text or key == "keys")
    for key in (key for key in KEYS if key != "keys"):
        assert tomllib.loads(text.replace(f"\n# {key} = ", f"\n{key} = ")) == {key: getattr(Settings(), key)}
    keys = text[text.index("# [keys]") :].replace("# ", "")
    assert read_keys(tomllib.loads(keys)["keys"])[1] == (), "the examples can be used"


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("", 'theme = "x"\n'),
        ("# mine\nsmoothing = 0.5", '# mine\nsmoothing = 0.5\ntheme = "x"\n'),
        ('theme = "old"  # why # not\r\ndata = "d"\r\n', 'theme = "x"  # why # not\r\ndata = "d"\r\n'),
        ("theme = 'a # b' # c\n", 'theme = "x"  # c\n'),
        ('# theme = ""\n\ndata = "d"\n', '# theme = ""\ntheme = "x"\n\ndata = "d"\n'),
        ('[keys]\n"data.filter" = "f"\n', 'theme = "x"\n\n[keys]\n"data.filter" = "f"\n'),
        ('"theme" = "old"\n', 'theme = "x"\n'),
        ('[keys]\ntheme = "f"\n', 'theme = "x"\n\n[keys]\ntheme = "f"\n'),
    ],
)
def test_one_line_is_changed_and_the_rest_stays(before: str, after: str) -> None:
    assert with_value(before, "theme", "x") == after


def test_what_cannot_be_changed_safely_is_left_alone(file: Path) -> None:
    for text in ('theme = """\nold\n"""\n', "theme = [\n"):
        file.write_text(text, encoding="utf-8")
        with pytest.raises(ConfigError, match="settings --edit"):
            change("theme", "x")
        assert file.read_text(encoding="utf-8") == text
    assert [p.name for p in file.parent.iterdir()] == ["settings.toml"]


@pytest.mark.parametrize("value", ['a"b\\c', "tab\there", "line\nbreak", "\x7f\x01", "عربي", ""])
def test_any_text_comes_back_as_it_was(value: str, file: Path) -> None:
    assert tomllib.loads(f"x = {written(value)}")["x"] == value
    change("folder", value)
    assert read_settings()[0].folder == value


def test_a_change_keeps_mode_and_link_and_refuses_what_cannot_be(file: Path, tmp_path: Path) -> None:
    elsewhere = tmp_path / "dotfiles.toml"
    elsewhere.write_text("smoothing = 0.5\n", encoding="utf-8")
    elsewhere.chmod(0o640)
    file.symlink_to(elsewhere)
    change("update_rate", 5.0)
    assert file.is_symlink() and elsewhere.stat().st_mode & 0o777 == 0o640
    assert read_settings()[0].update_rate == 5.0 and read_settings()[0].smoothing == 0.5
    with pytest.raises(ConfigError, match="not within"):
        change("update_rate", 50.0)
    assert "50" not in elsewhere.read_text(encoding="utf-8")


@pytest.mark.skipif(os.geteuid() == 0, reason="nothing is forbidden to root")
def test_a_folder_that_cannot_be_written_is_said(file: Path) -> None:
    file.parent.chmod(0o500)
    try:
        with pytest.raises(ConfigError, match="cannot be written"):
            change("theme", "x")
    finally:
        file.parent.chmod(0o700)


def test_what_is_wrong_is_told_by_line() -> None:
    text = 'theme = "none such"\nnope = 1\n\nsmoothing = 3\n[keys]\n"data.filter" = "nokey"\n"data.fliter" = "f"\n'
    found = problems(text)
    assert [line for line, _ in found] == [1, 2, 4, 6, 7]
    assert [what.split()[0] for _, what in found] == ["theme", "no", "smoothing", "[keys]", "[keys]"]
    ((line, what),) = problems("theme = 'x'\nsmoothing = = 1\n")
    assert line == 2 and "no TOML" in what
    assert problems(template()) == []


def test_the_command_tells_value_origin_and_meaning(
    file: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    file.write_text('theme = "goemo-ember"\n[keys]\n"data.filter" = "f5"\n', encoding="utf-8")
    monkeypatch.setenv("GOEMO_SMOOTHING", "0.5")
    assert cli("settings") == 0
    told = capsys.readouterr().out
    assert 'theme = "goemo-ember"  (settings.toml)' in told
    assert "smoothing = 0.5  (GOEMO_SMOOTHING)" in told
    assert 'data = "sample"  (default)' in told
    assert "keys = data.filter = f5" in told and all(docs()[key] in told for key in KEYS)
    assert cli("settings", "--json") == 0
    document = one_document(capsys.readouterr().out)
    assert document["settings"]["theme"] == {"value": "goemo-ember", "from": "file", "about": docs()["theme"]}
    assert document["settings"]["smoothing"]["from"] == "environment"
    assert document["settings"].keys() == set(KEYS) and document["problems"] == []
    assert cli("settings", "--locate") == 0
    assert capsys.readouterr().out == f"{file}\n"


def test_the_command_says_what_cannot_be_used(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file.write_text("smoothing = 7\n", encoding="utf-8")
    assert cli("settings", "--json") == 1
    out, err = capsys.readouterr()
    assert json.loads(out)["problems"][0]["line"] == 1 and err == ""
    assert cli("settings") == 1
    assert f"{file}:1: smoothing = 7 is not within" in capsys.readouterr().err


def editor(tmp_path: Path, code: str) -> str:
    script = tmp_path / "my editor.py"
    script.write_text(f"import sys\npath = sys.argv[-1]\n{code}\n", encoding="utf-8")
    return f"'{sys.executable}' '{script}' --wait"


def test_the_editor_gets_a_file_that_explains_itself(
    file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    code = "t = open(path).read(); assert sys.argv[1] == '--wait'; open(path, 'w').write(t + 'smoothing = 0.5\\n')"
    monkeypatch.setenv("VISUAL", editor(tmp_path, code))
    monkeypatch.setenv("EDITOR", "/none/such")
    assert cli("settings", "--edit") == 0
    assert file.read_text(encoding="utf-8") == template() + "smoothing = 0.5\n"
    monkeypatch.setenv("VISUAL", editor(tmp_path, "open(path, 'a').write('what = 1\\n')"))
    assert cli("settings", "--edit") == 1
    lines = len(template().splitlines()) + 2
    assert f"{file}:{lines}: no setting is called 'what'" in capsys.readouterr().err
    assert file.read_text(encoding="utf-8").startswith(template()), "what is there is never overwritten"


def test_no_shell_reads_the_editors_name(
    file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv("VISUAL", raising=False)
    monkeypatch.setenv("EDITOR", f"none-such; touch {tmp_path / 'made'}")
    assert cli("settings", "--edit") == 1
    assert not (tmp_path / "made").exists() and "set VISUAL or EDITOR" in capsys.readouterr().err
    monkeypatch.setenv("EDITOR", "'unclosed")
    assert cli("settings", "--edit") == 1
    assert "no command line" in capsys.readouterr().err
    monkeypatch.setenv("EDITOR", editor(tmp_path, "sys.exit(3)"))
    assert cli("settings", "--edit") == 1
    assert "ended with 3" in capsys.readouterr().err
