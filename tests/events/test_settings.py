from __future__ import annotations

import time
from typing import Any

import pytest

from kubepipe.errors import SettingsError
from kubepipe.settings import load_settings
from kubepipe.settings.privacy import PrivacySettings
from kubepipe_events.settings import MAX_BYTES, parse_beside, settings_of_run

RELEASE: dict[str, Any] = {
    "privacy": {
        "enabled": False,
        "classes": ["DIRECT"],
        "max_direct_density": 1.0,
        "max_residual_direct": 0.1,
        "max_redetected": 2.0,
        "max_dropped": 0.2,
        "locale": "de_DE",
        "spacy_model": "a",
    }
}
STRICT: dict[str, Any] = {
    "privacy": {"unknown_columns": "refuse", "require_approval": True, "method": "mask", "classes": ["DIRECT", "QUASI"]}
}

# Name, the release's settings, a value that is surely tighter (None: no such value), values that are not.
POLICY: list[tuple[str, dict[str, Any], Any, list[Any]]] = [
    ("enabled", RELEASE, True, []),
    ("enabled", {}, None, [False]),
    ("language", RELEASE, None, ["de"]),
    ("spacy_model", RELEASE, None, ["b", None]),
    ("locale", RELEASE, None, ["en_US", None]),
    ("classes", RELEASE, ["QUASI", "DIRECT"], [[], ["QUASI"]]),
    ("classes", STRICT, ["DIRECT", "QUASI", "ART9"], [["DIRECT"], ["DIRECT", "ART9", "OTHER"]]),
    ("method", RELEASE, None, ["mask"]),
    ("method", STRICT, None, ["pseudonymise"]),
    ("unknown_columns", RELEASE, "refuse", []),
    ("unknown_columns", STRICT, None, ["drop"]),
    ("max_direct_density", RELEASE, 0.5, [1.5]),
    ("max_rounds", RELEASE, None, [1, 9]),
    ("max_residual_direct", RELEASE, 0.05, [0.2]),
    ("max_redetected", RELEASE, 0.0, [2.5, float("inf")]),
    ("max_dropped", RELEASE, 0.1, [0.3, 1.0]),
    ("max_missed_probes", RELEASE, 0.01, [0.5]),
    ("max_singled_out", RELEASE, 0.1, [0.5]),
    ("max_linked", RELEASE, 0.1, [0.5]),
    ("max_disagreement", RELEASE, 0.0, [0.5]),
    ("second_detector", RELEASE, None, ["a", None]),
    ("quasi_identifiers", RELEASE, None, [["age"]]),
    ("sensitive_columns", RELEASE, None, [["diagnosis"]]),
    ("min_k", RELEASE, 11, [1]),
    ("actions", RELEASE, None, [{"PERSON": "mask"}]),
    ("detectors", RELEASE, None, [[], ["presidio"]]),
    ("mapping", RELEASE, None, ["sealed"]),
    ("require_approval", RELEASE, True, []),
    ("require_approval", STRICT, None, [False]),
]


def test_every_privacy_setting_has_its_line_here() -> None:
    """A new setting is refused until somebody thought about what is tighter."""
    assert {name for name, *_ in POLICY} == set(PrivacySettings.model_fields)


@pytest.mark.parametrize(("name", "release", "tighter", "_looser"), [line for line in POLICY if line[2] is not None])
def test_the_file_beside_the_data_may_tighten(name: str, release: dict[str, Any], tighter: Any, _looser: Any) -> None:
    """What surely protects at least as well is taken."""
    taken = getattr(settings_of_run(release, {"privacy": {name: tighter}}, {}).privacy, name)
    assert taken == (tuple(tighter) if isinstance(tighter, list) else tighter)


@pytest.mark.parametrize(
    ("name", "release", "looser"), [(name, release, each) for name, release, _, looser in POLICY for each in looser]
)
def test_the_file_beside_the_data_may_not_loosen(name: str, release: dict[str, Any], looser: Any) -> None:
    """Anything else is refused by its name."""
    with pytest.raises(SettingsError, match=rf"privacy.{name} could loosen"):
        settings_of_run(release, {"privacy": {name: looser}}, {})


