"""Help whose options stand in groups: what to ask, how to ask, where the answers go and in which form.

An option that is declared with a `rich_help_panel` stands in the group of that name.
"""

from typing import Any

from typer.core import TyperCommand

WHAT = {
    "system", "suite", "data", "limit", "model", "name", "samples", "seed", "blocks", "item", "only", "option",
    "batch", "permute_options", "rotate_options", "blind", "prompt_tokens", "quantity", "base", "check_suite",
    "slice_",
}  # fmt: skip
"""The options that say what is asked; what is in neither set says how."""
WHERE = {
    "results", "json", "as_json", "markdown", "csv", "latex", "model_index", "bibtex", "html", "plots", "plot",
    "check", "out", "fresh", "allow_outside", "help",
}  # fmt: skip
FEW = 8
"""Options that are looked through at once, without groups."""


class GroupedCommand(TyperCommand):
    """A command whose help groups its options; typer does so in colours alone, which double the time of `--help`."""

    def format_options(self, ctx: Any, formatter: Any) -> None:
        """Arguments, then the groups that have options."""
        asks = any(param.name in ("system", "suite") for param in self.params)
        groups: dict[str, list[tuple[str, str]]] = {"Arguments": [], "What to ask": [], "How to ask": [], "Where": []}
        own: dict[str, list[tuple[str, str]]] = {}
        for param in self.get_params(ctx):
            record = param.get_help_record(ctx)
            name = "Where" if param.name in WHERE else "What to ask" if param.name in WHAT else "How to ask"
            panel = getattr(param, "rich_help_panel", None)
            if record is not None and panel:
                own.setdefault(panel, []).append(record)
            elif record is not None:
                groups["Arguments" if param.param_type_name == "argument" else name].append(record)
        arguments, what, how, where = groups.values()
        if len(what) + len(how) + len(where) <= FEW:
            told = {"Arguments": arguments, "Options": [*what, *how, *where]}
        elif not asks:
            told = {"Arguments": arguments, "Options": [*what, *how], "Where and in which form": where}
        else:
            told = {"Arguments": arguments, "What to ask": what, "How to ask": how, "Where and in which form": where}
        for title, records in (told | own).items():
            if records:
                with formatter.section(title):
                    formatter.write_dl(records)
