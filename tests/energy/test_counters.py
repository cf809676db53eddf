from __future__ import annotations

from pathlib import Path

import pytest

from kubepipe.energy import counters


@pytest.fixture
def rapl(tmp_path: Path) -> Path:
    """A powercap folder as Linux shows it, with two packages and a core below the first."""
    folder = tmp_path / "intel-rapl" / "subsystem"
    for name, label in (("intel-rapl:0", "package-0"), ("intel-rapl:1", "package-1"), ("intel-rapl:0:0", "core")):
        domain = folder / name
        domain.mkdir(parents=True)
        (domain / "name").write_text(f"{label}\n")
        (domain / "max_energy_range_uj").write_text("262143328850\n")
    _set(folder, 1_000_000, 90_000_000)
    return folder


def _set(folder: Path, first: int, second: int) -> None:
    (folder / "intel-rapl:0" / "energy_uj").write_text(f"{first}\n")
    (folder / "intel-rapl:1" / "energy_uj").write_text(f"{second}\n")
    (folder / "intel-rapl:0:0" / "energy_uj").write_text(f"{first // 2}\n")


def test_packages_add_up_and_cores_do_not_count_twice(rapl: Path) -> None:
    """The energy of the packages is added; a core's is part of its package's."""
    counter = counters.package_counter(rapl)
    assert counter is not None
    counter.start()
    _set(rapl, 37_000_000, 108_000_000)
    counter.sample()
    assert counter.stop() == pytest.approx((36 + 18) / 3_600_000)


def test_package_counter_wraps_around(rapl: Path) -> None:
    """A counter that started again from zero is read as one that went on."""
    _set(rapl, 262_143_328_850, 90_000_000)
    counter = counters.package_counter(rapl)
    assert counter is not None
    counter.start()
    _set(rapl, 36_000_000, 90_000_000)
    assert counter.stop() == pytest.approx(36 / 3_600_000)


def test_no_package_counter(tmp_path: Path) -> None:
    """Where the kernel shows no counter there is none, and nothing heavy is imported."""
    assert counters.package_counter(tmp_path / "none") is None


@pytest.mark.parametrize("visible", ["", "-1", "none"])
def test_hidden_graphics_processors(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, visible: str) -> None:
    """Graphics processors that the step may not use are not charged to it."""
    monkeypatch.setattr(counters, "_GPU_DEVICES", (tmp_path,))
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", visible)
    assert counters.gpu_counter() is None


def test_device_without_driver(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    """A device whose driver does not answer leaves the step without a counter, not without a record."""
    monkeypatch.setattr(counters, "_GPU_DEVICES", (tmp_path,))
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    found = counters.gpu_counter()
    assert found is None or found.stop() >= 0.0
    assert "codecarbon" not in capfd.readouterr().err
