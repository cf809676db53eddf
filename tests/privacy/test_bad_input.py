"""Odd data sets: each is protected, or refused with a reason; none gets through by breaking something."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from kubepipe.errors import IntegrityError
from kubepipe.passages.model import Answer, Passage, Question
from kubepipe.privacy import Detector, Pseudonymiser
from kubepipe.privacy.entities import fold
from kubepipe.privacy.pseudonymise.names import NameSurrogates, name_lists
from kubepipe.sealing import create_keys
from kubepipe.settings.privacy import PrivacySettings
from kubepipe.stages import run_stage

KEY = bytes(range(32))


def test_a_record_that_is_only_an_address_is_replaced_with_its_answer(rules: Detector) -> None:
    """Nothing of it stays, and the answer is the surrogate."""
    address = "edda.lowe@example.org"
    made = Passage("p", address, address, (Question("q", "Who?", (Answer(address, 0),)),))
    after = next(Pseudonymiser(PrivacySettings(), KEY, rules).protect([made])).passage
    assert after is not None
    assert after.questions[0].answers[0].text == after.context
    assert not [part for part in ("edda", "lowe") if part in f"{after.context} {after.document}"]


def test_names_do_not_run_out_when_the_data_set_has_them_all() -> None:
    """With every listed name taken, surrogates are made of syllables, and none is a name of the data set."""
    lists = name_lists("en", None)
    taken = {fold(name) for names in lists for name in names}
    names = NameSurrogates(KEY, "en", None, taken)
    drawn = {fold(names.draw(f"Zq{chr(97 + number % 26)}{chr(97 + number // 26)}", "family")) for number in range(200)}
    assert not drawn & taken
    assert len(drawn) > 150


def test_people_of_one_passage_never_share_a_name(
    knows: Callable[..., Detector], passage: Callable[..., Passage]
) -> None:
    """Two hundred people get two hundred names."""
    people = [f"Zq{chr(97 + n % 26)}{chr(97 + n // 26)} Xw{chr(97 + n % 26)}{chr(97 + n // 26)}" for n in range(200)]
    made = passage(" met ".join(people), ("Who?", people[0]))
    detector = knows(dict.fromkeys(people, "PERSON"))
    after = next(Pseudonymiser(PrivacySettings(), KEY, detector).protect([made])).passage
    assert after is not None
    assert len(set(after.context.split(" met "))) == 200


@pytest.mark.parametrize("missing", ["folder", "wrapping.key"])
def test_without_its_key_a_step_writes_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, missing: str) -> None:
    """Neither without the folder nor without the file in it."""
    row = '{{"context": "Ada {0}", "question": "Who?", "answers": ["Ada"]}}\n'
    (tmp_path / "rows.jsonl").write_text("".join(row.format(number) for number in range(4)), encoding="utf-8")
    monkeypatch.setenv("KUBEPIPE_STORE", str(tmp_path / "store"))
    monkeypatch.delenv("KUBEPIPE_KEYS", raising=False)
    if missing != "folder":
        create_keys(tmp_path / "keys")
        (tmp_path / "keys" / missing).unlink()
        monkeypatch.setenv("KUBEPIPE_KEYS", str(tmp_path / "keys"))
    with pytest.raises(IntegrityError, match=r"missing"):
        run_stage(
            "prepare-data",
            "{}",
            inputs={},
            outputs={"output_dataset": str(tmp_path / "output_dataset")},
            parameters={"source": str(tmp_path / "rows.jsonl")},
        )
    assert not (tmp_path / "output_dataset").exists()
