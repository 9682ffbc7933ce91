"""New comments from old ones: what is never touched, who comes first, and that the same seed makes the same."""

from __future__ import annotations

import os
import random
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from trainer.config import TrainConfig, augmentations, translation_pair
from trainer.corpus import augmented as kept
from trainer.corpus import load_corpus
from trainer.corpus.augment import (
    CHEAP,
    VERSIONS,
    augment,
    delete_words,
    kept_marks,
    replace_synonyms,
    synonym_table,
    versions_of,
    words,
)
from trainer.corpus.augmented import augmented
from trainer.corpus.interrupt import Cancelled
from trainer.corpus.wordnet import Database, read_database, table
from trainer.errors import ConfigError

WORDNET = Path(os.environ.get("GOEMO_TEST_WORDNET", "/usr/share/wordnet"))
SAMPLE = load_corpus("sample").splits["train"]


def all_versions(text: str, method: str, seeds: int = 200) -> set[str]:
    return {CHEAP[method](text, random.Random(seed)) for seed in range(seeds)}


def test_synonyms_keep_capitals_endings_and_articles() -> None:
    assert all_versions("What an amazing story!", "synonyms") == {
        "What an astonishing story!", "What an amazing narrative!", "What an amazing tale!",
    }  # fmt: skip
    assert all_versions("WONDERFUL!", "synonyms") == {"MARVELOUS!"}
    assert all_versions("It happened.", "synonyms") == {"It occurred."}
    assert all_versions("Have a huge one", "synonyms") == {"Have an immense one", "Have a vast one"}
    assert all_versions("zzz qqq", "synonyms") == {"zzz qqq"}


def test_deletion_keeps_punctuation_and_never_empties() -> None:
    made = all_versions("I love this, really!", "deletion")
    assert made == {"Love this, really!", "I this, really!", "I love, really!", "I love this,!"}
    assert delete_words("Thanks a lot", random.Random(0)) == "Thanks a lot"


@pytest.mark.parametrize("method", list(CHEAP))
def test_what_marks_an_emotion_or_turns_a_sentence_round_is_never_touched(method: str) -> None:
    text = "[NAME] doesn't really help 😂 and [RELIGION] never is funny, not in 2024, r/aww /s https://x.org/big #huge"
    made = all_versions(text, method) - {text}
    assert len(made) > 3
    for new in made:
        assert kept_marks(new) == kept_marks(text)
        for mark in (
            "[NAME]",
            "doesn't",
            "😂",
            "[RELIGION]",
            "never",
            "not",
            "2024",
            "r/aww",
            "/s",
            "x.org/big",
            "#huge",
        ):
            assert mark in new


def test_words_are_whole_words() -> None:
    assert [w.text for w in words("so-so *big* b1g don’t [big huge] it’s")] == ["so", "so", "it’s"]


@settings(max_examples=60, deadline=None)
@given(st.text(max_size=80), st.sampled_from(list(CHEAP)), st.integers(0, 5))
def test_any_text_survives(text: str, method: str, seed: int) -> None:
    new = CHEAP[method](text, random.Random(seed))
    assert new == text or (new.strip() and kept_marks(new) == kept_marks(text))


def test_rare_emotions_come_first_and_everything_repeats() -> None:
    made = augment(SAMPLE.text, SAMPLE.labels, ("synonyms", "deletion"), 560, 3)
    assert made == augment(SAMPLE.text, SAMPLE.labels, ("synonyms", "deletion"), 560, 3)
    assert made != augment(SAMPLE.text, SAMPLE.labels, ("synonyms", "deletion"), 560, 4)
    assert len(made) == 560 == len({m.text for m in made} - set(SAMPLE.text))
    assert max(Counter(m.origin for m in made).values()) <= VERSIONS
    assert {m.method for m in made} == {"synonyms", "deletion"}
    before = Counter(i for row in SAMPLE.labels for i in row)
    new = Counter(i for m in made for i in SAMPLE.labels[m.origin])
    common, rare = before.most_common(1)[0][0], min(before, key=lambda i: before[i])
    assert new[common] / before[common] < 0.5 * new[rare] / before[rare]


