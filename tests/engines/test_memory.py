"""The memory that is free, from files of the form that Linux tells it in."""

import pytest

from rimbench.engines import _memory

MIB = 1 << 20


@pytest.fixture
def told(tmp_path, monkeypatch):
    """Write what Linux tells: of the machine 8 GiB are available."""
    for name, at in (("MACHINE", "meminfo"), ("OWN_GROUPS", "own"), ("GROUPS", "groups")):
        monkeypatch.setattr(_memory, name, tmp_path / at)

    def write(own, **files):
        (tmp_path / "meminfo").write_text(f"MemTotal: 9999999 kB\nMemAvailable: {8 << 20} kB\n")
        (tmp_path / "own").write_text(own)
        for name, text in files.items():
            path = tmp_path / "groups" / name.replace("__", "/").replace("-", ".")
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(f"{text}\n")
        return _memory.free_bytes(None, "cpu")

    return write


def test_without_a_limit_it_is_the_machines(told):
    assert told("") == told("0::/\n") == 8 << 30
    assert told("0::/a\n", **{"a__memory-max": "max", "a__memory-current": 5 * MIB}) == 8 << 30


def test_a_container_has_what_its_group_leaves_with_the_pages_that_are_given_up(told):
    files = {"memory-max": 512 * MIB, "memory-current": 300 * MIB, "memory-stat": f"anon 1\ninactive_file {20 * MIB}"}
    assert told("0::/not-there\n", **files) == 232 * MIB


def test_of_groups_within_groups_the_one_that_leaves_least_counts(told):
    files = {"a__memory-max": 100 * MIB, "a__memory-current": 90 * MIB, "a__b__memory-max": 50 * MIB}
    assert told("0::/a/b\n", **files, **{"a__b__memory-current": 5 * MIB}) == 10 * MIB


def test_groups_of_the_first_version_are_read_and_one_beyond_its_limit_leaves_nothing(told):
    files = {"memory__x__memory-limit_in_bytes": 64 * MIB, "memory__x__memory-usage_in_bytes": 65 * MIB}
    assert told("9:cpu,cpuacct:/y\n4:memory:/x\n", **files) == 0
