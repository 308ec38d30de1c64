"""Questions -> an index that finds those which stand inside a longer text, as in a whole prompt.

Looking for each question in each text takes the product of both. Here the questions lie sorted, and a text is looked
up from each of its words on: the work is the text's words times the logarithm of the number of questions.
"""

from bisect import bisect_right
from collections.abc import Iterable
from itertools import accumulate

_HEAD = 3
"""Words by which most places of a text are told to begin no question, without a search."""


class QuestionIndex:
    """Normalised texts (words with single spaces) to be found in others as whole words.

    `compared` counts the texts that were looked at so far: the work that the searches took.
    """

    def __init__(self, texts: Iterable[str]) -> None:
        self._sorted = sorted({f"{text} " for text in texts if text})
        self._shorter = _prefixes(self._sorted)
        self._heads = {tuple(text.split(maxsplit=_HEAD)[:_HEAD]) for text in self._sorted}
        self._counts = {len(head) for head in self._heads}
        self._longest = max(map(len, self._sorted), default=0)
        self.compared = 0

    def inside(self, text: str) -> list[str]:
        """The texts of the index that stand in a normalised text, the longest first."""
        words, found = text.split(), set[str]()
        whole = " ".join(words) + " "
        starts = list(accumulate((len(word) + 1 for word in words), initial=0))
        for count in self._counts:
            for place, head in enumerate(zip(*(words[i:] for i in range(count)), strict=False)):
                if head in self._heads:
                    found |= self._beginning(whole[starts[place] : starts[place] + self._longest])
        return sorted((each[:-1] for each in found), key=len, reverse=True)

    def _beginning(self, rest: str) -> set[str]:
        """The texts with which the rest of a text begins.

        All of them are the beginning of the last text that sorts no later than the rest, or that text itself.
        """
        found = set()
        at = bisect_right(self._sorted, rest) - 1
        self.compared += len(self._sorted).bit_length()
        while at >= 0:
            self.compared += 1
            if rest.startswith(self._sorted[at]):
                found.add(self._sorted[at])
            at = self._shorter[at]
        return found


def _prefixes(texts: list[str]) -> list[int]:
    """For each of sorted texts, the place of the longest other one that it begins with, -1 for none."""
    places: list[int] = []
    open_: list[int] = []
    for place, text in enumerate(texts):
        while open_ and not text.startswith(texts[open_[-1]]):
            open_.pop()
        places.append(open_[-1] if open_ else -1)
        open_.append(place)
    return places
