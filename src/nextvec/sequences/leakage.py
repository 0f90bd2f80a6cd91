"""Leakage: what was seen in training, or decided training, of the documents that a model is judged on.

For every pair of parts: do they share a document by id, by its exact text, or nearly; do they share whole windows
(context and target); and how many targets judged have one in training that is practically the same? Each answer is a
count, a total, the share that is still allowed, and the documents it is about.

What is allowed, and why. Measured on the eight corpora of real text at hand, 16,000 documents and 1.1 million
sentences, chunked by sentence, each split by two salts:

    documents   none. Exact and near copies in training are left out by the split, so what is found here is new.
    windows     one in 5,000. Quoted passages exist (the same speech in two textbooks, two functions with one
                description): up to one window in 7,000 in eight of ten splits of the five larger corpora, one in 4,900
                in one of dialogues, one in 270 in one of documentation, which quotes itself at length. A window that is
                remembered gains at most 0.5 of cosine, so one in 5,000 moves a mean by 0.0001, the smallest difference
                told here.
    formulas    one in a hundred. A window every chunk of which stands in five or more documents of the corpus ("Thank
                you!", "Have a nice day!") is part of a language: 1 window in 1,400 of task-oriented dialogues, none
                elsewhere.
    targets     five of a hundred more than training documents have among each other, and what chance may add to that
                in a sample (one-sided 95 %). Stock sentences are shared by independent documents (a quarter of
                dialogue turns, 0 to 3 % of prose); only what goes beyond that is worth remembering.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache as cache_calls
from functools import cached_property
from itertools import combinations
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from nextvec.disk import where_possible
from nextvec.errors import DataError, IntegrityError
from nextvec.fingerprint import fingerprint
from nextvec.records import read_json, write_json
from nextvec.sequences.closeness import count_closer, count_closer_to, unit_rows
from nextvec.sequences.findings import RECORDED, Finding, LeakageReport, percent
from nextvec.sequences.identity import ChunkKeys, Keys, chunk_keys, window_keys
from nextvec.sequences.splits import PARTS, Part, near_duplicates
from nextvec.sequences.windows import IntArray, target_rows

if TYPE_CHECKING:
    from nextvec.store.snapshot import Snapshot

CONTEXT = 5
SAMPLED_TARGETS = 2_000
SAME_TARGET = 0.999
"""Cosine above which two chunks are practically the same text."""
WINDOWS_ALLOWED = 0.0002
FORMULAS_ALLOWED = 0.01
FORMULA_DOCUMENTS = 5
TARGETS_ALLOWED = 0.05
ONE_SIDED = 1.645
"""Standard errors above the mean, 95 %."""
REVISION = 1
"""Raised when the check changes, so that no kept finding is taken for a new one."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Documents:
    """Documents of a snapshot in one role: `role` is what sentences call them. What models were `trained` on can be
    remembered; other documents decided something (when to stop, which baseline is the best)."""

    role: str
    snapshot: Snapshot
    chosen: IntArray
    trained: bool = False

    @cached_property
    def identity(self) -> str:
        """Of the documents: equal for the same documents of the same snapshot in the same role."""
        ids = [self.snapshot.documents.ids[i] for i in self.chosen.tolist()]
        return fingerprint([self.role, self.trained, self.snapshot.name, self.snapshot.fingerprint, ids])

    def name(self, document: int) -> str:
        return self.snapshot.documents.ids[document]


Pair = tuple[Documents, Documents]
"""What was seen, and what is judged."""


def part_pairs(snapshot: Snapshot, parts: Mapping[Part, IntArray]) -> list[Pair]:
    """Training against validation and test, and validation, which decides when to stop and what is best, against test.

    Raises DataError when a part is missing.
    """
    if missing := [part for part in PARTS if part not in parts]:
        raise DataError(f"{snapshot.label}: no {', '.join(missing)} documents given to the leakage check")
    roles: dict[Part, str] = {"train": "training", "validation": "validation", "test": "test"}
    sides = [
        Documents(role=roles[part], snapshot=snapshot, chosen=parts[part], trained=part == "train") for part in PARTS
    ]
    return list(combinations(sides, 2))


def check_leakage(
    snapshot: Snapshot, parts: Mapping[Part, IntArray], *, cache: Path | None = None, **options: Any
) -> LeakageReport:
    """What the parts of a snapshot share.

    Args:
        parts: document indexes of "train", "validation" and "test", e.g. `Split.parts`.

    Other options, and what is raised, as `check_pairs` and `part_pairs`.
    """
    return check_pairs(part_pairs(snapshot, parts), cache=cache, **options)


