"""Golden sentences: fixed texts whose vectors show that an encoder still is the one that its record describes."""

from __future__ import annotations

import numpy as np

Sketch = tuple[tuple[float, ...], ...]
"""For each golden sentence, up to SKETCH_WIDTH components of its unit vector, evenly spaced, to 4 decimals."""

SKETCH_WIDTH = 16

GOLDEN_SENTENCES = (
    "Rain.",
    "The ferry to the island leaves at seven in the morning.",
    "In 1869 Mendeleev arranged 63 elements by atomic weight and left gaps for those still unknown.",
    "Die Straße führt über den Paß nach Süden; l'été, elle est fermée à 18 h 30.",
    "def area(radius): return 3.14159 * radius ** 2",
    "Proteins fold within milliseconds, although the number of conformations open to a chain of a hundred residues "
    "is far too large for a search at random; the landscape of free energy must therefore guide the chain downhill.",
    "“Nobody,” she said, “has ever opened this door twice.”",
    "A group is abelian if and only if the map that sends each element to its inverse is a homomorphism, which "
    "follows at once from writing out the product of two elements in both orders.",
)


def sketch_vectors(vectors: np.ndarray) -> Sketch:
    """Sketch of the golden sentences' unit vectors (G, D)."""
    width = min(SKETCH_WIDTH, vectors.shape[1])
    columns = np.linspace(0, vectors.shape[1] - 1, width).round().astype(int)
    return tuple(tuple(round(float(value), 4) for value in row) for row in vectors[:, columns])


def sketch_distance(left: Sketch, right: Sketch) -> float:
    """Norm of the difference relative to the larger norm, from 0 (equal) upwards; infinite for different shapes."""
    a, b = np.asarray(left, dtype=np.float64), np.asarray(right, dtype=np.float64)
    if a.shape != b.shape:
        return float("inf")
    scale = max(float(np.linalg.norm(a)), float(np.linalg.norm(b)), 1e-12)
    return float(np.linalg.norm(a - b)) / scale
