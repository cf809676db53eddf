"""What is generated is current, what is written is true."""

from __future__ import annotations

import itertools
import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

REFERENCE = re.compile(r"(?<![\w)])\$?\.Values((?:\.[A-Za-z][A-Za-z0-9]*)+)")
# Sections that the controller of DatasetRuns reads as they are.
HANDED_ON = ("events.ruleDefaults.", "events.sweep.", "events.limits.", "events.retry.")
ALIASES = {
    "kubeflow-pipelines": "kubeflowPipelines",
    "argo-workflows": "argoWorkflows",
    "argo-events": "argoEvents",
    "minio": "minio",
    "mariadb": "mariadb",
}


def leaves(values: Mapping[str, Any], path: str = "") -> Iterator[str]:
    """Paths of all values that are no sections."""
    for name, value in values.items():
        if isinstance(value, dict) and value:
            yield from leaves(value, f"{path}{name}.")
        else:
            yield f"{path}{name}"


@pytest.fixture(scope="module")
def values(chart_folder: Path) -> dict[str, Any]:
    """The default values."""
    document: dict[str, Any] = yaml.safe_load((chart_folder / "values.yaml").read_text(encoding="utf-8"))
    return document


@pytest.fixture(scope="module")
def templates(chart_folder: Path) -> dict[str, str]:
    """All templates by chart, `` for the parent."""
    texts: dict[str, str] = {}
    for file in sorted(chart_folder.rglob("templates/**/*")):
        if file.is_file():
            parts = file.relative_to(chart_folder).parts
            chart = parts[1] if parts[0] == "charts" else ""
            texts[chart] = texts.get(chart, "") + file.read_text(encoding="utf-8")
    return texts


