"""What the Hub's client raises, in words without a token; and settings as others are told them."""

from __future__ import annotations

import pytest

from trainer.errors import GoemoError
from trainer.hub_client import HubError, is_name, scrubbed, spoken
from trainer.shared import shared, without_password


def test_no_token_and_no_password_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_TOKEN", "an-unusual-token")
    said = scrubbed("Bearer an-unusual-token, hf_AnotherTokenOfSomebody1, http://me:secret@host/x")
    assert said == "Bearer [token], [token], http://host/x"
    assert without_password("mysql://me:s@cret@host/x, //plain/a@b") == "mysql://host/x, //plain/a@b"


def test_whatever_is_raised_comes_as_one_sentence_without_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_TOKEN", "an-unusual-token")
    with pytest.raises(HubError) as found, spoken("nothing was sent", "a/b"):
        raise RuntimeError("header: Bearer an-unusual-token\nand more")
    assert "an-unusual-token" not in str(found.value) and "a/b" in str(found.value)
    assert found.value.__cause__ is None and found.value.__suppress_context__
    with pytest.raises(GoemoError, match="as it is"), spoken("nothing was sent", "a/b"):
        raise GoemoError("as it is")


def test_names() -> None:
    assert is_name("a/b") and is_name("google-research-datasets/go_emotions")
    assert not any(map(is_name, ("a", "a/b/c", "../b", "a b/c", "/a/b", "")))


@pytest.mark.parametrize(
    ("value", "told"),
    [
        ("/home/ann/data/mine.tsv", "mine.tsv"),
        ("~/x/mine", "mine"),
        ("calm-otter,/models/big", "calm-otter,big"),
        ("/m/en-de+/m/de-en", "en-de+de-en"),
        ("google-research-datasets/go_emotions:simplified@ab", "google-research-datasets/go_emotions:simplified@ab"),
        (0.5, 0.5),
        (True, True),
    ],
)
def test_of_a_path_the_last_part_is_told(value: object, told: object) -> None:
    assert shared(value) == told
