"""A run's folder for trying things out: its questions, a copy of its store, another release of it, its merged model."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

from clients import Ask

from kubepipe.passages import iter_passages
from kubepipe.pipeline.folder import RunFolder
from kubepipe.records.run import load_records
from kubepipe.stages import STAGES
from kubepipe.storage import FolderStore

_PUBLISH = (
    "import json, sys; from kubepipe.stages import run_stage; given = json.loads(sys.argv[1]);"
    "run_stage('publish-model', given['settings'], inputs=given['inputs'], outputs=given['outputs'])"
)


def questions_of(run: Path, questions: int) -> list[Ask]:
    """The held-out questions of a run, some to a request, next to one another those on other contexts."""
    found = []
    for passage in iter_passages(run / "dataset", "validation"):
        texts = [each.text for each in passage.questions]
        found += [(at, (passage.context, tuple(texts[at : at + questions]))) for at in range(0, len(texts), questions)]
    return [ask for _, ask in sorted(found, key=lambda each: each[0])]


def copied(run: Path, scratch: Path) -> Path:
    """A run's folder with a store of its own, so that the run itself stays as it is."""
    source, target = RunFolder(run), RunFolder(scratch / "run")
    for name in ("store", "signing", "keys"):
        shutil.copytree(getattr(source, name), getattr(target, name), copy_function=os.link)
    return target.root


def publish_again(run: Path, copy: Path) -> None:
    """Publish the same model under other settings: another release."""
    source, target = RunFolder(run), RunFolder(copy)
    identity = source.read_identity()
    assert identity is not None
    records = load_records(FolderStore(target.store), identity["run"], STAGES)
    environment = {
        "KUBEPIPE_RUN": identity["run"],
        "KUBEPIPE_STORE": str(target.store),
        "KUBEPIPE_PERMIT_KEY": str(target.keys / "permit-public.pem"),
        "KUBEPIPE_SIGNING_KEY": str(target.signing / "model-signing.pem"),
    }
    settings = json.loads((source.state / "settings.json").read_text(encoding="utf-8"))
    settings["publish"]["tolerance"] = 99.0
    uris = {name: artifact.uri for record in records.values() for name, artifact in record.outputs.items()}
    inputs = {name: uris[name] for name in ("protected_dataset", "privacy_permit", "output_model")}
    inputs["benchmark_metrics"] = records["benchmark-model"].outputs["metrics"].uri
    given = {
        "settings": json.dumps(settings),
        "inputs": inputs,
        "outputs": {"release": str(target.state / "release.json")},
    }
    subprocess.run([sys.executable, "-c", _PUBLISH, json.dumps(given)], check=True, env=os.environ | environment)


def merged(run: Path, target: Path) -> Path:
    """The very model that we serve, adapter merged, as a folder of transformers."""
    from kubepipe.scoring import Predictor
    from kubepipe.settings import Settings
    from kubepipe.training.loading import load_tokenizer

    predictor = Predictor(run / "model", Settings().scoring, Settings().training)
    predictor._ready(adapter=True).save_pretrained(target)  # noqa: SLF001 - no other way to the merged weights
    load_tokenizer(run / "model" / "base").save_pretrained(target)
    return target
