"""One thread everywhere, subprocesses too: on a busy machine more of them spin instead of computing.

No test changes the number: sums are split by threads, so what is compared bit for bit needs the same number of them.
"""

import os

import pytest

os.environ["OMP_NUM_THREADS"] = "1"


@pytest.fixture(scope="session")
def make_process():
    """Snapshots of a process on the sphere: x' = unit(R x + noise), R the same rotation for all documents."""
    import numpy as np

    from nextvec.encoders.encoder import EncoderSpec
    from nextvec.store.snapshot import Snapshot

    def unit(x):
        return x / np.linalg.norm(x, axis=-1, keepdims=True)

    def walk(lengths, dim, noise, seed):
        random = np.random.default_rng(seed)
        rotation = np.linalg.qr(random.standard_normal((dim, dim)))[0]
        rows = []
        for length in lengths:
            x = unit(random.standard_normal(dim))
            for _ in range(length):
                rows.append(x)
                x = unit(rotation @ x + noise * unit(random.standard_normal(dim)))
        return np.array(rows)

    def make(lengths, *, dim=12, noise=0.5, seed=0, vectors=None, **settings):
        rows = walk(lengths, dim, noise, seed) if vectors is None else vectors
        settings.setdefault("encoder", EncoderSpec(name="process", dim=dim, weights_hash="p"))
        settings.setdefault("split", {"salt": "s", "test": 200, "validation": 400})
        offsets = np.concatenate([[0], np.cumsum(lengths)])
        ids = [f"doc-{i}" for i in range(len(lengths))]
        return Snapshot.from_arrays("process", rows.astype(np.float32), offsets, ids, **settings)

    return make
