"""Images: one helper, one list, one place to change the registry."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import yaml

from kubepipe.pipeline import components

IMAGE = re.compile(r"^[a-z0-9.-]+(:[0-9]+)?(/[a-z0-9._-]+)+:[A-Za-z0-9._-]+(@sha256:[0-9a-f]{64})?$")
DIGEST = "sha256:" + "0" * 64


def images_of(release: Any) -> set[str]:
    """Every image that a rendering names: containers, arguments, environment, configuration, pipeline."""
    # Argo Events takes the images of its own pods from its controller's configuration.
    found = {container["image"] for _, container in release.containers() if "image" in container}
    for _, container in release.containers():
        texts = [*container.get("args", []), *(each.get("value", "") for each in container.get("env", []))]
        found |= {text for text in texts if IMAGE.match(text) and "/" in text}
    for each in release.all("ConfigMap"):
        for name, text in each["data"].items() if "data" in each else ():
            if name == "overlay.json":
                found |= {image["image"] for image in json.loads(text)["images"].values()}
            if name == "controller-config.yaml":
                version = yaml.safe_load(text)["eventBus"]["jetstream"]["versions"][0]
                found |= {value for key, value in version.items() if key.endswith("Image")}
    return found


def test_list_is_complete(full: Any, chart_folder: Path) -> None:
    """images.txt names exactly the images of a rendering with every part on, driver, launcher and executor included."""
    listed = (chart_folder / "images.txt").read_text(encoding="utf-8").split()
    assert listed == sorted(images_of(full))
    for needed in ("kfp-driver", "kfp-launcher", "argoexec"):
        assert any(needed in image for image in listed)


def test_pipeline_images_are_listed(chart_folder: Path) -> None:
    """The images that the compiled graph names are in the list too."""
    listed = (chart_folder / "images.txt").read_text(encoding="utf-8").split()
    assert {components.STAGES_IMAGE, components.TRAIN_IMAGE} <= set(listed)


def test_one_value_moves_all_images(helm: Any) -> None:
    """global.imageRegistry replaces the registry of every image, those of pipeline steps and of the bus too."""
    every = "--set=kubeflowPipelines.ui.enabled=true"
    moved = images_of(helm(every, "--set=global.imageRegistry=mirror.example:5000"))
    assert {image.partition("/")[0] for image in moved} == {"mirror.example:5000"}
    assert len(moved) == len(images_of(helm(every)))


def test_tag_and_digest_stand_together(helm: Any) -> None:
    """A digest pins the image, and the tag stays for people to read."""
    release = helm(f"--set=minio.image.digest={DIGEST}")
    image = release.typed("StatefulSet", "kubepipe-minio").spec.template.spec.containers[0].image
    assert image == f"quay.io/minio/minio:RELEASE.2025-09-07T16-13-09Z@{DIGEST}"


def test_no_floating_tag(full: Any) -> None:
    """No image of the defaults is `latest`."""
    assert not [image for image in images_of(full) if image.endswith(":latest")]
