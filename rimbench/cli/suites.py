"""`rimbench suites`: what suites there are, and what one of them holds."""

import sys
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from rimbench.cli.grouping import GroupedCommand
from rimbench.cli.options import AllowOutside, Data
from rimbench.cli.output import console, note, print_json, print_table
from rimbench.display.plaintext import plain, shown
from rimbench.display.tabular import Table

if TYPE_CHECKING:
    from rimbench.suites import Suite

app = typer.Typer(help="List the suites, or show what one of them holds.", invoke_without_command=True)

_IDS_SHOWN = 30


@app.callback(epilog="Example: rimbench suites --json")
def list_suites(
    context: typer.Context,
    as_json: Annotated[bool, typer.Option("--json", help="Print the list as JSON.")] = False,
) -> None:
    """List the suites, and whether each can be loaded here; `rimbench suites show NAME` shows one."""
    if context.invoked_subcommand is not None:
        return
    from rimbench.api.readiness import every_suite
    from rimbench.cli.systems import project_or_note

    found = every_suite(project_or_note())
    if as_json:
        print_json([asdict(s) | {"loadable": r.needs is None, "why": r.needs} for s, r in found])
        return
    here = [(s.name, str(s.n or ""), s.source, s.description) for s, ready in found if ready.needs is None]
    print_table(Table("Suites ready here", ("name", "N", "source", "description"), here, optional=("source",)))
    lacking = [
        (s.name, str(s.n or ""), r.needs, r.mend or "", s.description) for s, r in found if r.needs is not None
    ]
    if lacking:
        columns = ("name", "N", "needs", "mended by", "description")
        print_table(Table("Suites that need something first", columns, lacking, optional=("description", "N")))


@app.command(
    cls=GroupedCommand,
    epilog="Examples: rimbench suites show medqa --data phrases_no_exclude_test.jsonl  |  "
    "rimbench suites show my-suite.toml --limit 100 --json",
)
def show(
    name: Annotated[str, typer.Argument(metavar="NAME", help="A suite's name, or the path of its TOML file.")],
    data: Data = None,
    slice_: Annotated[
        Literal["heldout", "train", "all"],
        typer.Option("--slice", help="What is kept for evaluation (cut to N), the rest, or every row."),
    ] = "heldout",
    limit: Annotated[
        int | None, typer.Option("--limit", "-n", metavar="N", help="Only the first n of the frozen order.")
    ] = None,
    allow_outside: AllowOutside = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print the suite, items included, as JSON.")] = False,
) -> None:
    """Load a suite, and show its source, its hash, what its label audit left out, and an item."""
    from rimbench.api.project import read_project
    from rimbench.api.selection import data_of
    from rimbench.suites import load

    rows = data_of(name, data or (), read_project(allow_outside=allow_outside), note)
    suite = load(name, data=rows, limit=limit, slice_=slice_, allow_outside=allow_outside)
    if len(suite.items) < suite.n_requested:
        wanted = suite.n_requested
        note(f"suite {suite.name}: {len(suite.items)} items of the {wanted} asked for: there are no more")
    if as_json:
        print_json(_document(suite))
    else:
        _print_summary(suite)


def _document(suite: "Suite") -> dict[str, Any]:
    audit = suite.audit
    return {
        "suite": suite.name,
        "n": len(suite.items),
        "content_sha256": suite.content_sha256,
        "audit": {
            "rows": audit.rows,
            "usable": audit.usable,
            "used": audit.used,
            "left_out": dict(audit.left_out),
            "faulty": audit.faulty,
            "faults": {f.kind: {"count": f.count, "item_ids": list(f.item_ids)} for f in audit.faults},
            "gold_histogram": dict(audit.gold_histogram),
            "own_labels": audit.own_labels,
        },
        "items": [
            {"item_id": i.item_id, "question": i.question, "options": dict(i.options), "gold": i.gold}
            for i in suite.items
        ],
    }


def _print_summary(suite: "Suite") -> None:
    from rimbench.suites import question_text

    source, audit = suite.source, suite.audit
    origin = ", ".join(part for part in (source.name, source.file, source.split) if part)
    rows = [
        ["source", f"{origin} ({source.kind})"],
        ["revision", source.revision],
        ["slice", suite.slice],
        ["items", f"{len(suite.items)} of {audit.usable} usable, seed {suite.seed}"],
        ["content sha256", suite.content_sha256],
        ["gold letters", ", ".join(f"{letter} {count}" for letter, count in audit.gold_histogram.items())],
        ["rows read", str(audit.rows)],
    ]
    if audit.own_labels:
        rows.append(["own labels taken off", f"{audit.own_labels} items, whose options bore their letters"])
    rows += [[f"left out: {reason.replace('_', ' ')}", str(count)] for reason, count in audit.left_out.items()]
    rows += [[f"faulty: {f.kind.replace('_', ' ')}", f"{f.count}: {_ids(f.item_ids)}"] for f in audit.faults]
    print_table(Table(f"Suite {suite.name}", ["what", "value"], rows))
    item = suite.items[0]
    _print_text(f"First item: {plain(item.item_id)}, gold {item.gold}\n{question_text(suite.wording, item)}")


def _print_text(text: str) -> None:
    """Write running text, broken between words where there is a terminal, and as it is where there is none."""
    console(highlight=False, markup=False, emoji=False, soft_wrap=not sys.stdout.isatty()).print(shown(text))


def _ids(item_ids: tuple[str, ...]) -> str:
    more = len(item_ids) - _IDS_SHOWN
    return ", ".join(item_ids[:_IDS_SHOWN]) + (f" and {more} more (--json lists all)" if more > 0 else "")
