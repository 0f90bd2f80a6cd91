from dataclasses import replace

import numpy as np
import pytest

from nextvec.errors import DataError, MismatchError, UsageError
from nextvec.evaluation.heldout import balance_point, fair_documents, hold_out, training_mean
from nextvec.sequences.splits import SplitSpec


def test_documents_are_gathered_whole_and_in_order_of_their_ids(make_snapshot):
    snapshot = make_snapshot([8, 5, 9, 12], ids=["d", "c", "b", "a"])
    held_out = hold_out(snapshot, [0, 1, 2, 3])
    assert held_out.doc_ids == ("a", "b", "d")
    assert held_out.offsets.tolist() == [0, 12, 21, 29]
    assert held_out.targets.tolist() == [7, 4, 3]
    np.testing.assert_array_equal(held_out.vectors[:12], snapshot.vectors[22:34])


def test_no_document_long_enough(make_snapshot):
    with pytest.raises(DataError, match="none of 2 documents has more than 5 chunks"):
        hold_out(make_snapshot([5, 4, 30]), [0, 1])


def test_repeated_documents_and_bad_contexts_are_refused(tiny):
    with pytest.raises(UsageError, match="given twice"):
        hold_out(tiny, [0, 1, 0])
    with pytest.raises(UsageError, match="min_context = 0"):
        hold_out(tiny, [0, 1], min_context=0)


def test_documents_of_a_whole_corpus_belong_to_no_split(tiny):
    every = np.arange(len(tiny.documents))
    assert hold_out(tiny, every, whole=True).split_fingerprint is None
    assert hold_out(tiny, every).split_fingerprint == SplitSpec.parse(tiny.split, owner="tiny").fingerprint
    assert hold_out(tiny, every, whole=True).fingerprint == hold_out(tiny, every).fingerprint


def crowded(make_snapshot):
    """Nine of ten targets crowd on one side: the mean is no point from which directions cancel."""
    rng = np.random.default_rng(0)
    vectors = 0.05 * rng.standard_normal((600, 16)) + np.eye(16)[0]
    vectors[::10] = rng.standard_normal((60, 16))
    return make_snapshot(
        [20] * 30, vectors=(vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)
    )


def test_from_the_balance_point_every_constant_has_a_centred_cosine_of_zero(make_snapshot):
    held_out = hold_out(crowded(make_snapshot), np.arange(30))
    starts = held_out.offsets[:-1]
    targets = np.concatenate([held_out.vectors[first + 5 : first + 20] for first in starts])

    def directions(centre):
        away = targets - centre
        return away / np.linalg.norm(away, axis=1, keepdims=True)

    constants = np.random.default_rng(1).standard_normal((50, 16))
    constants = [*constants / np.linalg.norm(constants, axis=1, keepdims=True), np.eye(16)[0]]
    gained = {}
    for name, centre in (("mean", targets.mean(axis=0)), ("balance", balance_point(held_out))):
        away = constants - centre
        gained[name] = away / np.linalg.norm(away, axis=1, keepdims=True) @ directions(centre).mean(axis=0)
    assert np.abs(gained["balance"]).max() < 1e-4
    assert gained["mean"][-1] > 0.2


def test_pool_comes_from_the_given_documents_when_they_suffice(tiny):
    documents = np.flatnonzero(tiny.lengths > 5)[:10]
    few = hold_out(tiny, documents, foreign_size=20)
    assert len(few.pool) == 20
    assert (few.pool_owner >= 0).all()
    many = hold_out(tiny, documents, foreign_size=400)
    assert len(many.pool) == 400
    assert (many.pool_owner == -1).any()
    everything = hold_out(tiny, documents)
    assert len(everything.pool) == len(tiny)


def test_pool_owners_are_the_documents_the_rows_belong_to(tiny):
    held_out = hold_out(tiny, np.arange(30), foreign_size=200)
    for vector, owner in zip(held_out.pool, held_out.pool_owner, strict=True):
        row = int((tiny.vectors @ vector).argmax())
        doc_id = tiny.documents[tiny.doc_index[row]].doc_id
        assert owner == (held_out.doc_ids.index(doc_id) if doc_id in held_out.doc_ids else -1)


def test_fingerprint_covers_everything_that_is_asked(tiny, make_snapshot):
    base = hold_out(tiny, np.arange(20)).fingerprint
    assert hold_out(tiny, np.arange(20)[::-1]).fingerprint == base
    vectors = np.array(tiny.vectors)
    vectors[3] = vectors[4]
    changed = make_snapshot(tiny.lengths.tolist(), vectors=vectors)
    others = [
        hold_out(tiny, np.arange(21)),
        hold_out(tiny, np.arange(20), min_context=4),
        hold_out(tiny, np.arange(20), seed=1, foreign_size=100),
        hold_out(changed, np.arange(20)),
        hold_out(make_snapshot(tiny.lengths.tolist(), vectors=tiny.vectors, encoder="other"), np.arange(20)),
    ]
    assert len({base, *(held_out.fingerprint for held_out in others)}) == 6


