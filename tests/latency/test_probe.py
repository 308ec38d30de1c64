"""The probe of this machine: plain products and reads of the same size are no faster than it says."""

import subprocess
import sys
import time

import pytest
import torch

from rimbench.latency.machine import read_machine
from rimbench.latency.probe import probe


def test_a_matrix_product_reaches_no_more_than_the_measured_rate():
    a, products, rates = torch.randn(1024, 1024), [], []
    for _ in range(4):  # in turn, so that a busy machine slows both
        device = probe.__wrapped__("cpu", "float32", 1 << 22)
        rates.append(device.flop_per_s)
        products += [2 * 1024**3 / _timed(lambda: a @ a) for _ in range(10)]
    assert max(products) < 1.5 * max(rates)
    assert device.bytes_per_s > 1e8 and "measured here" in device.source


MEASURED_ALONE = """
import torch
from rimbench.latency.machine import extra_bytes
print(extra_bytes("cpu", lambda: torch.ones(50 << 20, dtype=torch.uint8).max()))
"""


def test_what_a_call_holds_at_its_peak_is_seen_even_where_it_is_freed():
    # In a process of its own: one that has worked before may still hold freed memory, and then takes no more.
    done = subprocess.run([sys.executable, "-c", MEASURED_ALONE], capture_output=True, text=True, check=True)
    if done.stdout.strip() == "None":
        pytest.skip("this system does not tell a process's peak")
    assert (40 << 20) < int(done.stdout) < (120 << 20)


def test_the_machines_load_and_ticks_are_read():
    before, after = read_machine(), read_machine()
    stolen = after.stolen_since(before)
    assert stolen is None or 0 <= stolen <= 1


def _timed(call):
    began = time.perf_counter()
    call()
    return time.perf_counter() - began
