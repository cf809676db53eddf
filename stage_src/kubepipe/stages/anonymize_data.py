"""anonymize-data: pseudonymise, measure, escalate; at most as many rounds as the policy allows.

The graph cannot loop, so the loop is here. What the last round could not mend is left to verify-privacy, which measures
by itself and refuses. A mapping, where the policy asks for one, lies where no step behind the gate can read.
"""

from __future__ import annotations

import tempfile
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from kubepipe.errors import SettingsError
from kubepipe.passages import SPLITS, Passage, iter_passages, read_manifest, write_dataset
from kubepipe.privacy import (
    Detector,
    Pseudonymiser,
    Survey,
    Verdict,
    attack,
    build_detector,
    decide,
    measure,
    minimise,
    survey,
)
from kubepipe.records.step import write_record
from kubepipe.sealing import Link, load_mapping_key, mapping_name, opened, seal_folder, seal_mapping
from kubepipe.sealing.keys import MAPPING
from kubepipe.settings.privacy import PrivacySettings
from kubepipe.stages.context import StageContext
from kubepipe.storage import Store


def run(context: StageContext) -> Mapping[str, Any]:
    """Replace personal data until the measured residual risk is below the policy's limit, or the rounds are used up."""
    policy, key = context.settings.privacy, context.pseudonym_key()
    # Asked for before any work: a run that cannot keep its mapping must not find out at its end.
    vault = _vault(context) if policy.mapping == "sealed" else None
    with (
        opened(context.inputs["output_dataset"], context.data_key()) as before,
        tempfile.TemporaryDirectory() as scratch,
    ):
        rounds: list[dict[str, Any]] = []
        detector = build_detector(policy, processes=context.settings.processes)
        pseudonymiser = Pseudonymiser(policy, key, detector)
        # The corpus is read once: its names and values are the same in every round.
        corpus = pseudonymiser.survey(_all(before)) if policy.enabled else None
        for number in range(1, policy.max_rounds + 1):
            after = Path(scratch) / f"round-{number}"
            replaced, dropped, links = _round(pseudonymiser, corpus, before, after, number)
            verdict = _judged(before, after, policy, key, detector, corpus)
            rounds.append(
                {"round": number, "verdict": verdict.verdict, "reasons": [reason.code for reason in verdict.reasons]}
            )
            context.progress(number / policy.max_rounds, f"round {number}: {verdict.verdict}")
            if verdict.verdict != "quarantine" or not policy.enabled:
                break
        seal_folder(after, context.outputs["anonymized_dataset"], context.data_key())
        if vault is not None:
            mapping = seal_mapping(context.run, links, vault[1])
            write_record(vault[0], mapping_name(context.run), mapping, "mapping")
        digest = read_manifest(after).digest
    return {
        "dataset_digest": digest,
        "rounds": rounds,
        "entities_replaced": dict(sorted(replaced.items())),
        "questions_dropped": dict(sorted(dropped.items())),
        "mapping": {"kept": vault is not None, "entries": len(mapping["entries"]) if vault is not None else 0},
    }


def _vault(context: StageContext) -> tuple[Store, bytes]:
    """Where the mapping goes, and its key.

    Raises:
        IntegrityError: The key is missing.
        SettingsError: There is no place that the steps behind the gate cannot read.
    """
    key = load_mapping_key(context.key_folder() / MAPPING)
    if context.approvals is None:
        raise SettingsError(
            "there is no place for the mapping that steps behind the gate cannot read",
            place="KUBEPIPE_QUARANTINE",
            remedy="Set it to the quarantine bucket, or set privacy.mapping to none",
        )
    return context.approvals, key


def _judged(
    before: Path, after: Path, policy: PrivacySettings, key: bytes, detector: Detector, corpus: Survey | None
) -> Verdict:
    """The verdict on a round, by the gate's rules but for the probes, which tell of the engine, and the columns.

    No round changes these.
    """
    # Measured as the gate will: without what minimisation takes away, or a round would look better here.
    dropping = policy.model_copy(update={"unknown_columns": "drop"})

    def seen() -> Iterator[Passage]:
        return minimise(_all(after), dropping, key)

    found = corpus if corpus is not None else survey(_all(before), detector, policy.language)
    measures = measure(_all(before), seen(), policy, key, detector, found)
    return decide(measures, policy, None, attack(lambda: _all(before), seen, policy, key, found))


def _round(
    pseudonymiser: Pseudonymiser, corpus: Survey | None, before: Path, after: Path, number: int
) -> tuple[Counter[str], Counter[str], Counter[Link]]:
    links: Counter[Link] = Counter()
    replaced: Counter[str] = Counter()
    dropped: Counter[str] = Counter()

    def protected(split: Any) -> Iterator[Passage]:
        for result in pseudonymiser.protect(iter_passages(before, split), round=number, corpus_values=corpus):
            replaced.update(result.counts)
            dropped.update(result.dropped)
            for link, count in result.links.items():
                links[Link(*link)] += count
            if result.passage is not None:
                yield result.passage

    origin = {"digest": read_manifest(before).digest}
    write_dataset(after, {split: protected(split) for split in SPLITS}, origin=origin, counts={})
    return replaced, dropped, links


def _all(folder: Path) -> Iterator[Passage]:
    for split in SPLITS:
        yield from iter_passages(folder, split)
