"""Leakage: what training could have seen of the documents it is judged on.

Four questions, each answered by a count, a total and the share that is still allowed: do two parts share a document
by id, does training hold a held-out document's content under another id, are whole windows (context and target)
stored identically in training and in a held-out part, and how many held-out targets have a training vector that is
practically the same.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import combinations
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from nextvec.errors import DataError
from nextvec.sequences.identity import blocks, row_keys, window_keys
from nextvec.sequences.splits import PARTS, Part
from nextvec.sequences.windows import IntArray, target_rows

if TYPE_CHECKING:
    from nextvec.store.snapshot import Snapshot

CONTEXT = 5
SAMPLED_TARGETS = 2_000
SAME_TARGET = 0.999
"""Cosine above which two chunks are practically the same text."""
WINDOWS_ALLOWED = 0.001
"""Independent documents practically never repeat six chunks in a row; one per mille leaves room for boilerplate."""
TARGETS_ALLOWED = 0.05
"""Stock sentences are part of a language, so a few repeated targets are no leak; beyond one in twenty, remembering
training chunks pays off."""
HELD_OUT: tuple[Part, ...] = ("validation", "test")


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """`count` of `total` things are shared; `allowed` is the share in [0, 1] up to which that passes."""

    what: str
    count: int
    total: int
    allowed: float
    note: str = ""

    @property
    def share(self) -> float:
        return self.count / self.total if self.total else 0.0

    @property
    def passed(self) -> bool:
        return self.share <= self.allowed

    def describe(self) -> str:
        allowed = f"up to {self.allowed:.1%} allowed" if self.allowed else "none allowed"
        verdict = "passed" if self.passed else "FAILED"
        return f"{verdict}: {self.count} of {self.total} {self.what} ({self.share:.2%}; {allowed}){self.note}"


@dataclass(frozen=True, slots=True)
class LeakageReport:
    findings: tuple[Finding, ...]

    @property
    def passed(self) -> bool:
        return all(finding.passed for finding in self.findings)

    def lines(self) -> list[str]:
        """One sentence a finding."""
        return [finding.describe() for finding in self.findings]

    def to_dict(self) -> dict[str, Any]:
        keys = ("what", "count", "total", "share", "allowed", "passed")
        findings = [{key: getattr(finding, key) for key in keys} for finding in self.findings]
        return {"passed": self.passed, "findings": findings}


def check_leakage(
    snapshot: Snapshot,
    parts: Mapping[Part, IntArray],
    *,
    context: int = CONTEXT,
    sampled_targets: int = SAMPLED_TARGETS,
    seed: int = 0,
) -> LeakageReport:
    """What the parts of a snapshot share.

    Args:
        parts: document indexes of "train", "validation" and "test", e.g. `Split.parts`.
        context: vectors before the target in the windows compared.
        sampled_targets: held-out targets compared with every training row, at most this many a part, drawn with
            `seed`; the finding says when it rests on a sample.

    Raises DataError when a part is missing.
    """
    if missing := [part for part in PARTS if part not in parts]:
        raise DataError(f"{snapshot.label}: no {', '.join(missing)} documents given to the leakage check")
    findings = [_shared_ids(snapshot, parts), _shared_contents(snapshot, parts)]
    keys = row_keys(snapshot.vectors)
    for part in HELD_OUT:
        findings.append(_shared_windows(snapshot, keys, parts, part, context))
        findings.append(_repeated_targets(snapshot, parts, part, sampled_targets, seed))
    return LeakageReport(tuple(findings))


def _shared_ids(snapshot: Snapshot, parts: Mapping[Part, IntArray]) -> Finding:
    ids = {part: {snapshot.documents[i].doc_id for i in parts[part].tolist()} for part in PARTS}
    shared = set().union(*(ids[left] & ids[right] for left, right in combinations(PARTS, 2)))
    named = f", for example {min(shared)}" if shared else ""
    return Finding(
        what="documents are in more than one part",
        count=len(shared),
        total=len(set().union(*ids.values())),
        allowed=0.0,
        note=named,
    )


def _shared_contents(snapshot: Snapshot, parts: Mapping[Part, IntArray]) -> Finding:
    trained = {snapshot.documents[i].content_hash for i in parts["train"].tolist()}
    held_out = np.concatenate([parts[part] for part in HELD_OUT]).tolist()
    copies = [i for i in held_out if snapshot.documents[i].content_hash in trained]
    named = f", for example {snapshot.documents[copies[0]].doc_id}" if copies else ""
    return Finding(
        what="held-out documents have exactly the text of a training document",
        count=len(copies),
        total=len(held_out),
        allowed=0.0,
        note=named,
    )


def _shared_windows(
    snapshot: Snapshot, row_keys: npt.NDArray[np.uint64], parts: Mapping[Part, IntArray], part: Part, context: int
) -> Finding:
    keys = {
        name: window_keys(row_keys, target_rows(snapshot.offsets, parts[name], context), context)
        for name in ("train", part)
    }
    count = int(np.isin(keys[part], keys["train"]).sum())
    return Finding(
        what=f"windows of {part} (context {context} and target) are also in training",
        count=count,
        total=len(keys[part]),
        allowed=WINDOWS_ALLOWED,
    )


def _repeated_targets(
    snapshot: Snapshot, parts: Mapping[Part, IntArray], part: Part, sampled: int, seed: int
) -> Finding:
    targets = target_rows(snapshot.offsets, parts[part], 1)
    trained = target_rows(snapshot.offsets, parts["train"], 1)
    note = ""
    if len(targets) > sampled:
        note = f", estimated from {sampled} of {len(targets)} targets"
        targets = np.random.default_rng(seed).choice(targets, sampled, replace=False)
    repeated = count_closer(snapshot.vectors, targets, trained, SAME_TARGET) > 0
    return Finding(
        what=f"targets of {part} have a training target closer than cosine {SAME_TARGET}",
        count=int(repeated.sum()),
        total=len(targets),
        allowed=TARGETS_ALLOWED,
        note=note,
    )


def count_closer(
    vectors: npt.NDArray[np.floating], rows: IntArray, others: IntArray, cosine: float
) -> npt.NDArray[np.int64]:
    """(len(rows),) how many of `others` are closer to each of `rows` than `cosine`; `vectors` of any norm but zero."""
    wanted = unit_rows(vectors[rows])
    counts = np.zeros(len(rows), np.int64)
    for block in blocks(len(others)):
        counts += (wanted @ unit_rows(vectors[others[block]]).T > cosine).sum(axis=1)
    return counts


def unit_rows(vectors: npt.NDArray[np.floating]) -> npt.NDArray[np.float32]:
    """(N, D) float32 of norm 1; a zero vector stays zero."""
    wide = vectors.astype(np.float32)
    return wide / np.maximum(np.linalg.norm(wide, axis=1, keepdims=True), np.float32(1e-12))
