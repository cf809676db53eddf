"""minimize-data: keep context, questions and answers, and nothing else."""

from __future__ import annotations

import tempfile
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from kubepipe.passages import SPLITS, iter_passages, read_manifest, write_dataset
from kubepipe.privacy import minimise
from kubepipe.sealing import opened, seal_folder
from kubepipe.stages.context import StageContext


def run(context: StageContext) -> Mapping[str, Any]:
    """Drop columns that training does not need, and replace names of documents and telling ids.

    Raises:
        InputError: The policy refuses unknown columns, and there are some.
    """
    policy, key = context.settings.privacy, context.pseudonym_key()
    counts: Counter[str] = Counter()
    sealed = context.inputs["anonymized_dataset"]
    with opened(sealed, context.data_key()) as before, tempfile.TemporaryDirectory() as scratch:
        after = Path(scratch) / "dataset"
        splits = {split: minimise(iter_passages(before, split), policy, key, counts) for split in SPLITS}
        manifest = write_dataset(after, splits, origin={"digest": read_manifest(before).digest}, counts={})
        seal_folder(after, context.outputs["minimized_dataset"], context.data_key())
    columns = {name.removeprefix("column:"): n for name, n in counts.items() if name.startswith("column:")}
    return {
        "dataset_digest": manifest.digest,
        "columns_dropped": columns,
        "ids_replaced": counts["ids_replaced"],
        "documents_renamed": counts["documents_renamed"],
    }
