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

from kubepipe.errors import IntegrityError
from kubepipe.releases import BrokenHopError, create_model_keys, verify_release
from kubepipe.releases.keys import fingerprint
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
    verified = verify_release(release, [ledger.public_key], permit_key=ledger.folder.keys / "permit-public.pem")
    first = verified.statements[0]["predicate"]["buildDefinition"]["resolvedDependencies"][0]
    assert (first["name"], first["annotations"]["version"]) == ("source", "v7")
    assert verified.digest == f"sha256:{release.name}"


@pytest.mark.parametrize("mutation", MUTATIONS)
def test_a_mutation_is_refused_at_the_right_hop(release: Path, ledger: Any, mutation: str) -> None:
    """Whatever is changed, the model is refused, and the hop that does not hold is named."""
    change, hop = MUTATIONS[mutation]
    change(release, ledger)
    with pytest.raises(BrokenHopError) as caught:
        verify_release(release, [ledger.public_key])
    assert caught.value.hop == hop
    assert caught.value.exit_code == 4
    assert f"broken at {hop}" in caught.value.one_line()


def test_another_key_is_refused(release: Path, tmp_path: Path) -> None:
    """The key of another installation signs nothing for this one."""
    create_model_keys(tmp_path / "other")
    with pytest.raises(BrokenHopError) as caught:
        verify_release(release, [tmp_path / "other" / "model-public.pem"])
    assert caught.value.hop == "signing-key"


@pytest.fixture
def rotated(release: Path, ledger: Any, tiny_folder: Path) -> tuple[Path, Path, Path]:
    """The folder of keys after a rotation, the release that the old key signed, and one that the new key signed."""
    keys: Path = ledger.folder.signing
    (keys / "model-public.pem").rename(keys / "model-trusted-1.pem")
    (keys / "model-signing.pem").unlink()
    ledger.fill("two", tiny_folder, f1=60.0)
    return keys, release, ledger.release(ledger.publish("two").results["release"])


def test_after_a_rotation_old_and_new_releases_hold(rotated: tuple[Path, Path, Path]) -> None:
    """A folder of keys is read whole, each release is checked with the key that signed it, and says which that was."""
    keys, old, new = rotated
    assert verify_release(old, [keys]).signer == fingerprint(keys / "model-trusted-1.pem")
    assert verify_release(new, [keys]).signer == fingerprint(keys / "model-public.pem")
    assert verify_release(old, [keys / "model-public.pem", keys / "model-trusted-1.pem"])


def test_a_key_that_is_trusted_no_more_takes_its_releases_with_it(rotated: tuple[Path, Path, Path]) -> None:
    """Without the old key the old release is refused, and the message names the key that it lacks."""
    keys, old, new = rotated
    lacking = fingerprint(keys / "model-trusted-1.pem")[:12]
    (keys / "model-trusted-1.pem").unlink()
    with pytest.raises(BrokenHopError, match=f"key {lacking} signed it") as caught:
        verify_release(old, [keys])
    assert caught.value.hop == "signing-key"
    assert verify_release(new, [keys])


@pytest.mark.parametrize("mutation", ["one byte of the weights", "a forged statement", "one byte of the record"])
def test_a_mutation_is_refused_with_several_trusted_keys(
    rotated: tuple[Path, Path, Path], ledger: Any, mutation: str
) -> None:
    """Trusting an older key makes nothing else of a release weaker."""
    keys, old, _ = rotated
    change, hop = MUTATIONS[mutation]
    change(old, ledger)
    with pytest.raises(BrokenHopError) as caught:
        verify_release(old, [keys])
    assert caught.value.hop == hop


def test_a_signature_that_names_another_trusted_key_is_refused(rotated: tuple[Path, Path, Path]) -> None:
    """The name of a key in a signature is only where to look: the signature itself must be that key's."""
    keys, old, _ = rotated
    bundle = json.loads((old / "model.sig").read_text(encoding="utf-8"))
    bundle["verificationMaterial"]["publicKey"]["hint"] = fingerprint(keys / "model-public.pem")
    _write(old / "model.sig", json.dumps(bundle))
    with pytest.raises(BrokenHopError) as caught:
        verify_release(old, [keys])
    assert caught.value.hop == "prepare-data"


@pytest.mark.parametrize(
    ("content", "words"), [(None, "holds neither"), (b"no key", "is no PEM public key"), (b"", "is no PEM public key")]
)
def test_a_trusted_key_that_is_none_is_told(release: Path, tmp_path: Path, content: bytes | None, words: str) -> None:
    """An empty folder, and a file that is no key: nothing is trusted by mistake."""
    (tmp_path / "keys").mkdir()
    if content is not None:
        (tmp_path / "keys" / "model-trusted-1.pem").write_bytes(content)
    with pytest.raises(IntegrityError, match=words):
        verify_release(release, [tmp_path / "keys"])


def test_another_gate_is_refused(release: Path, ledger: Any, tmp_path: Path) -> None:
    """Where the key of permits is given, the permit must be signed by it."""
    create_keys(tmp_path / "other")
    with pytest.raises(BrokenHopError) as caught:
        verify_release(release, [ledger.public_key], permit_key=tmp_path / "other" / "permit-public.pem")
    assert caught.value.hop == "privacy-permit"


def test_an_older_release_under_a_new_name_is_refused(release: Path, ledger: Any, tiny_folder: Path) -> None:
    """A release is what its record's digest says, whatever its folder is called."""
    ledger.fill("two", tiny_folder, f1=60.0)
    newer = ledger.release(ledger.publish("two").results["release"])
    shutil.rmtree(newer)
    shutil.copytree(release, newer)
    with pytest.raises(BrokenHopError) as caught:
        verify_release(newer, [ledger.public_key])
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
        verify_release(newer, [ledger.public_key])
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
