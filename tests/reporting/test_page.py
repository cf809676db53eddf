from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from collections.abc import Callable
from itertools import pairwise
from typing import Any

import pytest

from kubepipe.records import validate
from kubepipe.reporting import Example, render_html

Records = dict[str, dict[str, Any]]
MakeRun = Callable[..., dict[str, Any]]

_NASTY = '<script>alert("1")</script> & \x00\x0b \ud800 </style> {name} ]]>'


def _tree(page: str) -> ET.Element:
    # Our own output; an XML parser is the strictest reader of it at hand.
    return ET.fromstring(page.removeprefix("<!DOCTYPE html>"))  # noqa: S314


def _words(page: str) -> str:
    body = _tree(page).find("body")
    assert body is not None
    return " ".join(" ".join(body.itertext()).split())


@pytest.fixture
def page(records: Records, run: dict[str, Any], examples: list[Example]) -> str:
    """The page of a published run."""
    return render_html(records, run, examples=examples)


def test_page_is_well_formed_and_says_its_language(page: str) -> None:
    """A page is well-formed, in one language that it names, with one main heading and no level left out."""
    tree = _tree(page)
    assert tree.get("lang") == "en"
    levels = [int(each.tag[1]) for each in tree.iter() if re.fullmatch(r"h[1-6]", each.tag)]
    assert levels.count(1) == 1
    assert levels[0] == 1
    assert all(after - before <= 1 for before, after in pairwise(levels))


def test_page_needs_nothing_from_elsewhere(page: str) -> None:
    """A page holds no script and loads nothing: it reads the same on a machine without a network, and stays small."""
    assert len(page.encode()) < 1_000_000
    assert "@import" not in page
    assert "url(" not in page
    for each in _tree(page).iter():
        assert each.tag not in {"script", "link", "img", "iframe", "object", "embed"}
        assert not any(name.startswith("on") for name in each.attrib)
        assert each.get("src") is None
        assert (each.get("href") or "#").startswith("#")


def test_links_lead_somewhere(page: str) -> None:
    """Each link of a page leads to a part of it, and each reference to an existing name."""
    names = [each.get("id") for each in _tree(page).iter() if each.get("id")]
    assert len(names) == len(set(names))
    for each in _tree(page).iter():
        for reference in ((each.get("href") or "").removeprefix("#"), each.get("aria-labelledby") or ""):
            assert not reference or reference in names


def test_each_picture_has_words(page: str) -> None:
    """Each figure has a caption and a text alternative that holds its values; the shapes alone are hidden."""
    figures = list(_tree(page).iter("figure"))
    assert len(figures) == 5
    for each in figures:
        assert each.find("figcaption/strong") is not None
        told = [part.get("aria-label") for part in each.iter() if part.get("role") == "img"]
        assert len(told) == 1
        assert re.search(r"\d", str(told[0]))
        assert all(part.get("aria-hidden") == "true" for part in each.iter("svg"))


def test_tables_have_headers(page: str) -> None:
    """Each table has a caption and header cells for its columns and rows."""
    for table in _tree(page).iter("table"):
        assert table.find("caption") is not None
        assert all(cell.get("scope") == "col" for cell in table.findall("thead/tr/th"))
        assert all(row.find("th[@scope='row']") is not None for row in table.findall("tbody/tr"))


def test_first_glance(page: str) -> None:
    """The top of a page tells verdict, scores, privacy, electricity and time."""
    header = next(_tree(page).iter("header"))
    told = " ".join("".join(header.itertext()).replace("\N{NO-BREAK SPACE}", " ").split())
    for part in (
        "Published",
        "34.6",
        "60.9",
        "57.1 to 64.7",
        "Passed",
        "0 of 418 passages",
        "1.68 Wh",
        "CO₂e",
        "12 min",
    ):
        assert part in told


def test_sources_of_values(page: str) -> None:
    """The three parts of sustainability stand on the page, and each of their values says how it came about."""
    tables = {str(each.findtext("caption")): each for each in _tree(page).iter("table")}
    for part in ("Technical", "Operational", "Environmental"):
        table = next(table for caption, table in tables.items() if caption.startswith(part))
        sources = ["".join(row.findall("td")[-1].itertext()) for row in table.findall("tbody/tr")]
        assert sources
        assert set(sources) <= {"measured", "modelled", "assumed"}


@pytest.mark.parametrize(
    ("step", "schema"),
    [
        ("assess-privacy-risk", "risk-report"),
        ("fine-tune-model", "training-history"),
        ("benchmark-model", "benchmark-metrics"),
        ("verify-privacy", "verdict"),
        ("", "step-record"),
    ],
)
def test_sample_has_the_shape_of_real_records(records: Records, step: str, schema: str) -> None:
    """The records that these tests read fit the schemas of the steps that write them."""
    results = dict(records[step]["results"]) if step else records["prepare-data"]
    results.pop("answer_seconds", None)
    if schema == "verdict":
        results["dataset_digest"] = "sha256:" + "0" * 64
    validate(results, schema, place="sample")


def test_questions_without_an_answer(page: str) -> None:
    """Where a data set holds questions without an answer, both kinds are scored apart."""
    assert "F1 by kind of question" in page
    assert "without an answer" in page


def test_attacks_and_columns_stand_on_the_page(page: str, records: Records, run: dict[str, Any]) -> None:
    """Who is singled out, the linkage attack with its control, the second detector, k, l and t, before and after."""
    told = _words(page)
    for part in ("21 of 401 up to 5.4 %; control 14", "Seen by a second detector (names)", "9 of 418 up to 2.1"):
        assert part in told
    for part in (
        "One value singles out",
        "age, town",
        "Fewest that share their values (k)",
        "columns dropped",
        "0.913",
    ):
        assert part in told
    records["verify-privacy"]["results"]["measures"]["attacks"]["disagreement"]["detector"] = None
    assert "Seen by a second detector (the policy names none) not looked" in _words(render_html(records, run))


