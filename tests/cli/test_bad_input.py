from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from kubepipe.cli import main as cli

ROW = '{"context": "Berlin is big.", "question": "Which city?", "answers": {"text": ["%s"], "answer_start": [0]}}\n'
FILES = {
    "empty.json": b"",
    "cut.json": b'{"data": [',
    "utf16.json": '{"data": []}'.encode("utf-16"),
    "latin1.jsonl": ROW.encode() % "Köln".encode("latin-1"),
    "shape.json": b'{"a": 1}',
    "deep.json": b"[" * 100_000 + b"]" * 100_000,
    "no-context.jsonl": b'{"question": "q"}\n',
    "no-question.json": b'{"data": [{"title": "t", "paragraphs": [{"context": "c", "qas": []}]}]}',
    "never.jsonl": (ROW % "Paris").encode(),
    "quotes.csv": b'context,question,answers\n"abc,"x",y\n',
    "climb.zip": None,
}


@pytest.fixture(scope="module")
def bad(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with files that are no data sets."""
    import zipfile

    folder = tmp_path_factory.mktemp("bad")
    for name, content in FILES.items():
        if content is not None:
            (folder / name).write_bytes(content)
    with zipfile.ZipFile(folder / "climb.zip", "w") as archive:
        archive.writestr("../outside.jsonl", ROW % "Berlin")
    (folder / "nothing").mkdir()
    return folder


def _call(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, *arguments: str) -> tuple[int, str]:
    monkeypatch.setattr(sys, "argv", ["kubepipe", *arguments])
    with pytest.raises(SystemExit) as ended:
        cli.main()
    return int(ended.value.code or 0), capsys.readouterr().err


@pytest.mark.parametrize("name", [*FILES, "nothing", "missing.json"])
def test_a_file_that_is_no_data_set_ends_in_one_line(
    bad: Path, name: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Exit code 2, one line that names the place, no traceback."""
    code, said = _call(capsys, monkeypatch, "assess", str(bad / name))
    assert code == 2
    assert said.startswith("kubepipe: ")
    assert name in said
    assert said.count("\n") == 1


@pytest.mark.parametrize(
    "arguments",
    [
        ["run", "EXAMPLE", "--set", "training.epoch=1"],
        ["run", "EXAMPLE", "--set", "training.model=no-such-model"],
        ["run", "EXAMPLE", "--set", "energy.country=XXX"],
        ["run", "EXAMPLE", "--set", "privacy.language=xx"],
        ["run", "EXAMPLE", "--profile", "fast"],
        ["run", "missing.json"],
        ["benchmark", "EXAMPLE"],
        ["anonymize", "EXAMPLE", "out.docx"],
        ["nonsense"],
        ["run"],
    ],
)
def test_a_wrong_argument_ends_in_one_line_and_writes_nothing(
    arguments: list[str],
    examples: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """What can be known to be wrong is refused before anything is written."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    given = [str(examples / "squad" / "dev-v1.1.json") if each == "EXAMPLE" else each for each in arguments]
    code, said = _call(capsys, monkeypatch, *given)
    assert code == 2
    assert said.count("\n") == 1
    assert [each.name for each in tmp_path.iterdir() if each.name != "home"] == []


def test_a_run_on_bad_data_leaves_no_folder_behind(bad: Path, tmp_path: Path) -> None:
    """The first step finds the fault, the command tells it, and the place is as it was."""
    done = subprocess.run(
        [sys.executable, "-m", "kubepipe.cli", "run", str(bad / "never.jsonl"), "--out", str(tmp_path / "a" / "b")],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 2, done.stderr
    assert "answer" in done.stderr
    assert "Berlin" not in done.stdout + done.stderr
    assert list(tmp_path.iterdir()) == []