def test_training_mean_is_the_mean_over_rows(tiny):
    rows = np.concatenate([np.arange(tiny.offsets[i], tiny.offsets[i + 1]) for i in (2, 7)])
    np.testing.assert_allclose(training_mean(tiny, [7, 2]), tiny.vectors[rows].mean(axis=0), atol=1e-6)
    with pytest.raises(DataError, match="no training rows"):
        training_mean(tiny, [])


def grown(make_snapshot, lengths, more, **options):
    """Two generations: the second has the first one's documents and more."""
    small = make_snapshot(lengths, name="wiki", tag="small")
    extra = make_snapshot(more, seed=1).vectors
    vectors = np.concatenate([small.vectors, extra])
    return small, make_snapshot([*lengths, *more], vectors=vectors, name="wiki", tag="large", **options)


def test_fair_documents_are_the_test_documents_of_the_oldest_generation(make_snapshot):
    small, large = grown(make_snapshot, [9] * 30, [7] * 30)
    snapshot, documents = fair_documents([large, small])
    assert snapshot is small
    spec = SplitSpec(salt="s", test=300, validation=600)
    ids = [document.doc_id for document in small.documents]
    assert [spec.assign(ids[i]) for i in documents] == ["test"] * len(documents)
    assert len(documents) == sum(spec.assign(doc_id) == "test" for doc_id in ids)
    assert fair_documents([small], "validation")[1].tolist() != documents.tolist()


def test_a_limit_takes_the_first_in_hash_order(make_snapshot):
    snapshot = make_snapshot([9] * 60)
    spec = SplitSpec(salt="s", test=300, validation=600)
    everything, three = (fair_documents([snapshot], limit=limit)[1] for limit in (None, 3))
    buckets = {i: spec.bucket(snapshot.documents[i].doc_id) for i in everything.tolist()}
    assert set(three.tolist()) == set(sorted(buckets, key=lambda i: (buckets[i], i))[:3])
    assert three.tolist() == sorted(three.tolist())


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"encoder": "other"}, "wiki@small and wiki@large have different encoders"),
        ({"salt": "other"}, "wiki@small and wiki@large are split differently"),
        ({"ids": [f"new-{i}" for i in range(60)]}, "missing or changed in wiki@large"),
    ],
)
def test_generations_that_do_not_fit_are_named(make_snapshot, options, message):
    with pytest.raises(MismatchError, match=message):
        fair_documents(grown(make_snapshot, [9] * 30, [7] * 30, **options))


def test_a_changed_document_is_no_growth(make_snapshot):
    small = make_snapshot([9] * 30, name="wiki", tag="small")
    with pytest.raises(MismatchError, match="missing or changed"):
        fair_documents([small, make_snapshot([8] * 31, name="wiki", tag="large")])


def test_breaks_can_be_withheld_and_that_is_another_test_set(make_snapshot):
    known = make_snapshot([8, 12], breaks=np.array([1, *[0] * 7, 1, *[0] * 5, 1, *[0] * 5], np.int8))
    told, never = hold_out(known, [0, 1]), hold_out(make_snapshot([8, 12]), [0, 1])
    untold = told.otherwise("breaks")
    assert told.knows("breaks")
    assert not untold.knows("breaks")
    assert not never.knows("breaks")
    assert untold.fingerprint == never.fingerprint != told.fingerprint


def test_headings_can_be_withheld_alone(make_snapshot):
    told = replace(hold_out(make_snapshot([8, 12]), [0, 1]), headings=(np.eye(3, 4), np.zeros(20, np.int64)))
    untold = told.otherwise("headings")
    assert told.knows("headings")
    assert not untold.knows("headings")
    assert untold.fingerprint == replace(told, headings=None).fingerprint != told.fingerprint


def test_the_next_break_can_be_told_and_that_is_another_test_set(make_snapshot):
    usual = hold_out(make_snapshot([8, 12], breaks=np.array([1, *[0] * 7, 1, *[0] * 11], np.int8)), [0, 1])
    told = usual.otherwise("next")
    assert (told.tells_next, usual.tells_next) == (True, False)
    assert usual.knows("next")
    assert not usual.otherwise("breaks").knows("next")
    assert told.fingerprint != usual.fingerprint


def test_nothing_to_evaluate_on():
    with pytest.raises(UsageError, match="no corpus generation"):
        fair_documents([])