def test_examples_only_where_given(records: Records, run: dict[str, Any], examples: list[Example]) -> None:
    """Texts of the data stand on a page only when they are handed in."""
    without, with_them = render_html(records, run), render_html(records, run, examples=examples)
    assert "Sister Helen Marsh" not in without
    assert 'id="examples"' not in without
    assert with_them.count("as expected") == 3


def test_words_we_do_not_use(page: str) -> None:
    """A page promises no more than was measured."""
    told = _words(page).casefold()
    for word in ("anonymous", "compliant", "certified", "zero carbon", "exactly-once"):
        assert word not in told
    assert "pseudonymised" in told
    assert "residual risk" in told


@pytest.mark.parametrize("place", ["run", "message", "column", "question", "model", "reason", "setting", "version"])
def test_everything_is_escaped(records: Records, run: dict[str, Any], place: str) -> None:
    """Whatever a record or a question holds, it is text on the page and never markup."""
    nasty = Example(_NASTY, _NASTY, _NASTY, _NASTY)
    changes: dict[str, Callable[[], object]] = {
        "run": lambda: run.update(run=_NASTY),
        "message": lambda: records["publish-model"].update(
            status="failed", error={"type": "X", "message": _NASTY, "exit_code": 1}
        ),
        "column": lambda: records["minimize-data"]["results"]["columns_dropped"].update({_NASTY: 1}),
        "question": lambda: None,
        "model": lambda: records["fine-tune-model"]["results"].update(model=_NASTY),
        "reason": lambda: records["verify-privacy"]["results"].update(reasons=[{"code": "x", "text": _NASTY}]),
        "setting": lambda: run["settings"].update({_NASTY: {_NASTY: _NASTY}}),
        "version": lambda: records["prepare-data"]["versions"].update({"x": _NASTY}),
    }
    changes[place]()
    page = render_html(records, run, examples=[nasty] if place == "question" else [])
    tree = _tree(page)
    assert not list(tree.iter("script"))
    assert '<script>alert("1")</script> &' in " ".join("".join(tree.itertext()).split())


def test_quarantined_run(quarantined_records: Records, run_of: MakeRun) -> None:
    """A run that the gate ended says so first, with the reason, and tells which parts are missing."""
    run = run_of(quarantined_records, "quarantined")
    told = _words(render_html(quarantined_records, run))
    assert "The privacy gate kept the data: direct identifiers of the original stand in 3 of 418 passages" in told
    assert "No model has seen it." in told
    assert "Scores: the run did not get there." in told
    assert told.count("not run") == 5


@pytest.mark.parametrize(
    "missing", ["prepare-data", "verify-privacy", "fine-tune-model", "benchmark-model", "publish-model"]
)
def test_missing_record(records: Records, run_of: MakeRun, missing: str) -> None:
    """A page is made from whatever records there are."""
    del records[missing]
    told = _words(render_html(records, run_of(records, "unfinished")))
    assert "Unfinished" in told
    assert "still under way" in told


@pytest.mark.parametrize(
    ("verdict", "label"),
    [
        ("published", "Published The model was released."),
        ("not_published", "Not published The model stays unreleased"),
        ("quarantined", "Quarantined The privacy gate kept the data"),
        ("needs_human", "Waits for a person The privacy gate asks"),
        ("failed", "Failed The run ended at a step."),
        ("unfinished", "Unfinished The run is still under way"),
        ("a_new_one", "A new one"),
    ],
)
def test_every_verdict_without_any_record(verdict: str, label: str) -> None:
    """Even a run without records has a page that tells its verdict and what is missing."""
    told = _words(render_html({}, {"run": "r", "verdict": verdict}))
    assert label in told
    assert told.count("the run did not get there.") == 4


def test_failed_run(records: Records, run_of: MakeRun) -> None:
    """A failed run names the step and the error before anything else."""
    for step in ("benchmark-model", "evaluate-and-plot-metrics", "model-inference", "publish-model"):
        del records[step]
    error = {"type": "TrainingError", "message": "loss is not finite at step 12", "exit_code": 1}
    records["fine-tune-model"].update(status="failed", results={}, outputs={}, error=error)
    told = _words(render_html(records, run_of(records, "failed")))
    assert told.index("loss is not finite at step 12") < told.index("How well it answers")


@pytest.mark.parametrize("bad", [float("nan"), None, "text", True, -1.0, [], {}])
def test_odd_values(records: Records, run: dict[str, Any], bad: object) -> None:
    """A value that is no number is left out; the page stands."""
    records["benchmark-model"]["results"]["tuned"] = {"exact_match": bad, "f1": bad, "f1_interval": bad}
    records["benchmark-model"]["results"]["breakdowns"] = {"question_word": bad}
    records["fine-tune-model"]["results"]["losses"] = [{"step": 1, "loss": bad, "learning_rate": bad}]
    records["verify-privacy"]["results"]["measures"] = {"leaking_share": bad, "leaking_share_interval": bad}
    assert not re.search(r"\b(nan|None|null)\b", _words(render_html(records, run)))


@pytest.mark.parametrize("steps", [1, 2, 5000])
def test_size_does_not_grow_with_training(records: Records, run: dict[str, Any], steps: int) -> None:
    """A long training is drawn with as many points as can be seen."""
    losses = [{"step": step, "loss": 1.0 / step, "learning_rate": 1e-4} for step in range(1, steps + 1)]
    records["fine-tune-model"]["results"]["losses"] = losses
    page = render_html(records, run)
    _tree(page)
    assert len(page) < 150_000
