"""`rimbench report`: tables from the records, without a model."""

import atexit
import gc
import sys
from pathlib import Path
from typing import Annotated, Literal

import typer

from rimbench.cli.options import AllowOutside, FamilyNames, Margin, Results
from rimbench.errors import DataError, UsageError


def report(
    markdown: Annotated[bool, typer.Option("--markdown", help="As Markdown, for a model card or a review.")] = False,
    json: Annotated[bool, typer.Option("--json", help="As JSON, for other programs.")] = False,
    csv: Annotated[bool, typer.Option("--csv", help="As CSV, a line for each cell, or for what --of says.")] = False,
    of: Annotated[
        Literal["cells", "comparisons", "latency", "speedups"],
        typer.Option("--of", help="What --csv has a line for; speedups are those of latency."),
    ] = "cells",
    latex: Annotated[bool, typer.Option("--latex", help="As LaTeX tables with booktabs, for a paper.")] = False,
    bibtex: Annotated[bool, typer.Option("--bibtex", help="What to cite: methods, data and this tool.")] = False,
    model_index: Annotated[
        bool, typer.Option("--model-index", help="As the hub's evaluation metadata, YAML for a model card.")
    ] = False,
    html: Annotated[Path | None, typer.Option(metavar="FILE", help="Write one page to look at, answers too.")] = None,
    plots: Annotated[Path | None, typer.Option(metavar="DIR", help="Write every plot as SVG and PNG.")] = None,
    check: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Say what has changed since it was written; exit code 1 if any."),
    ] = None,
    by: Annotated[
        str | None,
        typer.Option(metavar="FACET", help="Break answers down by a column of the suite, options or length."),
    ] = None,
    system: Annotated[
        list[str] | None, typer.Option(metavar="NAME", help="Only this system's cells; may be repeated.")
    ] = None,
    suite: Annotated[
        list[str] | None, typer.Option(metavar="NAME", help="Only the cells on this suite; may be repeated.")
    ] = None,
    margin: Margin = 0.03,
    baseline: Annotated[
        str | None, typer.Option(metavar="NAME", help="What to compare with; a shipped system's own if not given.")
    ] = None,
    family: FamilyNames = None,
    all_pairs: Annotated[
        bool, typer.Option("--all-pairs", help="List every pair of systems, too; a page always does.")
    ] = False,
    allow_partial: Annotated[
        bool, typer.Option("--allow-partial", help="Verdicts also where answers are missing.")
    ] = False,
    allow_outside: AllowOutside = False,
    results: Results = None,
) -> None:
    """Print tables from the records of all runs. With no option: tables for the terminal.

    Examples:

    \b
      rimbench report
      rimbench report --markdown > report.md
      rimbench report --html report.html --plots plots
      rimbench report --baseline nano-direct
      rimbench report --system nano-rim-v2 --system nano-base --suite demo-in-dist
      rimbench report --csv --of comparisons > comparisons.csv
      rimbench report --latex > report.tex
      rimbench report --bibtex > report.bib
      rimbench report --check report.md
      rimbench report --by subject_name --csv > subjects.csv
    """
    gc.disable()  # nothing here is cyclic, and the collector takes a tenth of the reading of 100,000 records
    atexit.register(gc.freeze)  # nor does it look through all of it once more at the end
    from rimbench.api import results as front
    from rimbench.cli.output import note, print_table, print_text
    from rimbench.reporting import formats
    from rimbench.reporting import model_index as cards

    asked = {"markdown": markdown, "json": json, "csv": csv, "latex": latex, "bibtex": bibtex}
    chosen = [name for name, wanted in (*asked.items(), ("model-index", model_index)) if wanted]
    if len(chosen) > 1:
        raise UsageError(f"--{' and --'.join(chosen)}: give one of them")
    if of != "cells" and not csv:
        raise UsageError(f"--of {of}: add --csv, whose lines it chooses")
    others = [*chosen, *(name for name, given in (("html", html), ("plots", plots)) if given)]
    if check and others:
        raise UsageError(f"--check and --{others[0]}: give one of them; --check tells a report's form by its suffix")
    kept = formats.read_committed(check) if check else None
    made = front.report(
        results,
        by=by,
        margin=margin,
        baseline=baseline,
        family=family,
        allow_partial=allow_partial,
        allow_outside=allow_outside,
        systems=system or (),
        suites=suite or (),
    )
    summed = made.report
    shown = not (chosen or html or plots or check)
    for line in [] if shown else summed.notes:  # the tables have them
        note(line)
    if check is not None and kept is not None:
        rebuilt = formats.render(formats.format_of(check), summed, made.results, all_pairs=all_pairs)
        changed = formats.changes(kept, rebuilt)
        if changed:
            print_text("\n".join(changed))
            raise DataError(f"{check} is not what these records give: write it again, or find out what changed them")
        note(f"{check} is what these records give")
        return
    if html is not None:
        from rimbench.reporting.page import page_pieces

        formats.write(html, page_pieces(summed, made.results))
        note(f"wrote {html}")
    if plots is not None:
        from rimbench.reporting.plots import make_plots, save_plots

        note(f"wrote {len(save_plots(make_plots(summed), plots))} files to {plots}")
    for line in cards.left_out(summed) if model_index else ():
        note(line)
    if chosen:
        sys.stdout.write(formats.render(chosen[0], summed, made.results, all_pairs=all_pairs, of=of))
    if shown:
        from rimbench.reporting import tables

        for table in tables.make_tables(summed, all_pairs=all_pairs):
            print_table(table)
        print_text(tables.DISCLAIMER)