def test_the_rarest_has_all_its_versions_before_the_common_one_has_any() -> None:
    texts = [f"this is quite a long comment number {word}" for word in ("one", "two", "three", "four", "five", "six")]
    made = augment(texts, [(0,), (0,), (0,), (0,), (0,), (1,)], ("deletion",), 4, 0)
    assert [m.origin for m in made] == [5, 5, 5, 5]


def test_more_than_can_be_made_ends() -> None:
    assert augment(["hi", "ok then"], [(0,), (1,)], ("synonyms", "deletion"), 100, 0) == []
    assert len(augment(["one two three four five six"], [(0,)], ("deletion",), 100, 0)) == VERSIONS
    with pytest.raises(Cancelled):
        augment(SAMPLE.text, SAMPLE.labels, ("deletion",), 10, 0, cancelled=lambda: True)


def test_a_translation_that_lost_something_gives_way_to_another_method() -> None:
    texts = ["I don't like what [NAME] did there", "you really are quite a lovely person", "so what is this all about"]
    asked: list[str] = []

    def translate(given: object) -> list[str]:
        asked.extend(given)  # type: ignore[call-overload]
        return [{texts[0]: "I like what NAME did", texts[1]: "You are a truly dear human"}.get(t, t) for t in asked]

    made = augment(texts, [(0,), (1,), (2,)], ("deletion", "back_translation"), 12, 1, translate)
    assert sorted(asked) == sorted(texts)  # once each: it would say the same again
    assert [m.text for m in made if m.method == "back_translation"] == ["You are a truly dear human"]
    assert len(made) == 11 or len(made) == 12
    alone = augment(texts, [(0,), (1,), (2,)], ("back_translation",), 12, 1, lambda given: ["You dear"] * len(given))
    assert [m.text for m in alone] == ["You dear"]  # no text twice, and nothing that lost its not


def test_what_the_screen_shows_of_a_row() -> None:
    shown = versions_of("I really love this amazing story", tuple(CHEAP), 0, 2)
    assert [method for method, _ in shown] == ["synonyms", "synonyms", "deletion", "deletion"]
    assert shown == versions_of("I really love this amazing story", tuple(CHEAP), 0, 2)
    assert versions_of("😂", tuple(CHEAP), 0) == []


def test_settings_say_what_is_wrong() -> None:
    assert augmentations("none") == () and augmentations("deletion + synonyms") == ("synonyms", "deletion")
    assert TrainConfig().augment == "none"
    for wrong in ("", "synonym", "none+deletion", "deletion+"):
        with pytest.raises(ConfigError) as told:
            TrainConfig(augment=wrong)
        assert told.value.key == "augment"
    assert translation_pair("a/b + ../c") == ("a/b", "../c")
    for wrong in ("a/b", "+b", "a+b+c"):
        with pytest.raises(ConfigError, match="translation"):
            TrainConfig(translation=wrong)
    with pytest.raises(ConfigError, match="augment_share"):
        TrainConfig(augment_share=5)


def cached(home: Path) -> Path:
    (file,) = (home / "cache" / "augmented").iterdir()
    return file


