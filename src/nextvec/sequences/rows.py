"""The vectors of a corpus, one a row, wherever they are: in memory on a device, on disk as a memory map, or in the
corpus itself.

Batches gather the rows they want; what they get is the same, bit for bit, whatever kind of rows they have.
"""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from mmap import mmap
from pathlib import Path
from shutil import disk_usage
from tempfile import TemporaryFile, gettempdir
from typing import TYPE_CHECKING, Literal, NamedTuple, Protocol
from weakref import finalize

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from nextvec.device import free_memory
from nextvec.disk import storing
from nextvec.errors import IntegrityError
from nextvec.launch import launched_here
from nextvec.sequences.windows import IntArray

if TYPE_CHECKING:
    from nextvec.store.snapshot import Snapshot
    from nextvec.store.stored import VectorSource

Place = Literal["auto", "resident", "mapped", "sharded"]
"""Where rows are kept: `auto` takes `resident` where they fit, else `mapped` where a copy of them fits on the disk or
is there, else `sharded`."""
LARGEST_SHARE = 0.5
"""Of the memory that is free, what resident rows may take; batches, models and what heads start at need the rest. And
of the disk that is free, what a copy may take."""
TOGETHER = 32_768
"""Rows that are read from a corpus at once, those of several batches: what a reading costs beside its rows is by the
fragment of the corpus."""
RUN = 65_536
"""Rows that are read from a file in one call."""
AHEAD = 2
"""Such readings that are under way before their time: a bucket takes its time to answer, but answers several."""


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

    def like(self, width: int, _: Path | None = None) -> ResidentRows:
        """As many rows of float16 zeros, kept alike."""
        return ResidentRows(torch.zeros(len(self.tensor_ND), width, dtype=torch.float16, device=self.device))

    def put(self, index_M: Tensor, rows_MD: Tensor) -> None:
        self.tensor_ND[index_M] = rows_MD

    def gather(self, index: Tensor) -> Tensor:
        return self.tensor_ND.index_select(0, index.flatten()).float().unflatten(0, index.shape)

    def gather_each(self, indexes: Iterable[IntArray]) -> Iterator[Tensor]:
        return (self.gather(torch.from_numpy(index).to(self.device)) for index in indexes)


class MappedRows:
    """Rows of an array on disk, read when they are asked for: each once, in the order in which they lie there, and what
    lies side by side at once. A map alone would read, at every page that is not in memory, what the system reads ahead:
    up to 8 MB for the 15 KB of a document.
    """

    kind = "mapped"

    def __init__(
        self,
        array_ND: npt.NDArray[np.floating],
        device: torch.device | str = "cpu",
        file: int | None = None,
    ) -> None:
        """file: the descriptor, which goes with these rows, of what the array is a map of, unless its name tells."""
        self.array_ND, self.device = array_ND, torch.device(device)
        self._file = _opened(array_ND) if file is None else file
        if self._file is not None:
            finalize(self, os.close, self._file)

    @property
    def shape(self) -> tuple[int, int]:
        return self.array_ND.shape[0], self.array_ND.shape[1]

    def like(self, width: int, folder: Path | None = None) -> MappedRows:
        """As many rows of float16 zeros, kept alike, as `empty_rows`."""
        return empty_rows(len(self.array_ND), width, self.device, folder)

    def put(self, index_M: Tensor, rows_MD: Tensor) -> None:
        self.array_ND[index_M.cpu().numpy()] = rows_MD.cpu().numpy()

    def gather(self, index: Tensor) -> Tensor:
        """Raises IntegrityError where the file has become shorter."""
        wanted_W, place = torch.unique(index.cpu(), return_inverse=True)
        rows_WD = torch.from_numpy(self._read(wanted_W.numpy())).to(self.device).float()
        return rows_WD if torch.equal(place, torch.arange(len(wanted_W))) else rows_WD[place.to(self.device)]

    def gather_each(self, indexes: Iterable[IntArray]) -> Iterator[Tensor]:
        return (self.gather(torch.from_numpy(index)) for index in indexes)

    def _read(self, wanted_W: IntArray) -> npt.NDArray[np.floating]:
        if self._file is None:
            return self.array_ND[wanted_W]
        size, start = self.array_ND.strides[0], getattr(self.array_ND, "offset", 0)
        runs = [os.pread(self._file, size * count, start + size * row) for row, count in _runs(wanted_W)]
        read = bytearray().join(runs)
        if len(read) != size * len(wanted_W):
            raise IntegrityError(
                f"the file of {len(self.array_ND):,} vectors has become shorter: open the corpus again"
            )
        return np.frombuffer(read, self.array_ND.dtype).reshape(len(wanted_W), self.shape[1])


def _opened(array_ND: npt.NDArray[np.floating]) -> int | None:
    """What a whole array is a map of; None of one in memory, and where the file is gone."""
    if not isinstance(array_ND, np.memmap) or not isinstance(array_ND.base, mmap) or array_ND.filename is None:
        return None
    try:
        return os.open(array_ND.filename, os.O_RDONLY)
    except OSError:
        return None


def _runs(wanted_W: IntArray) -> Iterator[tuple[int, int]]:
    """First and number of the rows that follow one another, of ascending ones; of many, at most `RUN` at once."""
    begins = np.ones(len(wanted_W), dtype=bool)
    begins[1:] = (np.diff(wanted_W) != 1) | (wanted_W[1:] % RUN == 0)
    firsts = np.flatnonzero(begins)
    return zip(wanted_W[firsts].tolist(), np.diff(firsts, append=len(wanted_W)).tolist(), strict=True)


