"""What a result shows of itself in a notebook: its tables."""

from abc import abstractmethod
from collections.abc import Sequence

from rimbench.display import markup
from rimbench.display.tabular import Table


class ShowsTables:
    """A result that is tables to a person."""

    __slots__ = ()

    @property
    @abstractmethod
    def tables(self) -> Sequence[Table]:
        """The tables, as the command line prints them."""

    def _repr_html_(self) -> str:
        return "".join(map(markup.as_html, self.tables))

    def _repr_markdown_(self) -> str:
        return "\n\n".join(map(markup.table_as_markdown, self.tables))