def check_pairs(
    pairs: Iterable[Pair],
    *,
    cache: Path | None = None,
    context: int = CONTEXT,
    sampled_targets: int = SAMPLED_TARGETS,
    seed: int = 0,
    say: Callable[[str], None] = lambda line: None,
) -> LeakageReport:
    """What the two sides of each pair share. They may come from different corpora of one encoder.

    Args:
        cache: folder in which the findings of each pair are kept, and found again; None keeps nothing.
        context: vectors before the target in the windows compared.
        sampled_targets: judged targets compared with every one of training, at most this many a pair, drawn with
            `seed`; the finding says when it rests on a sample.
        say: called with one line before each pair whose findings are not kept yet.
    """
    check = _Check(context, sampled_targets, seed)
    return LeakageReport(tuple(finding for pair in pairs for finding in _kept(check, pair, cache, say)))


def _kept(check: _Check, pair: Pair, cache: Path | None, say: Callable[[str], None]) -> tuple[Finding, ...]:
    if cache is None:
        return tuple(check.findings(*pair))
    path = cache / "leakage" / f"{fingerprint([REVISION, *(side.identity for side in pair), *check.settings])}.json"
    try:
        return LeakageReport.from_dict(read_json(path)).findings
    except IntegrityError:  # absent or damaged: the cache is disposable
        say(f"checking what {pair[1].role} shares with {pair[0].role}")
        report = LeakageReport(tuple(check.findings(*pair)))
        with where_possible():
            write_json(path, report.to_dict())
        return report.findings


class _Check:
    """The questions asked of every pair; chunks of a snapshot are read once."""

    def __init__(self, context: int, sampled_targets: int, seed: int) -> None:
        self.settings = (context, sampled_targets, seed)
        self._keys = cache_calls(chunk_keys)

    def findings(self, seen: Documents, judged: Documents) -> Iterator[Finding]:
        context, sampled, seed = self.settings
        keys = self._keys(seen.snapshot, judged.snapshot)
        copies = _copies(seen, judged, keys)
        if seen.snapshot.name == judged.snapshot.name:
            yield _shared_ids(seen, judged)
        yield _about(judged, f"have exactly the text of one in {seen.role}", copies)
        yield _near_copies(seen, judged, copies)
        yield from _shared_windows(seen, judged, keys, context)
        if seen.trained:
            yield _repeated_targets(seen, judged, sampled, seed)


def _about(judged: Documents, what: str, found: Mapping[str, str]) -> Finding:
    """Of documents: `found` are those that something is the matter with, and with what of training."""
    named = [name if name == other else f"{name} as {other}" for name, other in found.items()]
    return Finding(
        what=f"documents of {judged.role} {what}",
        count=len(found),
        total=len(judged.chosen),
        allowed=0.0,
        names=tuple(named[:RECORDED]),
        documents=len(named),
    )


def _shared_ids(seen: Documents, judged: Documents) -> Finding:
    ids = {seen.name(i) for i in seen.chosen.tolist()}
    shared = [name for i in judged.chosen.tolist() if (name := judged.name(i)) in ids]
    return _about(judged, f"are in {seen.role} too", {name: name for name in shared})


def _copies(seen: Documents, judged: Documents, keys: ChunkKeys) -> dict[str, str]:
    """Judged documents with the content of one that was seen, and which: the same text as the source gave it, or the
    same chunks in the same order."""
    known = {one: seen.name(i) for i in seen.chosen.tolist() for one in _contents(seen, i, keys.left, keys.by_text)}
    found = {}
    for i in judged.chosen.tolist():
        if same := [known[one] for one in _contents(judged, i, keys.right, keys.by_text) if one in known]:
            found[judged.name(i)] = same[0]
    return found


def _contents(side: Documents, document: int, keys: Keys, by_text: bool) -> Iterator[str | bytes]:
    """What identifies a document's content. Its hash is of its text: where there is none it says nothing."""
    yield keys[side.snapshot.offsets[document] : side.snapshot.offsets[document + 1]].tobytes()
    if by_text:
        yield side.snapshot.documents[document].content_hash


def _near_copies(seen: Documents, judged: Documents, copies: Mapping[str, str]) -> Finding:
    found = near_duplicates(judged.snapshot, judged.chosen, seen.chosen, of=seen.snapshot)
    near = {item.doc_id: item.held_out_id for item in found if item.doc_id not in copies}
    return _about(judged, f"nearly duplicate one in {seen.role}", near)


