"""An append-only sequence that is a value: appending gives a new one and leaves the old intact."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Generic, TypeVar, overload

Item = TypeVar("Item")


class Trail(Sequence[Item], Generic[Item]):
    """A persistent sequence with amortised constant-time append.

    Trails that grew from one another share one list and differ in how much of it they see, so a
    session of 100,000 events can be an immutable value at every event. Appending twice to the same
    trail copies, so neither result sees the other's item.
    """

    __slots__ = ("_items", "_length")

    def __init__(self, items: Iterable[Item] = ()) -> None:
        self._items = list(items)
        self._length = len(self._items)

    def append(self, item: Item) -> Trail[Item]:
        """This trail and one more item; the receiver is unchanged."""
        return self.extend((item,))

    def extend(self, items: Iterable[Item]) -> Trail[Item]:
        """This trail and more items; the receiver is unchanged."""
        grown: Trail[Item] = Trail.__new__(Trail)
        grown._items = (
            self._items if self._length == len(self._items) else self._items[: self._length]
        )
        grown._items.extend(items)
        grown._length = len(grown._items)
        return grown

    def __len__(self) -> int:
        return self._length

    @overload
    def __getitem__(self, index: int) -> Item: ...
    @overload
    def __getitem__(self, index: slice) -> list[Item]: ...
    def __getitem__(self, index: int | slice) -> Item | list[Item]:
        if isinstance(index, slice):
            return [self._items[at] for at in range(*index.indices(self._length))]
        if not -self._length <= index < self._length:
            raise IndexError(index)
        return self._items[index if index >= 0 else self._length + index]

    def __iter__(self) -> Iterator[Item]:
        for at in range(self._length):
            yield self._items[at]

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Trail) and self[:] == other[:]

    def __hash__(self) -> int:
        return hash(tuple(self))

    def __repr__(self) -> str:
        return f"Trail({self[:]!r})"