def test_what_was_made_is_kept_reused_and_made_again_where_it_is_damaged(
    goemo_home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = TrainConfig(augment="synonyms+deletion", augment_share=0.1)
    made = augmented(SAMPLE.text, SAMPLE.labels, config)
    assert len(made) == round(0.1 * len(SAMPLE))
    file = cached(goemo_home)
    assert file.stat().st_mode & 0o777 == 0o600 and file.parent.stat().st_mode & 0o777 == 0o700
    whole = file.read_bytes()
    calls = []
    real = kept.augment
    monkeypatch.setattr(kept, "augment", lambda *a, **k: calls.append(1) or real(*a, **k))  # type: ignore[func-returns-value]
    assert augmented(SAMPLE.text, SAMPLE.labels, config) == made and not calls
    for damage in (whole[:-20], whole.replace(b"the", b"teh", 1), b"\xff\n", b"{}\n", b""):
        file.write_bytes(damage)
        assert augmented(SAMPLE.text, SAMPLE.labels, config) == made
        assert calls.pop() and file.read_bytes() == whole
    other = TrainConfig(augment="synonyms+deletion", augment_share=0.1, seed=1)
    assert augmented(SAMPLE.text, SAMPLE.labels, other) != made and calls
    assert augmented(SAMPLE.text, SAMPLE.labels, TrainConfig()) == []
    assert augmented(SAMPLE.text, SAMPLE.labels, TrainConfig(augment="deletion", augment_share=0)) == []


def test_a_run_stands_on_its_own_and_a_disk_that_refuses_hinders_nothing(goemo_home: Path, tmp_path: Path) -> None:
    config = TrainConfig(augment="deletion", augment_share=0.05)
    run = tmp_path / "run"
    run.mkdir()
    made = augmented(SAMPLE.text, SAMPLE.labels, config, run_folder=run)
    assert (run / kept.NAME).read_bytes() == cached(goemo_home).read_bytes()
    cached(goemo_home).unlink()
    (goemo_home / "cache" / "augmented").rmdir()
    (goemo_home / "cache" / "augmented").write_text("in the way")
    assert augmented(SAMPLE.text, SAMPLE.labels, config, run_folder=run) == made


def test_the_table_holds_words_in_its_own_lists_and_the_licence_stands_beside_it() -> None:
    from trainer.paths import shipped

    found = synonym_table()
    assert len(found) > 1000 and found["stories"] == ("narratives", "tales")
    assert all(word not in others and others for word, others in found.items())
    assert not {"not", "never", "no", "but", "good", "like"} & set(found)
    assert "Princeton University" in (shipped() / "wordnet" / "LICENSE").read_text()


@pytest.mark.skipif(
    not WORDNET.is_dir(), reason="Debian's wordnet-base is not here (GOEMO_TEST_WORDNET names a folder)"
)
def test_the_table_that_ships_is_the_one_that_is_made(minilm: Path) -> None:
    common = frozenset((minilm / "vocab.txt").read_text("utf-8").split("\n"))
    assert {word: tuple(others) for word, others in table(read_database(WORDNET), common).items()} == synonym_table()


def test_the_table_takes_one_meaning_and_regular_forms() -> None:
    base = Database()
    base.members = {("v", "1"): ["begin", "start"], ("v", "2"): ["start", "jump"], ("n", "3"): ["tale", "story"]}
    base.senses = {
        ("begin", "v"): ["1"], ("start", "v"): ["1", "2"], ("jump", "v"): ["2"], ("tale", "n"): ["3"], ("story", "n"): ["3"],
    }  # fmt: skip
    base.counts.update({("begin", "v"): {1: 9}, ("start", "v"): {1: 8, 2: 3}, ("jump", "v"): {1: 2}})
    base.counts.update({("tale", "n"): {1: 3}, ("story", "n"): {1: 3}})
    base.irregular.update({f: {("begin", "v")} for f in ("began", "begun", "beginning")})
    forms = ("begins", "starts", "beginning", "starting", "started", "began", "tales", "stories")
    common = frozenset(("begin", "start", "jump", "tale", "story", *forms))
    assert table(base, common) == {
        "begin": ["start"], "start": ["begin"], "begins": ["starts"], "starts": ["begins"], "beginning": ["starting"],
        "starting": ["beginning"], "tale": ["story"], "story": ["tale"], "tales": ["stories"], "stories": ["tales"],
    }  # fmt: skip
    assert "started" not in table(base, common)  # begin has no regular past


def test_replacing_is_pure() -> None:
    text = SAMPLE.text[0]
    assert replace_synonyms(text, random.Random(1)) == replace_synonyms(text, random.Random(1))
