"""The model card beside the weights (Markdown with the metadata block that model hubs read)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def render_card(record: Mapping[str, Any]) -> str:
    """The card of a release, from its record."""
    tuned, untuned = record["scores"]["tuned"], record["scores"]["untuned"]
    base, energy = record["base_model"], record["energy"]
    return "\n".join(
        [
            "---",
            *([f"license: {base['licence'].lower()}"] if base["licence"] else []),
            "pipeline_tag: question-answering",
            "library_name: transformers",
            f"base_model: {base['name']}",
            "---",
            "",
            f"# {base['name']}, fine-tuned to answer questions on a context",
            "",
            f"Made by run `{record['run']}` of KubePipe {record['versions'].get('kubepipe', '')}. The folder is signed; "
            "`kubepipe verify` checks the",
            "signature and the chain from the source of the data to these weights.",
            "",
            "## Scores",
            "",
            f"On {record['scores']['questions']} held-out questions of the protected data set, by the official SQuAD "
            "definition, with 95 % intervals:",
            "",
            "| | exact match | F1 |",
            "| --- | --- | --- |",
            f"| untuned | {_score(untuned, 'exact_match')} | {_score(untuned, 'f1')} |",
            f"| tuned | {_score(tuned, 'exact_match')} | {_score(tuned, 'f1')} |",
            "",
            "## Data and privacy",
            "",
            "The data was pseudonymised and minimised before training, and a gate measured what was left before it let "
            "it pass;",
            "its signed permit is `permit.json`. Pseudonymised data is still personal data. What the gate measured:",
            "",
            *[f"- {name.replace('_', ' ')}: {_plain(value)}" for name, value in sorted(record["privacy"].items())],
            "",
            "## Energy",
            "",
            f"All steps from the source to the scores took {energy['energy_kwh'] * 1000:.2f} Wh "
            f"({energy['gco2e']:.2f} gCO2e).",
            "",
            "## Use and limits",
            "",
            "For answering questions whose answer stands in a given context. Answers can be wrong; the confidence is "
            "the model's own and",
            "is not calibrated. Not for decisions about people.",
            "",
            "## Digests",
            "",
            *[f"- {name.replace('_digest', '')}: `{record[name]}`" for name in _DIGESTS],
            f"- base model: `{base['digest']}`",
            "",
        ]
    )


_DIGESTS = ("source_digest", "dataset_digest", "permit_digest", "model_digest", "settings_digest")


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
    return str(value)
