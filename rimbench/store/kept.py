"""Which samples of which items are kept: a set of pairs, in one number an item."""

from collections.abc import Iterable, Iterator, Sequence, Set


class Kept(Set[tuple[str, int]]):
    """(item id, sample) pairs. A million of them in a plain set would take most of a gigabyte."""

    def __init__(self, pairs: Iterable[tuple[str, int]] = ()) -> None:
        self._bits: dict[str, int] = {}
        self._count = 0
        for item_id, sample in pairs:
            self.add(item_id, sample)

    def expect(self, item_ids: Iterable[str]) -> None:
        """Hold the ids of what will be counted, so that those which are read of it are not held beside them."""
        self._bits = {**dict.fromkeys(item_ids, 0), **self._bits} if self._bits else dict.fromkeys(item_ids, 0)

    def add(self, item_id: str, sample: int) -> bool:
        """Count a pair, once however often it is added; whether it is new."""
        bits, bit = self._bits.get(item_id, 0), 1 << sample
        if bits & bit:
            return False
        self._bits[item_id] = bits | bit
        self._count += 1
        return True

    def add_all(self, item_ids: Sequence[str], samples: Sequence[int]) -> list[bool]:
        """Count pairs, one by one; which of them are new."""
        kept, new = self._bits, []
        get = kept.get
        for item_id, sample in zip(item_ids, samples, strict=True):
            bits, bit = get(item_id, 0), 1 << sample
            new.append(not bits & bit)
            kept[item_id] = bits | bit
        self._count += sum(new)
        return new

    def missing(self, item_ids: Iterable[str], samples: int, first: int = 0) -> int:
        """How many of the samples `first` to `samples` of these items are not here."""
        asked = (2 << samples) - (1 << first)
        return sum((asked & ~self._bits.get(item_id, 0)).bit_count() for item_id in item_ids)

    @property
    def most_samples(self) -> int:
        """The largest sample of any item; 0 without one."""
        return max(1, max(map(int.bit_length, self._bits.values()), default=1)) - 1

    def __contains__(self, pair: object) -> bool:
        if not isinstance(pair, tuple):
            return False
        item_id, sample = pair
        return bool(self._bits.get(item_id, 0) >> sample & 1)

    def __iter__(self) -> Iterator[tuple[str, int]]:
        for item_id, bits in self._bits.items():
            yield from ((item_id, sample) for sample in range(bits.bit_length()) if bits >> sample & 1)

    def __len__(self) -> int:
        return self._count
