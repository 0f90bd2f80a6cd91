"""Few large files in place of many small ones, and no old versions but tagged ones: on request only.

Rows, their order and so the fingerprint stay. The files of a tagged version are left where they are.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from nextvec.encoders.lengths import Cut
from nextvec.store.cut import cut_properties

if TYPE_CHECKING:
    import lance


@dataclass(frozen=True, slots=True, kw_only=True)
class Compaction:
    """What one did to a corpus. Fragments are what the newest version is stored in; bytes are of all versions."""

    version: int
    fragments_before: int
    fragments_after: int
    versions_removed: int
    bytes_before: int
    bytes_after: int
    tags: tuple[str, ...]
    kept: tuple[int, ...] = ()
    """Versions without a tag that were needed."""

    def to_dict(self) -> dict[str, Any]:
        return asdict(self) | {"bytes_freed": self.bytes_before - self.bytes_after}


def merge_fragments(dataset: lance.LanceDataset) -> lance.LanceDataset:
    """The next version, whose rows are the same in the same order and in as few files as Lance thinks good; `dataset`
    itself where that is how they are stored already.

    One commit, with the properties of the last: `compact_files` would make two that have none.
    """
    import lance
    from lance.optimize import Compaction as Lance

    made = [task.execute(dataset) for task in Lance.plan(dataset, {}).tasks]
    if not made:
        return dataset
    change = lance.LanceOperation
    groups = [change.RewriteGroup(one.original_fragments, one.new_fragments) for one in made]
    operation = change.Rewrite(groups, [])
    transaction = lance.Transaction(dataset.version, operation, transaction_properties=cut_properties(dataset, Cut()))
    return lance.LanceDataset.commit(dataset, transaction)


def remove_untagged(dataset: lance.LanceDataset) -> int:
    """Remove every version but the newest and tagged ones, and what killed writers left behind; returns how many.

    Nobody may write meanwhile. Who reads a version that is removed gets an error at the next read.
    """
    removed = dataset.cleanup_old_versions(timedelta(0), error_if_tagged_old_versions=False, delete_unverified=True)
    return int(removed.old_versions)
