"""What the images are made of, and what they need when they run."""

from __future__ import annotations

import importlib.util
import re
import subprocess
import sys
from importlib.machinery import SourceFileLoader
from pathlib import Path
from typing import Any

import pytest

IMAGES = ("stages", "train", "events")
LABELS = ("title", "description", "licenses", "version", "revision")
# What the controller may import of the product: clients of the cluster, of KFP and of the store, records, claims.
CONTROLLER = (
    "kubepipe.pipeline.kfp_api, kubepipe.pipeline.remote.failures, kubepipe.pipeline.remote.runs, "
    "kubepipe.records.claim, kubepipe.records.run, kubepipe.storage.s3, kubepipe.pipeline.overlay"
)


def _file(root: Path, image: str) -> str:
    return (root / "scripts" / "images" / f"Containerfile.{image}").read_text(encoding="utf-8")


def _script(root: Path) -> Any:
    """scripts/build-images as a module."""
    loader = SourceFileLoader("build_images", str(root / "scripts" / "build-images"))
    spec = importlib.util.spec_from_loader("build_images", loader)
    assert spec is not None
    module = importlib.util.module_from_spec(spec)
    loader.exec_module(module)
    return module


def test_each_image_has_its_file(root: Path) -> None:
    """build-images builds exactly the images that have a container file, under the names that the list has."""
    files = {file.name.removeprefix("Containerfile.") for file in (root / "scripts" / "images").glob("Containerfile.*")}
    script = _script(root)
    listed = (root / "charts" / "kubepipe" / "images.txt").read_text(encoding="utf-8").split()
    assert set(script.IMAGES) == files == set(IMAGES)
    assert {f"docker.io/kubepipe/{image}:{script.version()}" for image in IMAGES} <= set(listed)


@pytest.mark.parametrize("image", IMAGES)
def test_an_image_runs_as_a_numbered_user_and_says_what_it_is(root: Path, image: str) -> None:
    """Pod Security restricted refuses root and names; a read-only root needs HOME elsewhere; KFP looks the user up."""
    last = _file(root, image).rpartition("\nFROM ")[2]
    assert re.search(r"^USER 65532:65532$", last, re.MULTILINE)
    assert "kubepipe:x:65532:65532:" in last
    assert "HOME=/tmp" in last
    assert "PYTHONDONTWRITEBYTECODE=1" in last
    assert all(f"org.opencontainers.image.{label}=" in last for label in LABELS)
    assert "pip install" not in last, "the last stage copies; it installs nothing"


@pytest.mark.parametrize("image", IMAGES)
def test_an_image_names_no_index(root: Path, image: str) -> None:
    """Where packages come from is the builder's business."""
    assert not re.search(r"https?://", _file(root, image))


@pytest.mark.parametrize("image", ["stages", "train"])
def test_a_step_image_holds_the_sdk_without_its_dependencies(root: Path, image: str) -> None:
    """A step is started by kfp.dsl.executor_main, and nothing is installed at run time."""
    assert "--no-deps --target /opt/kubepipe/lib kfp==2.17.0" in _file(root, image)


def test_the_controller_imports_nothing_that_its_image_lacks(root: Path) -> None:
    """No spaCy, torch, pandas, pyarrow or SDK is loaded by what the controller uses of the product."""
    lacking = ("spacy", "torch", "pandas", "pyarrow", "datasets", "kfp", "codecarbon", "psutil", "transformers")
    code = f"import sys, {CONTROLLER}; print([name for name in {lacking!r} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
    wanted = (root / "scripts" / "images" / "requirements.events.txt").read_text(encoding="utf-8")
    assert not [name for name in lacking if re.search(rf"^{name}\b", wanted, re.MULTILINE)]
    assert all(re.search(rf"^{name}", wanted, re.MULTILINE) for name in ("kopf", "kubernetes", "minio", "apprise"))
