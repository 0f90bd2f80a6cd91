"""Vectors where they are stored: as much of an array as their readers need, whether they are in memory or in Lance."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
import numpy.typing as npt

from nextvec.errors import IntegrityError
from nextvec.store.dataset import read_batches, read_table, take_rows

if TYPE_CHECKING:
    import lance
    import pyarrow as pa

Rows = slice | npt.NDArray[np.integer[Any]]


class VectorSource(Protocol):
    """(N, D) float16 or float32; any NumPy array is one."""

    @property
    def shape(self) -> tuple[int, ...]: ...

    @property
    def dtype(self) -> np.dtype[Any]: ...

    @property
    def nbytes(self) -> int: ...

    def __len__(self) -> int: ...

    def __getitem__(self, rows: Rows, /) -> npt.NDArray[np.floating]:
        """The rows of a slice, or of an array of their numbers, in its order."""
        ...


class OpenVersion(Protocol):
    """One version of a corpus. Pickled it is not what it holds, but where: another process opens it again."""

    @property
    def dataset(self) -> lance.LanceDataset: ...

    @property
    def cache(self) -> Path:
        """Disposable, of the machine that this process is on."""
        ...


class StoredVectors:
    """The column of vectors of one version of a corpus; every reading reads it anew, from any thread.

    Raises IntegrityError where it cannot be read.
    """

    def __init__(self, version: OpenVersion, dim: int, dtype: np.dtype[Any]) -> None:
        self.version, self.dataset, self.dtype = version, version.dataset, dtype
        self.shape = (self.dataset.count_rows(), dim)

    def __reduce__(self) -> tuple[type[StoredVectors], tuple[OpenVersion, int, np.dtype[Any]]]:
        return StoredVectors, (self.version, self.shape[1], self.dtype)

    @property
    def nbytes(self) -> int:
        return len(self) * self.shape[1] * self.dtype.itemsize

    def __len__(self) -> int:
        return self.shape[0]

    def __getitem__(self, rows: Rows) -> npt.NDArray[np.floating]:
        try:
            return self._range(rows) if isinstance(rows, slice) else self._take(rows)
        except (OSError, ValueError) as error:
            raise IntegrityError(f"{self.dataset.uri}: vectors cannot be read: {error}") from None

    def blocks(self) -> Iterator[npt.NDArray[np.floating]]:
        """All rows in order. A short read-ahead: with Lance's own, fresh memory for it costs more than the waiting it
        saves."""
        batches = read_batches(
            self.dataset, columns=["vector"], batch_readahead=2, fragment_readahead=1, io_buffer_size=1 << 23
        )
        return (self._array(batch.column(0)) for batch in batches)

    def _range(self, rows: slice) -> npt.NDArray[np.floating]:
        first, end, _ = rows.indices(len(self))
        table = read_table(self.dataset, columns=["vector"], offset=first, limit=max(0, end - first))
        return self._array(table["vector"])

    def _take(self, rows: npt.NDArray[np.integer[Any]]) -> npt.NDArray[np.floating]:
        """Lance reads what lies side by side at once, if it is asked for in order, and each row once."""
        if (rows[:-1] < rows[1:]).all():
            return self._array(take_rows(self.dataset, rows.tolist(), columns=["vector"])["vector"])
        wanted, place = np.unique(rows, return_inverse=True)
        return self._take(wanted)[place]

    def _array(self, column: pa.Array | pa.ChunkedArray) -> npt.NDArray[np.floating]:
        import pyarrow as pa

        whole = column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column
        flat: npt.NDArray[np.floating] = whole.flatten().to_numpy()
        return flat.reshape(-1, self.shape[1])
