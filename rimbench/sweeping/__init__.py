"""Sweeps: one system on one suite at every memory budget K in 0..K_max, read out from one packed pass a batch.

Flows in: a planned cell. Flows out: a folder of ordinary runs, `k0` to `k<K_max>`, each with its manifest, items
and records, so that a report or a comparison reads them with `--results FOLDER` like any others. They lie one level
below the results of `rimbench run`, where they would add nine systems to every family of comparisons.
"""

from rimbench.sweeping.budgets import Sweep, plan_sweep, run_sweep

__all__ = ["Sweep", "plan_sweep", "run_sweep"]
