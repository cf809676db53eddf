"""The one result of each step that a person wants to see first."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from kubepipe.records.step import StepRecord


def key_result(record: StepRecord) -> str:
    """A short text about what the step came to, without any value of the data."""
    if record.error is not None:
        return record.error.message
    text = _TEXTS.get(record.step)
    return text(record.results) if text else ""


def _prepare(results: Mapping[str, Any]) -> str:
    splits = results["splits"]
    dropped = sum(count for reason, count in results["counts"].items() if "dropped" in reason)
    text = f"{splits['train']['questions']} training and {splits['validation']['questions']} held-out questions"
    return f"{text}, {dropped} dropped" if dropped else text


def _assess(results: Mapping[str, Any]) -> str:
    direct, other = results["passages"]["with_direct"], results.get("other_language", {}).get("passages", 0)
    text = f"risk {results['risk']}: {direct} of {results['passages']['total']} passages hold direct identifiers"
    return f"{text}; WARNING: {other} passages are in another language than '{results['language']}'" if other else text


def _anonymize(results: Mapping[str, Any]) -> str:
    rounds = len(results["rounds"])
    text = (
        f"{sum(results['entities_replaced'].values())} entities replaced in {rounds} round{'s' if rounds > 1 else ''}"
    )
    dropped = sum(results["questions_dropped"].values())
    return f"{text}, {dropped} questions dropped" if dropped else text


def _minimize(results: Mapping[str, Any]) -> str:
    columns = len(results["columns_dropped"])
    return f"{columns} column{'s' if columns != 1 else ''} dropped, {results['documents_renamed']} documents renamed"


def _fine_tune(results: Mapping[str, Any]) -> str:
    first, last = results["losses"][0]["loss"], results["losses"][-1]["loss"]
    return f"loss {first:.2f} → {last:.2f} in {len(results['losses'])} steps"


def _benchmark(results: Mapping[str, Any]) -> str:
    untuned, tuned = results["untuned"], results["tuned"]
    return (
        f"EM {untuned['exact_match']:.1f} → {tuned['exact_match']:.1f}, F1 {untuned['f1']:.1f} → {tuned['f1']:.1f} "
        f"({results['total']} questions)"
    )


def _inference(results: Mapping[str, Any]) -> str:
    return f"{results['answered']} questions answered, {results['no_answer']} with no answer"


def _publish(results: Mapping[str, Any]) -> str:
    return (
        f"published as {results['release'][7:19]}"
        if results["published"]
        else f"not published: {results['reasons'][0]}"
    )


_TEXTS: Final[Mapping[str, Callable[[Mapping[str, Any]], str]]] = {
    "prepare-data": _prepare,
    "assess-privacy-risk": _assess,
    "anonymize-data": _anonymize,
    "minimize-data": _minimize,
    "verify-privacy": lambda results: f"verdict {results['verdict']}",
    "fine-tune-model": _fine_tune,
    "benchmark-model": _benchmark,
    "evaluate-and-plot-metrics": lambda results: f"{results['gco2e']:.2f} gCO2e so far",
    "model-inference": _inference,
    "publish-model": _publish,
}
