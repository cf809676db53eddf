"""Two processes that train one model together."""

from __future__ import annotations

import json
import os
import pickle
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from kubepipe.passages.model import Passage
from kubepipe.settings import TrainingSettings
from kubepipe.training import ResolvedModel, fine_tune
from kubepipe.training.processes import Team

_SCRIPT = """
import json, os, pickle, signal, sys
from pathlib import Path
from kubepipe.errors import TrainingError
from kubepipe.settings import TrainingSettings
from kubepipe.training import fine_tune, resolve_model
folder, stop_at = Path(sys.argv[1]), int(sys.argv[2])
model, passages, settings = pickle.loads((folder / "given").read_bytes())
rank = os.environ["RANK"]
def progress(now):
    # Only one process is asked: both must stop.
    if now.step == stop_at and rank == "1":
        os.kill(os.getpid(), signal.SIGTERM)
try:
    result = fine_tune(
        model, passages, [], settings, seed=0, out=folder / "together", progress=progress,
        checkpoint_dir=folder / "checkpoints",
    )
    said = result.document()
except TrainingError as error:
    said = {"error": error.one_line()}
(folder / f"said-{rank}.json").write_text(json.dumps(said))
"""


def _together(folder: Path, *, stop_at: int = 0) -> list[dict[str, object]]:
    """What both processes say."""
    (folder / "script.py").write_text(_SCRIPT, encoding="utf-8")
    command = [sys.executable, "-m", "torch.distributed.run", "--nproc-per-node", "2", "--standalone"]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path), "OMP_NUM_THREADS": "1"}
    subprocess.run(
        [*command, str(folder / "script.py"), str(folder), str(stop_at)], env=environment, check=True, timeout=900
    )
    return [json.loads((folder / f"said-{rank}.json").read_text(encoding="utf-8")) for rank in (0, 1)]


@pytest.mark.slow
def test_two_processes_train_as_one(
    tiny: ResolvedModel, tmp_path: Path, make_passages: Callable[..., list[Passage]]
) -> None:
    """Two gloo processes have the losses of one, also over a stop that only one of them was asked for."""
    settings = TrainingSettings(
        rank=4, tokens_per_batch=900, learning_rate=5e-3, epochs=2.0, validation_questions=0, threads=1, device="cpu",
        precision="fp32",
    )  # fmt: skip
    passages = make_passages(7, 3)
    alone = fine_tune(tiny, passages, [], settings, seed=0, out=tmp_path / "alone", progress=lambda _: None)
    (tmp_path / "given").write_bytes(pickle.dumps((tiny, passages, settings)))

    stopped = _together(tmp_path, stop_at=2)
    assert all("stopped on request after step 3" in str(said["error"]) for said in stopped)
    assert not (tmp_path / "together").exists()
    first, second = _together(tmp_path)
    assert first["resumed_from_step"] == 3
    assert first["processes"] == 2
    assert first["model_digest"] == second["model_digest"]
    expected = pytest.approx([entry.loss for entry in alone.losses], rel=1e-4)
    for said in (first, second):
        assert [entry["loss"] for entry in said["losses"]] == expected  # type: ignore[attr-defined]


@pytest.mark.parametrize("items", [0, 1, 5, 8])
def test_shares_of_all_processes_are_everything_once(items: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every row falls on exactly one process."""
    monkeypatch.setenv("WORLD_SIZE", "3")
    shares = []
    for rank in range(3):
        monkeypatch.setenv("RANK", str(rank))
        shares += Team().share(range(items))
    assert sorted(shares) == list(range(items))