def test_generated_files_are_current(root: Path) -> None:
    """values.yaml, its schema, the README, images.txt and the snapshot of all objects are what would be written now."""
    done = subprocess.run(
        [sys.executable, str(root / "scripts" / "make_chart_docs.py"), "--check"],
        check=False,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_compiled_pipeline_is_current(helm: Any, tmp_path: Path) -> None:
    """The graph in the chart is what the code compiles to."""
    from kubepipe.pipeline.compile import compile_pipeline

    compile_pipeline(tmp_path / "kubepipe.yaml")
    fresh, shipped = (
        list(yaml.safe_load_all(file.read_text(encoding="utf-8")))
        for file in (tmp_path / "kubepipe.yaml", helm.chart / "files" / "pipeline" / "kubepipe.yaml")
    )
    assert fresh == shipped


def test_every_value_is_used(values: dict[str, Any], templates: dict[str, str]) -> None:
    """Each value is named in a template that can see it."""
    for path in leaves(values):
        first, *_ = path.split(".")
        name = path.rsplit(".", 1)[-1] if not path.startswith("pipeline.st") else path.split(".")[2]
        seen = templates["library"] + templates[""]
        seen += "".join(text for chart, text in templates.items() if first in {ALIASES.get(chart), "global"})
        if (
            ".resources." in path
            or ".sidecarResources." in path
            or ".env." in path
            or ".kubernetesApi." in path
            or ".namespaceLabels." in path
            or ".labels." in path
        ):
            continue  # handed on as a whole
        if path.startswith(HANDED_ON):
            continue
        if ".expireDays." in path:
            name = "expireDays"
        assert re.search(rf"\b{re.escape(name)}\b", seen), path


def test_every_used_value_is_declared(values: dict[str, Any], templates: dict[str, str]) -> None:
    """Each reference of a template leads to a declared value."""
    for chart, text in templates.items():
        scope = values if chart in {"", "library"} else {**values[ALIASES[chart]], "global": values["global"]}
        for match in REFERENCE.finditer(text):
            node: Any = scope
            for name in match[1].removeprefix(".").split("."):
                assert isinstance(node, dict), match[0]
                if not node:  # a free-form section
                    break
                if chart == "library" and name not in node:
                    break  # the helper of an engine; the engine's own templates are checked
                assert name in node, f"{chart}: {match[0]}"
                node = node[name]


def test_every_value_is_described(chart_folder: Path) -> None:
    """Each property in the schema that is ours has a description."""
    schema = json.loads((chart_folder / "values.schema.json").read_text(encoding="utf-8"))
    for name, definition in schema["definitions"].items():
        assert definition.get("additionalProperties") is False, name
        for key, field in definition["properties"].items():
            assert "$ref" in field or field.get("description"), f"{name}.{key}"


def test_sections_have_comments(chart_folder: Path) -> None:
    """Each key of values.yaml stands below a comment."""
    lines = (chart_folder / "values.yaml").read_text(encoding="utf-8").splitlines()
    for above, line in itertools.pairwise(lines):
        if re.match(r"^( {2}){0,2}[a-zA-Z]+:", line) and not re.match(r"^\s*(- |[a-z.]+/|\"\")", line):
            assert above.lstrip().startswith("#") or "global.networkPolicy" in line or above.endswith(":"), line


@pytest.mark.parametrize("name", ["README.md", "UPGRADE.md", "TROUBLESHOOTING.md", "files/README.md", "images.txt"])
def test_documents_are_there(chart_folder: Path, name: str) -> None:
    """The chart carries its documents, and none of them is a stub."""
    assert len((chart_folder / name).read_text(encoding="utf-8")) > 500


def test_keys_named_in_documents_exist(chart_folder: Path, values: dict[str, Any]) -> None:
    """A value that a document names is one of the chart."""
    declared = set(leaves(values))
    sections = {path.rsplit(".", depth)[0] for path in declared for depth in range(1, path.count(".") + 1)}
    pattern = re.compile(
        r"`((?:global|pipeline|minio|mariadb|keys|hooks|setup|cleanup|crds|argo\w+|events|kubeflowPipelines)\.[\w.-]+?)(?:=[^`]*)?`"
    )
    found = 0
    documents = [chart_folder / name for name in ("UPGRADE.md", "TROUBLESHOOTING.md", "files/readme-head.md")]
    for file in [*documents, *chart_folder.glob("examples/**/README.md")]:
        for match in pattern.finditer(file.read_text(encoding="utf-8")):
            key = match[1].rstrip(".")
            known = key in declared or key in sections or key.startswith(("pipeline.steps.", "pipeline.settings."))
            assert known, f"{file.name}: {key}"
            found += 1
    assert found > 10


def test_examples_render_and_are_told(helm: Any, chart_folder: Path) -> None:
    """Each example has a page and values; the values render, and the page and its list name what is there."""
    folders = [each for each in (chart_folder / "examples").iterdir() if each.is_dir()]
    listed = (chart_folder / "examples" / "README.md").read_text(encoding="utf-8")
    assert len(folders) >= 5
    for folder in folders:
        assert f"({folder.name}/README.md)" in listed
        page = (folder / "README.md").read_text(encoding="utf-8")
        assert f"charts/kubepipe/examples/{folder.name}/values.yaml" in page
        release = helm(f"--values={folder / 'values.yaml'}", "--api-versions=argoproj.io/v1alpha1/Workflow")
        assert release.all("NetworkPolicy")


def test_notes_name_the_next_commands(helm: Any, tmp_path: Path) -> None:
    """After an install people read three commands to go on with, and what stays when they uninstall."""
    copy = tmp_path / "kubepipe"
    shutil.copytree(helm.chart, copy)
    notes = (copy / "templates" / "NOTES.txt").read_text(encoding="utf-8")
    # Rendering without a cluster leaves NOTES.txt out: it is rendered as an object here.
    head = '{{ define "notes" }}%s{{ end }}\nkind: ConfigMap\nmetadata: {name: notes}\n'
    wrapper = head + 'data: {notes: {{ include "notes" . | toJson }}}\n'
    (copy / "templates" / "notes.yaml").write_text(wrapper % notes, encoding="utf-8")
    text = type(helm)(copy)().get("ConfigMap", "notes")["data"]["notes"]
    for command in ("helm test kubepipe", "kubepipe doctor --cluster", "kubepipe submit s3://incoming/"):
        assert command in text
    assert "It keeps the secrets" in text
    assert "WARNING" not in text


def test_helm_lint(helm: Any) -> None:
    """`helm lint --strict` finds nothing."""
    helm_program = os.environ.get("KUBEPIPE_HELM") or Path(sys.executable).with_name("helm")
    done = subprocess.run(
        [str(helm_program), "lint", "--strict", str(helm.chart)], check=False, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stdout


def test_no_template_names_the_network(templates: dict[str, str]) -> None:
    """No template holds the address of a download."""
    for text in templates.values():
        assert not re.search(r"https?://(?!\{\{|/|\[)[a-z]+\.(com|io|org|dev)", text)


def test_one_object_a_file(chart_folder: Path) -> None:
    """Each template makes at most one object, and its file says of which kind."""
    for file in chart_folder.rglob("templates/*/*.yaml"):
        kinds = re.findall(r"^kind: (\w+)", file.read_text(encoding="utf-8"), flags=re.MULTILINE)
        assert len(kinds) <= 1, file
        for kind in kinds:
            assert kind.lower() in file.stem.replace("-", "") or kind.lower() == file.stem.split("-")[0], file


def test_helpers_say_how_they_are_used(chart_folder: Path) -> None:
    """Each file of helpers has a comment with a usage line for what it defines."""
    for file in chart_folder.rglob("templates/_*.tpl"):
        text = file.read_text(encoding="utf-8")
        assert "Usage:" in text, file
        assert text.lstrip().startswith("{{/*"), file
