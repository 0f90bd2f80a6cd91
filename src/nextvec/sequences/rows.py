"""The vectors of a corpus, one a row, wherever they are: in memory on a device, or on disk as a memory map.

Batches gather the rows they want; what they get is the same, bit for bit, whatever kind of rows they have.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from tempfile import TemporaryFile
from typing import Literal, Protocol

import numpy as np
import numpy.typing as npt
import psutil
import torch
from torch import Tensor

from nextvec.sequences.windows import IntArray

Place = Literal["auto", "resident", "mapped"]
"""Where rows are kept: `auto` takes `resident` where they fit, else `mapped`."""
LARGEST_SHARE = 0.5
"""Of the memory that is free, what resident rows may take; batches, models and what heads start at need the rest."""


class VectorRows(Protocol):
    """(N, D) float16 or float32."""

    @property
    def shape(self) -> tuple[int, int]: ...

    @property
    def device(self) -> torch.device:
        """Where rows come to when they are gathered."""
        ...

    def gather(self, index: Tensor) -> Tensor:
        """The rows of an int64 index (...) on the device, (..., D) float32 there."""
        ...

    def gather_each(self, indexes: Iterable[IntArray]) -> Iterator[Tensor]:
        """What `gather` gives of each index (n,), one after another; some may be read ahead of their time."""
        ...


class ResidentRows:
    """Rows in the memory of a device; the tensor is shared, not copied."""

    kind = "resident"

    def __init__(self, tensor_ND: Tensor) -> None:
        self.tensor_ND = tensor_ND

    @property
    def shape(self) -> tuple[int, int]:
        return self.tensor_ND.shape[0], self.tensor_ND.shape[1]

    @property
    def device(self) -> torch.device:
        return self.tensor_ND.device

    def like(self, width: int) -> ResidentRows:
        """As many rows of float16 zeros, kept alike."""
        return ResidentRows(torch.zeros(len(self.tensor_ND), width, dtype=torch.float16, device=self.device))

    def put(self, index_M: Tensor, rows_MD: Tensor) -> None:
        self.tensor_ND[index_M] = rows_MD

    def gather(self, index: Tensor) -> Tensor:
        return self.tensor_ND.index_select(0, index.flatten()).float().unflatten(0, index.shape)

    def gather_each(self, indexes: Iterable[IntArray]) -> Iterator[Tensor]:
        return (self.gather(torch.from_numpy(index).to(self.device)) for index in indexes)


class MappedRows:
    """Rows of an array on disk, read when they are asked for: each once, in the order in which they lie there."""

    kind = "mapped"

    def __init__(self, array_ND: npt.NDArray[np.floating], device: torch.device | str = "cpu") -> None:
        self.array_ND, self.device = array_ND, torch.device(device)

    @property
    def shape(self) -> tuple[int, int]:
        return self.array_ND.shape[0], self.array_ND.shape[1]

    def like(self, width: int) -> MappedRows:
        """As many rows of float16 zeros, kept alike: in a file without a name, which goes with them."""
        with TemporaryFile() as file:
            shape = (len(self.array_ND), width)
            return MappedRows(np.memmap(file, np.float16, "w+", shape=shape), self.device)

    def put(self, index_M: Tensor, rows_MD: Tensor) -> None:
        self.array_ND[index_M.cpu().numpy()] = rows_MD.cpu().numpy()

    def gather(self, index: Tensor) -> Tensor:
        wanted, place = np.unique(index.flatten().cpu().numpy(), return_inverse=True)
        read_WD = torch.from_numpy(self.array_ND[wanted]).to(self.device).float()
        return read_WD.index_select(0, torch.from_numpy(place).to(self.device)).unflatten(0, index.shape)

    def gather_each(self, indexes: Iterable[IntArray]) -> Iterator[Tensor]:
        return (self.gather(torch.from_numpy(index)) for index in indexes)


def rows_of(vectors: npt.NDArray[np.floating] | Tensor | VectorRows) -> VectorRows:
    """Rows as they are given: a tensor stays where it is, an array is copied into memory once.

    Give the result to several kinds of batches so that they hold the vectors once.
    """
    if isinstance(vectors, Tensor):
        return ResidentRows(vectors)
    return ResidentRows(torch.from_numpy(np.array(vectors))) if isinstance(vectors, np.ndarray) else vectors


def place_rows(
    array_ND: npt.NDArray[np.floating], device: torch.device | str, place: Place = "auto"
) -> ResidentRows | MappedRows:
    """The rows of a snapshot, in the memory of `device` or left on disk."""
    device = torch.device(device)
    if place == "mapped" or (place == "auto" and array_ND.nbytes > LARGEST_SHARE * free_memory(device)):
        return MappedRows(array_ND, device)
    return ResidentRows(torch.from_numpy(np.array(array_ND)).to(device))


def free_memory(device: torch.device) -> int:
    """Bytes that can still be had there."""
    if device.type == "cuda":
        return int(torch.cuda.mem_get_info(device)[0])
    return int(psutil.virtual_memory().available)
