"""Counters of energy, as Linux shows them."""

import pytest

from rimbench.latency import machine


@pytest.fixture
def counters(tmp_path, monkeypatch):
    """Two processors' packages, and a part of one that is counted in it; each call moves them."""
    for name, domain in (("intel-rapl:0", "package-0"), ("intel-rapl:1", "package-1"), ("intel-rapl:0:0", "core")):
        (tmp_path / name).mkdir()
        (tmp_path / name / "name").write_text(f"{domain}\n")
        (tmp_path / name / "energy_uj").write_text("1000\n")
    monkeypatch.setattr(machine, "POWERCAP", tmp_path)
    monkeypatch.setattr(machine, "ENERGY_S", 0.01)

    def move(name, by):
        at = tmp_path / name / "energy_uj"
        at.write_text(f"{int(at.read_text()) + by}\n")

    return move


def test_the_energy_of_a_call_is_that_of_all_packages_over_all_calls(counters):
    def call(_):
        for name in ("intel-rapl:0", "intel-rapl:1", "intel-rapl:0:0"):
            counters(name, 1_500_000)

    assert machine.joules("cpu", call) == pytest.approx(3.0)


def test_a_counter_that_began_anew_tells_nothing(counters):
    assert machine.joules("cpu", lambda _: counters("intel-rapl:0", -10)) is None


@pytest.mark.parametrize("device", ["remote", "none"])
def test_what_runs_elsewhere_is_not_charged_with_this_machines_energy(counters, device):
    assert machine.joules(device, pytest.fail) is None


def test_a_machine_without_counters_calls_nothing(tmp_path, monkeypatch):
    monkeypatch.setattr(machine, "POWERCAP", tmp_path)
    assert machine.joules("cpu", pytest.fail) is None
