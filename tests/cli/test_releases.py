"""`kubepipe releases`, `rollback`, `verify` and `serve` as a user types them."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from kubepipe.cli import main


def kubepipe(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], *arguments: str
) -> tuple[int, str, str]:
    """Run the command line in this process: exit code, standard output, standard error."""
    monkeypatch.setattr(sys, "argv", ["kubepipe", *arguments])
    with pytest.raises(SystemExit) as ended:
        main.main()
    said = capsys.readouterr()
    return int(ended.value.code or 0), said.out, said.err


@pytest.fixture
def two(ledger: Any, tiny_folder: Path) -> tuple[str, str]:
    """Two releases, the second current."""
    first = ledger.publish("one").results["release"]
    ledger.fill("two", tiny_folder, f1=60.0)
    return first, ledger.publish("two").results["release"]


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Any:
    """The command line."""
    return lambda *arguments: kubepipe(monkeypatch, capsys, *arguments)


def test_releases_lists_changes_and_marks_the_current(run: Any, ledger: Any, two: tuple[str, str]) -> None:
    """Newest first, with scores and energy."""
    code, said, _ = run("releases", str(ledger.folder.root))
    lines = said.splitlines()
    assert code == 0
    assert two[1][7:19] in lines[1]
    assert "60.0" in lines[1]
    assert lines[1].rstrip().endswith("current")
    assert two[0][7:19] in lines[2]
    code, said, _ = run("releases", str(ledger.folder.store), "--json")
    assert json.loads(said)["current"] == two[1]


def test_rollback_goes_to_the_one_before_or_to_a_named_one(run: Any, ledger: Any, two: tuple[str, str]) -> None:
    """And is listed like any other change."""
    where = str(ledger.folder.root)
    code, said, _ = run("rollback", where)
    assert (code, said) == (0, f"current: {two[0][7:19]} (was {two[1][7:19]})\n")
    assert run("rollback", where, "--to", two[1][7:15])[0] == 0
    changes = [each["action"] for each in json.loads(run("releases", where, "--json")[1])["history"]]
    assert changes == ["rollback", "rollback", "publish", "publish"]


def test_rollback_refuses_a_release_that_does_not_hold(run: Any, ledger: Any, two: tuple[str, str]) -> None:
    """Nothing changes."""
    (ledger.release(two[0]) / "permit.json").unlink()
    code, _, said = run("rollback", str(ledger.folder.root))
    assert (code, "broken at privacy-permit" in said) == (4, True)
    assert json.loads(run("releases", str(ledger.folder.root), "--json")[1])["current"] == two[1]


def test_rollback_without_an_earlier_release_says_so(run: Any, ledger: Any) -> None:
    """One line, exit code 2."""
    ledger.publish("one")
    code, _, said = run("rollback", str(ledger.folder.root))
    assert (code, "there is no earlier release" in said) == (2, True)


def test_verify_takes_a_run_a_release_or_a_store(run: Any, ledger: Any, two: tuple[str, str], tmp_path: Path) -> None:
    """Whatever names the model; a folder alone needs the key."""
    code, said, _ = run("verify", str(ledger.folder.root))
    assert (code, said.splitlines()[0]) == (0, f"release {two[1]}")
    copied = tmp_path / "copied"
    shutil.copytree(ledger.release(two[0]), copied)
    code, said, _ = run("verify", str(copied), "--key", str(ledger.public_key))
    assert (code, said.splitlines()[0]) == (0, f"release {two[0]}")
    code, _, said = run("verify", str(copied))
    assert (code, "no public key" in said) == (2, True)
    assert run("verify", str(ledger.folder.store), "--key", str(ledger.public_key))[0] == 0


def test_verify_of_a_model_folder_finds_its_release(run: Any, ledger: Any, two: tuple[str, str]) -> None:
    """The model beside the report must be one that was released."""
    shutil.copytree(ledger.artifact("output_model"), ledger.folder.model)
    code, said, _ = run("verify", str(ledger.folder.model))
    assert (code, said.splitlines()[0]) == (0, f"release {two[1]}")
    (ledger.folder.model / "base" / "config.json").write_text("{}", encoding="utf-8")
    code, _, said = run("verify", str(ledger.folder.model))
    assert (code, "broken at release" in said) == (4, True)


def test_verify_ends_with_4_and_the_first_broken_hop(run: Any, ledger: Any, two: tuple[str, str]) -> None:
    """One line that says where."""
    (ledger.release(two[1]) / "provenance" / "03-anonymize-data.json").unlink()
    code, _, said = run("verify", str(ledger.folder.root))
    assert code == 4
    assert said.count("\n") == 1
    assert "broken at anonymize-data: its statement is missing" in said


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (["verify", "/nowhere/at/all"], 2, "is no folder"),
        (["verify", "{empty}"], 2, "holds no release"),
        (["serve", "{run}", "--host", "0.0.0.0"], 2, "there is no token"),  # noqa: S104 - that is refused
        (["serve", "{run}", "--token-file", "/nowhere"], 2, "cannot be read"),
        (["serve", "{run}", "--port", "99999"], 2, "serving.port"),
        (["serve", "{broken}"], 4, "nothing is published"),
    ],
)
def test_bad_input_is_one_line(
    run: Any, ledger: Any, tmp_path: Path, arguments: list[str], code: int, words: str
) -> None:
    """With the exit code of its kind; a server that would serve nothing ends."""
    (tmp_path / "empty").mkdir()
    places = {"empty": tmp_path / "empty", "run": ledger.folder.root, "broken": ledger.folder.root}
    ended, _, said = run(*(each.format(**places) for each in arguments))
    assert (ended, words in said, said.count("\n") <= 2) == (code, True, True), said


def test_a_port_that_is_taken_is_one_line(ledger: Any) -> None:
    """As a process of its own, since it listens."""
    import socket

    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        done = subprocess.run(
            [sys.executable, "-m", "kubepipe.cli", "serve", str(ledger.folder.root), "--port", str(port)],
            capture_output=True,
            text=True,
            check=False,
        )
    assert (done.returncode, "cannot be listened on" in done.stderr) == (2, True)
