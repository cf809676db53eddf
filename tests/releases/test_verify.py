"""Mutations of a release: each is refused, and the first broken hop is named."""

from __future__ import annotations

import base64
import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from kubepipe.releases import BrokenHopError, create_model_keys, verify_release
from kubepipe.sealing import create_keys, load_signing_key, sign_permit

Mutation = Callable[[Path, Any], None]


def _flip(path: Path) -> None:
    """Change one byte in the middle; the file is replaced, so that nothing it is linked to changes."""
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.unlink()
    path.write_bytes(data)


def _swap_weights(folder: Path, _: Any) -> None:
    base, tuned = folder / "model/base/model.safetensors", folder / "model/tuned/tokenizer.json"
    data = tuned.read_bytes()
    base.unlink()
    base.write_bytes(data)


def _other_permit(folder: Path, ledger: Any) -> None:
    """A permit that the same gate gave to another data set."""
    permit = json.loads((folder / "permit.json").read_text(encoding="utf-8"))
    permit["output_digest"] = "sha256:" + "7" * 64
    (folder / "permit.json").unlink()
    (folder / "permit.json").write_text(
        json.dumps(sign_permit(permit, load_signing_key(ledger.folder.keys))), encoding="utf-8"
    )


def _other_statement(folder: Path, _: Any) -> None:
    """A statement that the right key signed, of another step."""
    shutil.copyfile(folder / "provenance/04-minimize-data.json", folder / "provenance/03-anonymize-data.json")


def _forged_statement(folder: Path, _: Any) -> None:
    file = folder / "provenance/06-fine-tune-model.json"
    envelope = json.loads(file.read_text(encoding="utf-8"))
    payload = json.loads(base64.b64decode(envelope["payload"]))
    payload["subject"][0]["digest"]["sha256"] = "1" * 64
    envelope["payload"] = base64.b64encode(json.dumps(payload).encode()).decode()
    file.write_text(json.dumps(envelope), encoding="utf-8")


MUTATIONS: dict[str, tuple[Mutation, str]] = {
    "one byte of the weights": (lambda folder, _: _flip(folder / "model/tuned/model.safetensors"), "weights"),
    "one file swapped": (_swap_weights, "weights"),
    "a file of the weights missing": (lambda folder, _: (folder / "model/base/config.json").unlink(), "weights"),
    "a file more beside the weights": (lambda folder, _: _write(folder / "model/base/more.py", "1"), "weights"),
    "a hidden file more": (lambda folder, _: _write(folder / ".gitignore", "*"), "files"),
    "one byte of the card": (lambda folder, _: _flip(folder / "README.md"), "files"),
    "the first step dropped": (lambda folder, _: (folder / "provenance/01-prepare-data.json").unlink(), "prepare-data"),
    "a step dropped": (lambda folder, _: (folder / "provenance/04-minimize-data.json").unlink(), "minimize-data"),
    "the last step dropped": (
        lambda folder, _: (folder / "provenance/08-publish-model.json").unlink(),
        "publish-model",
    ),
    "a statement of another step": (_other_statement, "anonymize-data"),
    "a forged statement": (_forged_statement, "fine-tune-model"),
    "a broken statement": (
        lambda folder, _: _write(folder / "provenance/05-verify-privacy.json", "{"),
        "verify-privacy",
    ),
    "permit of another data set": (_other_permit, "privacy-permit"),
    "one byte of the permit": (lambda folder, _: _flip(folder / "permit.json"), "privacy-permit"),
    "no permit": (lambda folder, _: (folder / "permit.json").unlink(), "privacy-permit"),
    "no signature": (lambda folder, _: (folder / "model.sig").unlink(), "files"),
    "one byte of the record": (lambda folder, _: _flip(folder / "release.json"), "release"),
    "no record": (lambda folder, _: (folder / "release.json").unlink(), "release"),
}


def _write(path: Path, text: str) -> None:
    path.unlink(missing_ok=True)
    path.write_text(text, encoding="utf-8")


@pytest.fixture
def release(ledger: Any) -> Path:
    """The folder of a published release."""
    folder: Path = ledger.release(ledger.publish("one").results["release"])
    return folder


def test_a_release_that_was_not_touched_holds(release: Path, ledger: Any) -> None:
    """From the source's version to the weights."""
    verified = verify_release(release, ledger.public_key, permit_key=ledger.folder.keys / "permit-public.pem")
    first = verified.statements[0]["predicate"]["buildDefinition"]["resolvedDependencies"][0]
    assert (first["name"], first["annotations"]["version"]) == ("source", "v7")
    assert verified.digest == f"sha256:{release.name}"


@pytest.mark.parametrize("mutation", MUTATIONS)
def test_a_mutation_is_refused_at_the_right_hop(release: Path, ledger: Any, mutation: str) -> None:
    """Whatever is changed, the model is refused, and the hop that does not hold is named."""
    change, hop = MUTATIONS[mutation]
    change(release, ledger)
    with pytest.raises(BrokenHopError) as caught:
        verify_release(release, ledger.public_key)
    assert caught.value.hop == hop
    assert caught.value.exit_code == 4
    assert f"broken at {hop}" in caught.value.one_line()


def test_another_key_is_refused(release: Path, tmp_path: Path) -> None:
    """The key of another installation signs nothing for this one."""
    create_model_keys(tmp_path / "other")
    with pytest.raises(BrokenHopError) as caught:
        verify_release(release, tmp_path / "other" / "model-public.pem")
    assert caught.value.hop == "signing-key"


def test_another_gate_is_refused(release: Path, ledger: Any, tmp_path: Path) -> None:
    """Where the key of permits is given, the permit must be signed by it."""
    create_keys(tmp_path / "other")
    with pytest.raises(BrokenHopError) as caught:
        verify_release(release, ledger.public_key, permit_key=tmp_path / "other" / "permit-public.pem")
    assert caught.value.hop == "privacy-permit"


def test_an_older_release_under_a_new_name_is_refused(release: Path, ledger: Any, tiny_folder: Path) -> None:
    """A release is what its record's digest says, whatever its folder is called."""
    ledger.fill("two", tiny_folder, f1=60.0)
    newer = ledger.release(ledger.publish("two").results["release"])
    shutil.rmtree(newer)
    shutil.copytree(release, newer)
    with pytest.raises(BrokenHopError) as caught:
        verify_release(newer, ledger.public_key)
    assert caught.value.hop == "release"


def test_a_statement_of_an_older_release_does_not_fit_a_newer_one(
    release: Path, ledger: Any, tiny_folder: Path
) -> None:
    """The same step and the same key, another run."""
    ledger.fill("two", tiny_folder, f1=60.0)
    newer = ledger.release(ledger.publish("two").results["release"])
    shutil.copyfile(
        release / "provenance/02-assess-privacy-risk.json", newer / "provenance/02-assess-privacy-risk.json"
    )
    with pytest.raises(BrokenHopError) as caught:
        verify_release(newer, ledger.public_key)
    assert caught.value.hop == "assess-privacy-risk"


def _upstream(release: Path, key: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [
            sys.executable, "-m", "model_signing", "verify", "key", str(release),
            "--signature", str(release / "model.sig"), "--public_key", str(key), "--no-ignore-git-paths",
        ],
        capture_output=True, text=True, check=False,
    )  # fmt: skip


def test_the_upstream_program_verifies_our_signature(release: Path, ledger: Any) -> None:
    """`model_signing verify key` accepts the release, and refuses it after one byte."""
    assert _upstream(release, ledger.public_key).returncode == 0
    _flip(release / "model/tuned/model.safetensors")
    assert _upstream(release, ledger.public_key).returncode != 0
