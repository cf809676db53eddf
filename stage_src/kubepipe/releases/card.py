"""The model card beside the weights (Markdown with the metadata block that model hubs read)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final


def render_card(record: Mapping[str, Any]) -> str:
    """The card of a release, from its record."""
    tuned, untuned = record["scores"]["tuned"], record["scores"]["untuned"]
    base, energy, privacy = record["base_model"], record["energy"], record["privacy"]
    text = _TEXT.format(
        licence=f"license: {base['licence'].lower()}\n" if base["licence"] else "",
        base=base["name"],
        run=record["run"],
        version=record["versions"].get("kubepipe", ""),
        questions=record["scores"]["questions"],
        rows="\n".join(
            f"| {name} | {_score(side, 'exact_match')} | {_score(side, 'f1')} |"
            for name, side in (("untuned", untuned), ("tuned", tuned))
        ),
        measures="\n".join(f"- {name.replace('_', ' ')}: {_plain(each)}" for name, each in sorted(privacy.items())),
        energy=f"{energy['energy_kwh'] * 1000:.2f} Wh ({energy['gco2e']:.2f} gCO2e)",
        digests="\n".join(f"- {name.replace('_digest', '')}: `{record[name]}`" for name in _DIGESTS),
        base_digest=base["digest"],
    )
    return text.lstrip("\n")


_TEXT: Final = """
---
{licence}pipeline_tag: question-answering
library_name: transformers
base_model: {base}
---

# {base}, fine-tuned to answer questions on a context

Made by run `{run}` of KubePipe {version}. The folder is signed; `kubepipe verify` checks the signature and the chain
from the source of the data to these weights.

## Scores

On {questions} held-out questions of the protected data set, by the official SQuAD definition, with 95 % intervals:

| | exact match | F1 |
| --- | --- | --- |
{rows}

## Data and privacy

The data was pseudonymised and minimised before training, and a gate measured what was left before it let it pass; its
signed permit is `permit.json`. Pseudonymised data is still personal data. What the gate measured:

{measures}

## Energy

All steps from the source to the scores took {energy}.

## Use and limits

For answering questions whose answer stands in a given context. Answers can be wrong; the confidence is the model's own
and is not calibrated. Not for decisions about people.

## Digests

{digests}
- base model: `{base_digest}`
"""
_DIGESTS: Final = ("source_digest", "dataset_digest", "permit_digest", "model_digest", "settings_digest")


def _score(side: Mapping[str, Any], name: str) -> str:
    interval = side[f"{name}_interval"]
    return f"{side[name]:.1f}" + (f" ({interval[0]:.1f} to {interval[1]:.1f})" if interval else "")


def _plain(value: Any) -> str:
    if isinstance(value, float):
        return f"{value:.4g}"
    if isinstance(value, Mapping):
        return ", ".join(f"{name} {_plain(each)}" for name, each in value.items()) or "none"
    if isinstance(value, list):
        return ", ".join(map(_plain, value)) or "none"
    return "none" if value is None else str(value)
