"""Options that several commands share."""

from typing import Annotated

import typer

AllowOutside = Annotated[
    bool, typer.Option("--allow-outside", help="Let suite and system files name files outside their own folders.")
]
