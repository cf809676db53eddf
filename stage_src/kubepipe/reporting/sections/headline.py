"""The first glance: what the run came to, in one sentence and four tiles."""

from __future__ import annotations

from typing import Final

from kubepipe.reporting import numbers as say
from kubepipe.reporting.markup import Child, Markup, element
from kubepipe.reporting.model import RunView, Tone, table
from kubepipe.reporting.numbers import number
from kubepipe.reporting.sections.parts import badge

VERDICTS: Final[dict[str, tuple[str, Tone]]] = {
    "published": ("Published", "good"),
    "not_published": ("Not published", "warn"),
    "quarantined": ("Quarantined", "bad"),
    "needs_human": ("Waits for a person", "warn"),
    "failed": ("Failed", "bad"),
    "unfinished": ("Unfinished", "calm"),
}


def headline(seen: RunView) -> Markup:
    """Verdict, sentence and tiles."""
    label, tone = VERDICTS.get(seen.verdict, (seen.verdict.replace("_", " ").capitalize(), "calm"))
    started = str(seen.run.get("started_at") or "")[:16].replace("T", " ")
    return element(
        "header",
        element(
            "p",
            "KubePipe run ",
            element("span", seen.name, class_="run"),
            f", {started} UTC" if started else "",
            class_="kicker",
        ),
        element("h1", badge(label, tone), " ", sentence(seen)),
        element("div", _quality(seen), _privacy(seen), _energy(seen), _effort(seen), class_="tiles"),
    )


def sentence(seen: RunView) -> str:
    """What the run came to in one sentence."""
    before, after = (
        number(table(seen.results("benchmark-model").get(side)).get("f1")) for side in ("untuned", "tuned")
    )
    scores = f"F1 {_verb(before, after)} {say.score(before)} to {say.score(after)} percent" if after is not None else ""
    error = table(seen.run.get("error"))
    sentences = {
        "published": f"{scores}, and the model was released.",
        "not_published": f"{scores}. The model stays unreleased: {_first_reason(seen)}.",
        "quarantined": f"The privacy gate kept the data: {_first_reason(seen)}. No model has seen it.",
        "needs_human": "The privacy gate asks for a person. The data stays sealed until then.",
        "failed": f"The run ended at {error.get('step') or 'a step'}. {error.get('message') or ''}",
        "unfinished": f"The run is still under way; this page shows the steps so far. {scores}",
    }
    words = sentences.get(seen.verdict, scores).strip()
    words = words.removeprefix(", and ").removeprefix(". ")
    return words[:1].upper() + words[1:]


def _verb(before: float | None, after: float) -> str:
    if before is None or before == after:
        return "went from"
    return "rose from" if after > before else "fell from"


def _first_reason(seen: RunView) -> str:
    release = seen.results("publish-model").get("reasons") or []
    gate = [table(reason).get("text") for reason in seen.results("verify-privacy").get("reasons") or []]
    reasons = release if seen.verdict == "not_published" else gate
    first = str(reasons[0]).rstrip(".") if reasons and reasons[0] else "the reasons stand below"
    return first[:1].lower() + first[1:]


def _quality(seen: RunView) -> Markup:
    scores = seen.results("benchmark-model")
    before, after = table(scores.get("untuned")), table(scores.get("tuned"))
    if not after:
        return _tile("Quality", "not measured", "no benchmark in this run")
    f1 = _pair(say.score(number(before.get("f1"))), say.score(number(after.get("f1"))))
    bounds = say.interval(after.get("f1_interval"))
    exact = (
        f"exact match {say.score(number(before.get('exact_match')))} to {say.score(number(after.get('exact_match')))}"
    )
    return _tile("Quality, F1 in %", f1, f"95 % interval {bounds}" if bounds else None, exact)


def _privacy(seen: RunView) -> Markup:
    results = seen.results("verify-privacy")
    verdict = results.get("verdict")
    if not verdict:
        return _tile("Privacy gate", "not reached", "the data is sealed")
    shown: tuple[str, Tone] = {
        "pass": ("Passed", "good"),
        "quarantine": ("Kept", "bad"),
        "needs_human": ("Asks a person", "warn"),
    }.get(str(verdict), (str(verdict), "calm"))  # type: ignore[assignment]
    measures = table(results.get("measures"))
    left, passages = (say.count(number(measures.get(name))) for name in ("leaking_passages", "passages_after"))
    said = f"{left} of {passages} passages keep a direct identifier" if measures else None
    return _tile(
        "Privacy gate",
        element("span", shown[0], class_=f"tone-{shown[1]}"),
        said,
        "pseudonymised; a residual risk remains",
    )


def _energy(seen: RunView) -> Markup:
    kwh, gco2e = number(seen.run.get("energy_kwh")), number(seen.run.get("gco2e"))
    carbon = f"{say.grams(gco2e)} CO\N{SUBSCRIPT TWO}e" if gco2e is not None else None
    costs = [number(step.energy.get("cost")) for step in seen.ran() if step.energy]
    currency = next((step.energy.get("currency") for step in seen.ran() if step.energy), "")
    price = say.money(sum(cost or 0.0 for cost in costs), str(currency)) if costs else None
    return _tile("Electricity", say.energy(kwh), carbon, price)


def _effort(seen: RunView) -> Markup:
    seconds, cpu = number(seen.run.get("seconds")), number(seen.run.get("cpu_seconds"))
    peak = max((step.figure("peak_rss_bytes") or 0.0 for step in seen.ran()), default=0.0)
    return _tile(
        "Time", say.duration(seconds), f"CPU {say.duration(cpu)}", f"memory up to {say.memory(peak)}" if peak else None
    )


def _pair(before: str, after: str) -> Markup:
    return element(
        "span",
        element("span", before, class_="before"),
        element("span", " to ", class_="to"),
        element("span", after, class_="after"),
    )


def _tile(name: str, value: Child, *lines: str | None) -> Markup:
    return element(
        "div",
        element("p", name, class_="name"),
        element("p", value, class_="big"),
        (element("p", line, class_="small") for line in lines if line),
        class_="tile",
    )
