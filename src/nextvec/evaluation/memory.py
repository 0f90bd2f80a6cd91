"""How much memory a call takes: of that call alone, on any device, whatever the process held before or has let go."""

from __future__ import annotations

import weakref
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from torch import Tensor, UntypedStorage
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves


def peak_bytes(call: Callable[[], object]) -> int:
    """The most bytes that the tensors which `call` makes hold at once, its result among them.

    Tensors that were there before (weights, inputs) do not count, nor does what a kernel needs inside itself. Counted
    operation by operation, so it is the same at every call, and no other work of the process is in it.
    """
    with _LiveTensors() as live:
        call()
    return live.peak


class _LiveTensors(TorchDispatchMode):
    """Bytes of the tensors that operations within it have made: those alive `now`, and the `peak`."""

    def __init__(self) -> None:
        super().__init__()
        self.now = self.peak = 0

    def __torch_dispatch__(
        self, operation: Any, types: Any, args: tuple[Any, ...] = (), kwargs: Mapping[str, Any] | None = None
    ) -> Any:
        result = operation(*args, **(kwargs or {}))
        old = {storage._cdata for storage in _storages((args, kwargs))}
        for new in {storage._cdata: storage for storage in _storages(result) if storage._cdata not in old}.values():
            self._add(new)
        return result

    def _add(self, storage: UntypedStorage) -> None:
        size = storage.nbytes()
        self.now += size
        self.peak = max(self.peak, self.now)
        weakref.finalize(storage, self._remove, size)

    def _remove(self, size: int) -> None:
        self.now -= size


def _storages(values: Any) -> Iterator[UntypedStorage]:
    return (value.untyped_storage() for value in tree_leaves(values) if isinstance(value, Tensor))
