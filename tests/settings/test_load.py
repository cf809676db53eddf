from __future__ import annotations

from pathlib import Path

import pytest

from kubepipe.errors import SettingsError
from kubepipe.settings import PROFILES, Settings, load_settings, parse_settings, settings_digest, settings_json


@pytest.mark.parametrize("profile", PROFILES)
def test_every_profile_is_valid_and_survives_the_way_between_steps(profile: str) -> None:
    """Settings that travel as canonical JSON come back equal."""
    chosen = load_settings(profile=profile)
    assert parse_settings(settings_json(chosen)) == chosen


def test_quick_means_at_most_200_and_100_questions() -> None:
    """The quick profile caps both sides."""
    dataset = load_settings(profile="quick").dataset
    assert (dataset.max_train_questions, dataset.max_validation_questions) == (200, 100)


@pytest.mark.parametrize(
    ("override", "words"),
    [
        ("trainin.epochs=1", ["trainin", "Did you mean 'training'"]),
        ("training.epoch=1", ["training.epoch", "Did you mean 'training.epochs'"]),
        ("training.zzzzzz=1", ["training.zzzzzz", "Valid names", "training.epochs"]),
        ("training.epochs=many", ["training.epochs", '"many"', "number"]),
        ("training.epochs=-1", ["training.epochs", "-1", "greater than 0"]),
        ("training=1", ["training"]),
        ("online=1", ["online", "boolean"]),
        ("privacy.language=German", ["privacy.language", "German"]),
        ("epochs", ["'epochs'", "path=value"]),
        ("=1", ["path=value"]),
    ],
)
def test_a_wrong_override_names_the_setting_and_the_remedy(override: str, words: list[str]) -> None:
    """An unknown name or a wrong value is refused in one line that helps."""
    with pytest.raises(SettingsError) as caught:
        load_settings(overrides=[override])
    assert all(word in str(caught.value) for word in words), str(caught.value)
    assert "\n" not in str(caught.value)
    assert caught.value.exit_code == 2


@pytest.mark.parametrize(
    ("text", "expected"),
    [("5e-4", 5e-4), ("0.001", 0.001), ("1", 1.0)],
)
def test_numbers_are_read_as_people_type_them(text: str, expected: float) -> None:
    """An exponent without a point is a number too."""
    assert load_settings(overrides=[f"training.learning_rate={text}"]).training.learning_rate == expected


def test_the_later_source_wins(tmp_path: Path) -> None:
    """--set wins over the file, the file over the profile."""
    file = tmp_path / "settings.yaml"
    file.write_text("training: {epochs: 7, rank: 8}\n", encoding="utf-8")
    training = load_settings(profile="quick", file=file, overrides=["training.rank=4"]).training
    assert (training.epochs, training.rank) == (7.0, 4)


@pytest.mark.parametrize("content", [b"- 1\n", b"a: [\n", b"\xff\xfe", b"training: {nope: 1}"])
def test_a_file_that_holds_no_settings_is_refused(tmp_path: Path, content: bytes) -> None:
    """A broken settings file ends in one line."""
    file = tmp_path / "settings.yaml"
    file.write_bytes(content)
    with pytest.raises(SettingsError):
        load_settings(file=file)


def test_an_empty_file_means_the_defaults(tmp_path: Path) -> None:
    """Nothing set is nothing wrong."""
    file = tmp_path / "settings.yaml"
    file.write_text("# nothing\n", encoding="utf-8")
    assert load_settings(file=file) == Settings()


def test_magnitudes_without_adapters_are_refused() -> None:
    """DoRA is a kind of adapter: with all weights trained it would do nothing, silently."""
    with pytest.raises(SettingsError, match=r"DoRA is a kind of adapter; set training\.method to lora"):
        load_settings(overrides=["training.dora=true", "training.method=full"])


def test_the_digest_covers_the_named_sections_and_the_seed_only() -> None:
    """A step depends on its sections; other settings do not make it run again."""
    plain, other = Settings(), load_settings(overrides=["energy.country=FRA"])
    assert settings_digest(plain, ["privacy"]) == settings_digest(other, ["privacy"])
    assert settings_digest(plain, ["energy"]) != settings_digest(other, ["energy"])
    assert settings_digest(plain, ["privacy"]) != settings_digest(load_settings(overrides=["seed=1"]), ["privacy"])


def test_every_setting_is_described() -> None:
    """No setting goes without a sentence."""
    from kubepipe.settings.describe import describe

    rows = describe(Settings())
    assert len(rows) > 40
    assert all(row.text.endswith(".") for row in rows)
