"""`rimbench latency`: what an answer takes, at batch 1 and at larger ones, for several systems on the same items."""

import dataclasses
import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from rimbench.cli.run import RESULTS_OPTION

if TYPE_CHECKING:
    from rimbench.latency.measuring import Measured

NOISY = 0.1
"""A drift, or a relative spread of the middle half, beyond which a row is marked as noisy."""


def latency(
    system: Annotated[list[str], typer.Option(metavar="NAME", help="System by name or TOML file; repeat, or 'all'.")],
    suite: Annotated[str, typer.Option(metavar="NAME", help="Suite by name or TOML file: its items are asked.")],
    batch: Annotated[
        list[int] | None, typer.Option(metavar="N", min=1, help="Questions answered at once; repeat. 1 if not given.")
    ] = None,
    samples: Annotated[int, typer.Option(metavar="N", min=2, help="At least so many measured samples.")] = 32,
    seconds: Annotated[
        float, typer.Option(metavar="S", min=0, help="Time for further samples, while intervals are wide.")
    ] = 60.0,
    data: Annotated[Path | None, typer.Option(metavar="FILE", help="Rows of the suite from a local file.")] = None,
    model: Annotated[
        str | None, typer.Option(metavar="PATH", help="Weights: a checkpoint folder, or org/name@revision.")
    ] = None,
    engine: Annotated[str, typer.Option(metavar="NAME", help="auto, transformers or vllm.")] = "auto",
    json: Annotated[bool, typer.Option("--json", help="As JSON.")] = False,
    results: Annotated[Path, RESULTS_OPTION] = Path("results"),
) -> None:
    """Measure how long answers take: systems in turn, A B A B, on the same items, after warm-up.

    Every raw sample is kept in the results folder. The first system is the one that the others are compared with.

    Examples:

    \b
      rimbench latency --system nano-rim-v2 --system nano-cot --suite demo-in-dist --batch 1
      rimbench latency --system rim-v2 --system base --suite medmcqa --batch 1 --batch 64 --json
    """
    from rimbench import grid
    from rimbench.cli.output import note, print_json
    from rimbench.cli.selection import load_suites, load_systems
    from rimbench.latency.measuring import measure
    from rimbench.latency.timing import Rules

    systems = load_systems(system, note, model=model)
    loaded = load_suites([suite], [str(data)] if data else [], None, note)
    rules = Rules(least=samples, most=max(samples, 256), seconds=seconds)
    measured = []
    for size in batch or [1]:
        runs = grid.plan_runs(systems, loaded, grid.RunSettings(results, engine, size))
        note(f"batch {size}: {', '.join(s.name for s in systems)} on {suite}, {samples} samples or more")
        measured += measure(runs, size, rules)
    document = as_document(measured, suite)
    keep(document, results)
    if json:
        print_json(document)
    else:
        print_latency(measured, f"Latency on {suite}")


def print_latency(measured: "Sequence[Measured]", title: str) -> None:
    """The table of a terminal, and how often the first system's time each other one takes."""
    from rimbench.cli.output import print_table
    from rimbench.latency.measuring import ratio

    columns = (
        *("system", "batch", "quantity", "ms a batch", "95% interval", "p50", "p95", "p99", "ms each"),
        *("tokens in", "out", "times the first", "noise"),
    )
    rows = []
    for m in measured:
        first = next(o for o in measured if o.batch == m.batch)
        times = "" if first is m else _shown_ratio(ratio(m, first))
        name = (m.system, str(m.batch), m.quantity)
        interval = f"{_ms(m.mean.lo)} to {_ms(m.mean.hi)}"
        spread = (_ms(m.percentile(p)) for p in (50, 95, 99))
        each = f"{m.per_question_ms:.3g}"
        tokens = (f"{m.prompt_tokens:.0f}", f"{m.generated_tokens:.1f}")
        noise = ", ".join(noises(m))
        rows.append((*name, _ms(m.mean.value), interval, *spread, each, *tokens, times, noise))
    first = measured[0]
    remark = (
        f"{first.engine}, {first.dtype} on {first.device}, {len(first.samples_ms)} samples, systems in turn, "
        f"tokenisation outside; load average {first.load:.1f} at the start."
    )
    print_table(title, columns, rows, remark)


def noises(measured: "Measured") -> list[str]:
    """What makes a row's times doubtful; nothing for a quiet one."""
    found = []
    spread = (measured.percentile(75) - measured.percentile(25)) / measured.percentile(50)
    if spread > NOISY:
        found.append(f"spread {spread:.0%}")
    if abs(measured.drift) > NOISY:
        found.append(f"drift {measured.drift:+.0%}")
    return found


def as_document(measured: "Sequence[Measured]", suite: str) -> dict[str, Any]:
    """Everything measured, raw samples too."""
    from rimbench import provenance
    from rimbench.latency.measuring import ratio

    rows = []
    for m in measured:
        first = next(o for o in measured if o.batch == m.batch)
        times = ratio(m, first)
        figures = {
            "mean": m.mean.value,
            **{f"p{p}": m.percentile(p) for p in (50, 95, 99)},
            "ci95": [m.mean.lo, m.mean.hi],
        }
        compared = {"to": first.system, "ratio": times.value, "ci95": [times.lo, times.hi]}
        rows.append(dataclasses.asdict(m) | {"ms": figures, "per_sample_ms": m.per_question_ms, "times": compared})
    commit, dirty = provenance.commit()
    made = {"suite": suite, "measured_at": provenance.now(), "commit": commit, "dirty": dirty}
    device = provenance.describe_device(measured[0].device)
    return {"schema": 1, **made, "device": device, "versions": provenance.library_versions(), "rows": rows}


def keep(document: dict[str, Any], results: Path) -> Path:
    """Write what was measured into the results folder; nothing there is overwritten."""
    import json as encoder

    text = encoder.dumps(document, indent=1)
    path = results / f"latency-{hashlib.sha256(text.encode()).hexdigest()[:10]}" / "latency.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text + "\n", encoding="utf-8")
    return path


def _ms(value: float | None) -> str:
    return "-" if value is None else f"{value:.3g}" if value < 100 else f"{value:.0f}"


def _shown_ratio(times: Any) -> str:
    around = "" if times.lo is None else f" [{times.lo:.3g}, {times.hi:.3g}]"
    return f"{times.value:.3g}x{around}"