class ShardedRows:
    """Rows in the corpus itself, of which no copy is made: they are read when they are asked for, and those of batches
    to come together, by threads in the background."""

    kind = "sharded"

    def __init__(self, source_ND: VectorSource, device: torch.device | str = "cpu") -> None:
        self.source_ND, self.device = source_ND, torch.device(device)

    @property
    def shape(self) -> tuple[int, int]:
        return self.source_ND.shape[0], self.source_ND.shape[1]

    def like(self, width: int, folder: Path | None = None) -> MappedRows:
        """As many rows of float16 zeros, as `empty_rows`: a corpus holds no others."""
        return empty_rows(len(self.source_ND), width, self.device, folder)

    def gather(self, index: Tensor) -> Tensor:
        (rows_ND,) = _Read.of(self.source_ND, [index.flatten().cpu().numpy()]).on(self.device)
        return rows_ND.unflatten(0, index.shape)

    def gather_each(self, indexes: Iterable[IntArray]) -> Iterator[Tensor]:
        readers, ahead = ThreadPoolExecutor(AHEAD, "rows"), deque[Future[_Read]]()
        try:
            for group in _grouped(indexes, TOGETHER):
                ahead.append(readers.submit(_Read.of, self.source_ND, group))
                if len(ahead) > AHEAD:
                    yield from ahead.popleft().result().on(self.device)
            while ahead:
                yield from ahead.popleft().result().on(self.device)
        finally:
            for reading in ahead:
                reading.cancel()
            readers.shutdown()


class _Read(NamedTuple):
    """Rows that were read, each once and in the order in which they lie (W, D), and of each index the places of what it
    wanted (n,)."""

    rows_WD: npt.NDArray[np.floating]
    places: list[IntArray]

    @classmethod
    def of(cls, source_ND: VectorSource, indexes: Sequence[IntArray]) -> _Read:
        wanted, place = np.unique(np.concatenate(indexes), return_inverse=True)
        ends = np.cumsum([len(index) for index in indexes])
        return cls(source_ND[wanted], np.split(place, ends[:-1]))

    def on(self, device: torch.device) -> Iterator[Tensor]:
        """(n, D) float32 for each index, made when its turn comes: all at once would be fresh memory, half a reading's
        cost."""
        return (torch.from_numpy(self.rows_WD[place]).to(device).float() for place in self.places)


def _grouped(indexes: Iterable[IntArray], size: int) -> Iterator[list[IntArray]]:
    """Neighbours together until they ask for `size` rows."""
    group: list[IntArray] = []
    for index in indexes:
        group.append(index)
        if sum(map(len, group)) >= size:
            yield group
            group = []
    if group:
        yield group


Rows = ResidentRows | MappedRows | ShardedRows


def empty_rows(count: int, width: int, device: torch.device, folder: Path | None = None) -> MappedRows:
    """Rows of float16 zeros in a file without a name, which goes with them: in `folder`, or where the system keeps such
    files, which may be its memory.

    Raises FullDiskError: a process whose memory map outgrows the disk would be killed without a word.
    """
    place = folder or Path(gettempdir())
    place.mkdir(parents=True, exist_ok=True)
    with storing("what heads start at", place), TemporaryFile(dir=place) as file:
        _reserve(file.fileno(), count * width * np.dtype(np.float16).itemsize)
        array = np.memmap(file, np.float16, "w+", shape=(count, width))
        return MappedRows(array, device, os.dup(file.fileno()))


def _reserve(file: int, size: int) -> None:
    if size and hasattr(os, "posix_fallocate"):
        os.posix_fallocate(file, 0, size)


def rows_of(vectors: npt.NDArray[np.floating] | Tensor | VectorRows) -> VectorRows:
    """Rows as they are given: a tensor stays where it is, an array is copied into memory once.

    Give the result to several kinds of batches so that they hold the vectors once.
    """
    if isinstance(vectors, Tensor):
        return ResidentRows(vectors)
    return ResidentRows(torch.from_numpy(np.array(vectors))) if isinstance(vectors, np.ndarray) else vectors


def place_rows(snapshot: Snapshot, device: torch.device | str, place: Place = "auto") -> Rows:
    """The rows of a snapshot: in the memory of `device`, mapped from a copy on disk, or read from its corpus."""
    device = torch.device(device)
    chosen = choose_place(snapshot, device) if place == "auto" else place
    if chosen == "sharded":
        return ShardedRows(snapshot.stored, device)
    if chosen == "mapped":
        return MappedRows(snapshot.vectors, device)
    return ResidentRows(torch.from_numpy(np.array(snapshot.vectors)).to(device))


def choose_place(snapshot: Snapshot, device: torch.device) -> Place:
    """What `auto` is for a snapshot and a device."""
    size = snapshot.stored.nbytes
    if resident_bytes(snapshot, device) <= LARGEST_SHARE * free_memory(device):
        return "resident"
    file = snapshot.map_file
    return "mapped" if file is None or file.exists() or size <= LARGEST_SHARE * free_disk(file) else "sharded"


def resident_bytes(snapshot: Snapshot, device: torch.device) -> int:
    """What resident rows take of the memory of `device`: the processor's holds a copy for each process of a machine."""
    return snapshot.stored.nbytes * (launched_here() if device.type == "cpu" else 1)


def free_disk(file: Path) -> int:
    """Bytes that can still be had where a file would be."""
    return disk_usage(next(folder for folder in file.absolute().parents if folder.exists())).free
