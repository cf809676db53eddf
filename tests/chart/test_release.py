"""What a release of the chart is made with: the difference to the one before, digests, and what an index shows."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
import yaml

KINDS = {"added", "changed", "deprecated", "removed", "fixed", "security"}


@pytest.fixture(scope="module")
def scripts(root: Path) -> Iterator[Any]:
    """Imports a script by its name."""
    sys.path.insert(0, str(root / "scripts"))
    yield import_module
    sys.path.remove(str(root / "scripts"))


def test_the_same_chart_has_no_difference(scripts: Any, chart_folder: Path) -> None:
    """Generated secrets are new at each rendering, and are no difference."""
    chart_diff = scripts("chart_diff")
    old, new = chart_diff.rendered(chart_folder, None), chart_diff.rendered(chart_folder, None)
    assert list(chart_diff.diff(old, new)) == []
    assert chart_diff.counts(old, new) == "0 added, 0 removed, 0 changed"


def test_a_difference_is_shown_by_kind_and_name(scripts: Any, chart_folder: Path, tmp_path: Path) -> None:
    """A value that changes, an object that comes and one that goes."""
    chart_diff = scripts("chart_diff")
    values = tmp_path / "values.yaml"
    change = {"minio": {"pdb": {"enabled": False}, "podLabels": {"team": "x"}}}
    change["kubeflowPipelines"] = {"ui": {"enabled": True}}
    values.write_text(yaml.safe_dump(change), encoding="utf-8")
    old, new = chart_diff.rendered(chart_folder, None), chart_diff.rendered(chart_folder, values)
    text = "".join(chart_diff.diff(old, new))
    assert "--- old StatefulSet/kubepipe-minio" in text
    assert "+        team: x" in text
    assert "old PodDisruptionBudget/kubepipe-minio" in text
    assert "--- old Deployment/kubepipe-kfp-envoy" in text
    added, removed, changed = (int(part.split()[0]) for part in chart_diff.counts(old, new).split(", "))
    assert (added > 0, removed, changed > 0) == (True, 1, True)


def test_a_commit_that_does_not_exist_is_one_line(root: Path) -> None:
    """Exit code 2 and Git's own words."""
    script = str(root / "scripts" / "chart_diff.py")
    done = subprocess.run([sys.executable, script, "no-such-tag"], check=False, capture_output=True, text=True)
    assert done.returncode == 2
    assert "no-such-tag" in done.stderr
    assert "Traceback" not in done.stderr


def test_every_image_can_be_pinned(scripts: Any, helm: Any, tmp_path: Path) -> None:
    """With the written values every image of a full rendering carries its digest, and the tag stays beside it."""
    asked: list[str] = []

    def ask(image: str) -> str:
        asked.append(image)
        return f"sha256:{len(asked):064x}"

    document = scripts("pin_digests").pinned(ask, registry="mirror.example")
    file = tmp_path / "digests.yaml"
    file.write_text(yaml.safe_dump(document), encoding="utf-8")
    release = helm("--set=argoEvents.enabled=true,kubeflowPipelines.ui.enabled=true", f"--values={file}")
    images = {container["image"] for _, container in release.containers() if "image" in container}
    images |= {
        each["image"]
        for each in json.loads(release.get("ConfigMap", "kubepipe-overlay")["data"]["overlay.json"])["images"].values()
    }
    assert all(image.startswith("mirror.example/") and "@sha256:" in image for image in images)
    assert {image.partition("@")[0] for image in images} <= set(asked)


def test_an_image_without_a_digest_stops_it(scripts: Any, monkeypatch: pytest.MonkeyPatch, capsys: Any) -> None:
    """Half a list is worse than none."""
    pin_digests = scripts("pin_digests")
    monkeypatch.setitem(pin_digests.TOOLS, "crane", lambda _: [sys.executable, "-c", "raise SystemExit('not found')"])
    assert pin_digests.main(["--tool", "crane"]) == 1
    said = capsys.readouterr()
    assert said.out == ""
    assert "has no digest: not found" in said.err


def test_a_packed_chart_is_whole(helm: Any, chart_folder: Path, tmp_path: Path) -> None:
    """What `helm package` packs renders the same objects: nothing that templates read is left out of the archive."""
    program = os.environ.get("KUBEPIPE_HELM") or Path(sys.executable).with_name("helm")
    subprocess.run([str(program), "package", str(chart_folder), "--destination", str(tmp_path)], check=True)
    (archive,) = tmp_path.glob("kubepipe-*.tgz")
    packed, plain = type(helm)(archive)(), type(helm)(chart_folder)()

    def names(release: Any) -> dict[tuple[str, str], Any]:
        return {
            (each["kind"], each["metadata"]["name"]): {**each, "data": None} if each["kind"] == "Secret" else each
            for each in release.objects
        }

    assert names(packed) == names(plain)


def test_what_an_index_shows_is_well_formed(chart_folder: Path) -> None:
    """Artifact Hub's annotations: changes with known kinds, a license, every image of the list, the definitions."""
    chart = yaml.safe_load((chart_folder / "Chart.yaml").read_text(encoding="utf-8"))
    notes = chart["annotations"]
    changes = yaml.safe_load(notes["artifacthub.io/changes"])
    assert changes
    assert all(each["kind"] in KINDS and each["description"] for each in changes)
    assert notes["artifacthub.io/license"] == "Apache-2.0"
    listed = (chart_folder / "images.txt").read_text(encoding="utf-8").split()
    assert [each["image"] for each in yaml.safe_load(notes["artifacthub.io/images"])] == listed
    definitions = {
        (each["kind"], each["version"], each["name"]) for each in yaml.safe_load(notes["artifacthub.io/crds"])
    }
    paths = [*chart_folder.glob("crds/*.yaml"), *chart_folder.glob("charts/*/crds/*.yaml")]
    files = [yaml.safe_load(path.read_text(encoding="utf-8")) for path in paths]
    assert definitions == {
        (each["spec"]["names"]["kind"], each["spec"]["versions"][0]["name"], each["metadata"]["name"]) for each in files
    }
