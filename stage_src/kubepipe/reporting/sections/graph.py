"""The run's graph: what each step did, took, and handed on."""

from __future__ import annotations

from itertools import groupby
from typing import Final

from kubepipe.reporting import numbers as say
from kubepipe.reporting.markup import Markup, element
from kubepipe.reporting.model import RunView, Step, Tone, table
from kubepipe.reporting.numbers import number
from kubepipe.reporting.sections.parts import badge, code, note, section

_STATUS: Final[dict[str, tuple[str, Tone]]] = {
    "succeeded": ("done", "good"),
    "reused": ("reused", "calm"),
    "failed": ("failed", "bad"),
    "not_run": ("not run", "calm"),
}

_PHASES: Final = {
    "Sealed data": "encrypted; only these steps hold the key",
    "Protected data": "past the gate, named by its permit",
    "The model": "scored, tried out, and released if good enough",
}


def graph(seen: RunView) -> Markup:
    """All steps in order, in the phases of the data."""
    phases = [(phase, list(steps)) for phase, steps in groupby(seen.steps, key=lambda step: step.phase)]
    return section(
        "steps",
        "What happened, step by step",
        note("Each step names what it hands on by a digest: the same digest is the same content, wherever it lies."),
        element("div", (_phase(phase, steps) for phase, steps in phases), class_="graph"),
    )


def _phase(phase: str, steps: list[Step]) -> Markup:
    return element(
        "div",
        element("h3", phase, element("span", f" {_PHASES.get(phase, '')}", class_="small")),
        element("ol", (_step(step) for step in steps)),
        class_="phase",
    )


def _step(step: Step) -> Markup:
    label, tone = _STATUS.get(step.status, (step.status, "calm"))
    origin = step.record.get("reused_from")
    return element(
        "li",
        element(
            "div",
            element("div", element("strong", step.name, class_="name"), badge(label, tone), class_="head"),
            element("p", step.purpose, class_="small"),
            element("p", f"taken from run {origin}", class_="small") if origin else None,
            _failure(step),
        ),
        _facts(step),
        class_=f"step {step.status}",
    )


def _facts(step: Step) -> Markup | None:
    if not step.record:
        return None
    outputs = (
        element("span", name, " ", code(table(artifact).get("digest")))
        for name, artifact in table(step.record.get("outputs")).items()
    )
    return element(
        "div",
        element("span", say.duration(step.figure("seconds")), class_="num"),
        element("span", say.energy(number(step.energy.get("energy_kwh"))), class_="num"),
        element("span", outputs, class_="outputs"),
        class_="facts",
    )


def _failure(step: Step) -> Markup | None:
    error = table(step.record.get("error"))
    return element("p", str(error.get("message") or error.get("type")), class_="failure") if error else None