def _shared_windows(seen: Documents, judged: Documents, keys: ChunkKeys, context: int) -> Iterator[Finding]:
    windows = f"windows of {judged.role} (context {context} and target)"
    of_seen, of_judged = (target_rows(side.snapshot.offsets, side.chosen, context) for side in (seen, judged))
    known = window_keys(keys.left, of_seen, context)
    shared = of_judged[np.isin(window_keys(keys.right, of_judged, context), known)]
    stock = _formulas(judged, keys, shared, context, _stock(seen.snapshot, keys.left))
    for rows, what, allowed in (
        (shared[~stock], f"{windows} are also in {seen.role}", WINDOWS_ALLOWED),
        (shared[stock], f"{windows} are formulas of {seen.role}", FORMULAS_ALLOWED),
    ):
        names = Counter(judged.name(i) for i in judged.snapshot.doc_index[rows].tolist())
        yield Finding(
            what=what,
            count=len(rows),
            total=len(of_judged),
            allowed=allowed,
            names=tuple(f"{name}: {times}" for name, times in names.most_common(RECORDED)),
            documents=len(names),
        )


def _stock(snapshot: Snapshot, keys: Keys) -> Keys:
    """The chunks that stand in `FORMULA_DOCUMENTS` or more documents, whatever their part, ascending."""
    owned = np.unique(np.stack([keys, snapshot.doc_index.astype(np.uint64)], axis=1), axis=0)
    chunks, documents = np.unique(owned[:, 0], return_counts=True)
    stock: Keys = chunks[documents >= FORMULA_DOCUMENTS]
    return stock


def _formulas(judged: Documents, keys: ChunkKeys, rows: IntArray, context: int, stock: Keys) -> npt.NDArray[np.bool_]:
    """(len(rows),) whether every chunk of the window that ends with the row is stock."""
    return np.asarray(np.isin(keys.right[rows[:, None] + np.arange(-context, 1)], stock).all(axis=1), np.bool_)


def _repeated_targets(seen: Documents, judged: Documents, sampled: int, seed: int) -> Finding:
    """How many judged targets have one in training that is the same, against how many of training's own have one in
    another document of training."""
    trained = target_rows(seen.snapshot.offsets, seen.chosen, 1)
    judged_all = target_rows(judged.snapshot.offsets, judged.chosen, 1)
    targets, own = (_sample(rows, sampled, seed) for rows in (judged_all, trained))
    wanted = np.concatenate([unit_rows(judged.snapshot.vectors[targets]), unit_rows(seen.snapshot.vectors[own])])
    counts = count_closer_to(wanted, seen.snapshot.vectors, trained, SAME_TARGET)
    counts[len(targets) :] -= _closer_in_own_document(seen.snapshot, own)
    count, usual = (
        int((counts[: len(targets)] > 0).sum()),
        float((counts[len(targets) :] > 0).mean()) if len(own) else 0.0,
    )
    sample = f", estimated from {sampled} of {len(judged_all)} targets" if len(targets) < len(judged_all) else ""
    return Finding(
        what=f"targets of {judged.role} have a target in {seen.role} closer than cosine {SAME_TARGET}",
        count=count,
        total=len(targets),
        allowed=_targets_allowed(usual, len(targets)),
        note=f" (training documents among themselves: {percent(usual)}){sample}",
    )


def _targets_allowed(usual: float, targets: int) -> float:
    share = min(1.0, usual + TARGETS_ALLOWED)
    return min(1.0, share + ONE_SIDED * float(np.sqrt(share * (1 - share) / max(targets, 1))))


def _sample(rows: IntArray, size: int, seed: int) -> IntArray:
    return rows if len(rows) <= size else np.random.default_rng(seed).choice(rows, size, replace=False)


def _closer_in_own_document(snapshot: Snapshot, rows: IntArray) -> npt.NDArray[np.int64]:
    """(len(rows),) targets of the row's own document, itself among them, that are the same as it."""
    first, end = (snapshot.offsets[snapshot.doc_index[rows] + step] for step in (0, 1))
    own = [
        count_closer(snapshot.vectors, np.array([row]), np.arange(begin + 1, stop), SAME_TARGET)[0]
        for row, begin, stop in zip(rows.tolist(), first.tolist(), end.tolist(), strict=True)
    ]
    return np.array(own, np.int64)