def test_what_the_release_says_already_is_no_change() -> None:
    """The same value again is taken, also of a setting that may not be changed."""
    assert settings_of_run(RELEASE, {"privacy": {"language": "en", "locale": "de_DE"}}, {}).privacy.locale == "de_DE"


def test_a_number_that_is_none_loosens_nothing() -> None:
    """NaN compares with nothing, and is no setting."""
    with pytest.raises(SettingsError, match="max_dropped"):
        settings_of_run(RELEASE, parse_beside(b"privacy: {max_dropped: .nan}"), {})


def test_the_order_is_release_file_datasetrun() -> None:
    """Each wins over the one before; a DatasetRun is made by someone with rights in the cluster and may loosen."""
    release = {"training": {"epochs": 1.0, "rank": 4}}
    beside = {"training": {"epochs": 2.0}, "scoring": {"batch_size": 2}}
    own = {"training": {"epochs": 3.0}, "privacy": {"max_dropped": 0.9}}
    settings = settings_of_run(release, beside, own)
    assert (settings.training.epochs, settings.training.rank, settings.scoring.batch_size) == (3.0, 4, 2)
    assert settings.privacy.max_dropped == 0.9
    assert settings_of_run(release, {}, {}) == load_settings(base=release)


def test_the_limit_on_bytes_only_falls() -> None:
    """Whoever drops data cannot raise what the installation can take."""
    assert settings_of_run({}, {"dataset": {"max_bytes": 10}}, {}).dataset.max_bytes == 10
    with pytest.raises(SettingsError, match=r"dataset.max_bytes would raise"):
        settings_of_run({}, {"dataset": {"max_bytes": 10**12}}, {})


BOMB = (
    "privacy:\n  classes: &a [x,x,x,x,x,x,x,x,x]\n"
    + "".join(f"  k{n}: &{chr(98 + n)} [{','.join(['*' + chr(97 + n)] * 9)}]\n" for n in range(9))
).encode()


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"online: true", "may not set online"),
        (b"energy: {pue: 1.0}", "may not set energy"),
        (b"serving: {port: 80}", "may not set serving"),
        (b"training: {model: /etc}", r"may not set training\.model"),
        (b"privacy: {spacy_model: x}", r"may not set privacy\.spacy_model"),
        (b"1: 2", "may not set 1"),
        (b"- a", "holds no settings"),
        (b"just words", "holds no settings"),
        (b"a: [", "no valid YAML"),
        (b"\xff\xfe", "no valid YAML"),
        (b"seed: !!python/object/apply:os.system [true]", "no valid YAML"),
        (b"seed: 2020-99-99", "no valid YAML"),
        (b"seed: " + b"9" * 5000, "no valid YAML"),
        (b"seed: " + b"[" * 3_000, "no valid YAML"),
        (BOMB, "no valid YAML"),
    ],
    ids=lambda value: repr(value)[:30],
)
def test_a_wrong_file_is_refused_in_one_line(data: bytes, words: str) -> None:
    """Names that it may not set, and all that is no YAML or would take the controller's memory, as SettingsError."""
    began = time.process_time()
    with pytest.raises(SettingsError, match=words) as caught:
        parse_beside(data)
    assert time.process_time() - began < 3
    assert "\n" not in caught.value.one_line()
    assert len(data) <= MAX_BYTES


@pytest.mark.parametrize(
    "data", [b"training: {epoch: 2}", b"seed: {x: 1}", b"privacy: true", b"seed: 2020-01-01", b"privacy: {new_one: 1}"]
)
def test_unknown_names_and_wrong_values_are_refused(data: bytes) -> None:
    """As everywhere where settings are read."""
    with pytest.raises(SettingsError):
        settings_of_run({}, parse_beside(data), {})


def test_an_empty_file_changes_nothing() -> None:
    """Nothing, a comment, or nothing but null."""
    assert [parse_beside(each) for each in (b"", b"# later", b"null", b"{}")] == [{}] * 4
