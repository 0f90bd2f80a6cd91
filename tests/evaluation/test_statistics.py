import numpy as np
import pytest

from nextvec.errors import DataError
from nextvec.evaluation.column import Column
from nextvec.evaluation.draws import Drawing, Draws
from nextvec.evaluation.luck import lucks
from nextvec.evaluation.statistics import (
    Interval,
    Measurements,
    _p_values,
    _stretch,
    bootstrap_interval,
    few_documents,
    p_text,
    paired_difference,
    verdict,
)


def clusters(rng, documents, mean, between=0.1, within=0.3):
    """Sums and counts of documents of unequal length whose targets share the document's own level."""
    counts = rng.integers(3, 40, size=documents)
    levels = mean + between * rng.standard_normal(documents)
    noise = within * rng.standard_normal(documents) / np.sqrt(counts)
    return (levels + noise) * counts, counts


def test_estimate_is_the_mean_over_targets_not_over_documents():
    interval = bootstrap_interval([1.0, 10.0], [1, 5])
    assert interval.estimate == pytest.approx(11 / 6)
    assert interval.documents == 2


def test_standard_error_agrees_with_the_closed_form_of_a_mean():
    values = np.random.default_rng(1).standard_normal(400)
    interval = bootstrap_interval(values, np.ones(400), resamples=4000)
    half = 1.96 * values.std() / np.sqrt(400)
    assert interval.high - interval.low == pytest.approx(2 * half, rel=0.06)
    assert interval.low == pytest.approx(values.mean() - half, abs=0.1 * half)


def test_constant_documents_have_no_width():
    interval = bootstrap_interval(0.25 * np.array([3, 9, 4]), [3, 9, 4])
    assert (interval.low, interval.estimate, interval.high) == pytest.approx((0.25, 0.25, 0.25))


def test_coverage_of_the_interval_over_clustered_data():
    rng = np.random.default_rng(2)
    hits = 0
    for _ in range(300):
        interval = bootstrap_interval(*clusters(rng, 80, mean=0.5), resamples=400)
        hits += interval.low <= 0.5 <= interval.high
    assert 0.90 <= hits / 300 <= 0.98


@pytest.mark.parametrize("documents", [3, 5, 10, 20])
def test_intervals_of_few_documents_hold_what_they_say(documents):
    """Percentiles alone held 80, 81, 90 and 92 % of 400."""
    rng, hits = np.random.default_rng(4), 0
    for _ in range(400):
        interval = bootstrap_interval(*clusters(rng, documents, mean=0.5), resamples=400)
        hits += interval.low <= 0.5 <= interval.high
    assert hits / 400 > 0.915


@pytest.mark.parametrize(("documents", "student"), [(5, 2.7764), (6, 2.5706), (20, 2.0930), (150, 1.9760)])
def test_errors_are_stretched_to_student_s(documents, student):
    assert _stretch(documents) == pytest.approx((documents / (documents - 1)) ** 0.5 * student / 1.95996, rel=2e-3)


def test_coverage_of_the_paired_difference_and_its_p_value_under_no_difference():
    rng = np.random.default_rng(3)
    hits, rejected = 0, 0
    for _ in range(200):
        left, counts = clusters(rng, 60, mean=0.5)
        right = left + 0.05 * rng.standard_normal(60) * counts
        difference = paired_difference(left, counts, right, counts, resamples=300, permutations=400)
        hits += difference.interval.low <= 0 <= difference.interval.high
        rejected += difference.p_value < 0.05
    assert 0.89 <= hits / 200 <= 0.99
    assert rejected / 200 <= 0.10


def test_pairing_sees_a_small_difference_that_single_intervals_do_not():
    rng = np.random.default_rng(4)
    right, counts = clusters(rng, 100, mean=0.5)
    left = right + (0.01 + 0.002 * rng.standard_normal(100)) * counts
    single = bootstrap_interval(left, counts)
    paired = paired_difference(left, counts, right, counts)
    assert single.low < right.sum() / counts.sum() < single.high
    assert paired.interval.low > 0.009
    assert paired.p_value < 0.001


def test_bootstrap_equals_the_slow_resampling_of_documents():
    sums, counts = clusters(np.random.default_rng(5), 30, mean=0.2)
    rng = np.random.default_rng(0)
    drawn = rng.integers(30, size=(500, 30))
    slow = [sum(sums[d] for d in row) / sum(counts[d] for d in row) for row in drawn]
    fast = bootstrap_interval(sums, counts, resamples=500)
    errors = _stretch(30) * (np.quantile(slow, [0.025, 0.975]) - fast.estimate)
    assert (fast.low, fast.high) == pytest.approx(tuple(fast.estimate + errors))


def test_sign_flip_p_value_equals_full_enumeration():
    differences = np.array([0.3, 0.1, -0.05, 0.2, 0.4, -0.1, 0.15, 0.25])
    counts = np.ones(8)
    signs = np.array(np.meshgrid(*[[-1, 1]] * 8)).reshape(8, -1).T
    exact = (np.abs(signs @ differences) >= differences.sum() - 1e-12).mean()
    found = paired_difference(differences, counts, np.zeros(8), counts, permutations=50_000).p_value
    assert found == pytest.approx(exact, abs=0.004)


def test_equal_sides_cannot_be_told_apart():
    sums, counts = clusters(np.random.default_rng(6), 70, mean=0.5)
    difference = paired_difference(sums, counts, sums, counts)
    assert difference.p_value == 1.0
    assert difference.interval == Interval(0.0, 0.0, 0.0, 70)
    assert verdict(difference.interval, difference.p_value) == "cannot tell"


def test_sides_with_different_denominators():
    difference = paired_difference([2.0, 4.0], [1, 1], [3.0, 3.0], [2, 2])
    assert difference.interval.estimate == pytest.approx(3.0 - 1.5)


def test_blocks_do_not_change_the_answer(monkeypatch):
    sums, counts = clusters(np.random.default_rng(7), 40, mean=0.5)
    whole = paired_difference(sums, counts, sums * 0.99, counts, resamples=100, permutations=100)
    monkeypatch.setattr("nextvec.evaluation.draws._BLOCK_CELLS", 40 * 7)
    blocks = paired_difference(sums, counts, sums * 0.99, counts, resamples=100, permutations=100)
    assert blocks.interval.low == pytest.approx(whole.interval.low)
    assert blocks.interval.high == pytest.approx(whole.interval.high)


def test_seed_decides_the_resamples():
    sums, counts = clusters(np.random.default_rng(8), 40, mean=0.5)
    assert bootstrap_interval(sums, counts, seed=3) == bootstrap_interval(sums, counts, seed=3)
    assert bootstrap_interval(sums, counts, seed=3) != bootstrap_interval(sums, counts, seed=4)


def test_one_document_says_nothing_of_how_documents_differ():
    """Its interval had no width: the figure was as sure as can be."""
    alone = bootstrap_interval([1.0, 0.0], [2, 0]).within(0.0, 1.0)
    assert (alone.estimate, alone.documents, alone.has_ends, alone.ends(".2f")) == (0.5, 1, False, "n/a")
    assert alone.to_dict() == {"estimate": 0.5, "low": None, "high": None, "documents": 1}
    assert Interval.from_dict(alone.to_dict() | {"chance": 0.1}) == alone
    two = bootstrap_interval([1.0, 0.0], [2, 1])
    assert two.has_ends
    assert Interval.from_dict(two.to_dict()) == two
    difference = paired_difference([0.9], [1], [0.1], [1])
    assert not difference.interval.has_ends
    assert verdict(difference.interval, difference.p_value) == "cannot tell"
    assert verdict(difference.interval, 0.001) == "cannot tell"


def test_documents_without_targets_are_no_units():
    assert bootstrap_interval([1.0, 0.0, 2.0], [2, 0, 2]) == bootstrap_interval([1.0, 2.0], [2, 2])


@pytest.mark.parametrize(
    ("sums", "counts", "message"),
    [
        ([1.0], [1, 2], "shapes"),
        ([np.nan, 1.0], [1, 1], "finite"),
        ([1.0, 1.0], [1, -1], "not negative"),
        ([0.0, 0.0], [0, 0], "every count is 0"),
        ([], [], "every count is 0"),
    ],
)
def test_unusable_input_is_refused(sums, counts, message):
    with pytest.raises(DataError, match=message):
        bootstrap_interval(sums, counts)


def test_a_verdict_needs_numbers():
    nothing = Interval(0.02, float("nan"), float("nan"), 80)
    for interval, p in ((nothing, 0.001), (Interval(0.02, 0.01, 0.03, 80), float("nan"))):
        with pytest.raises(DataError, match="all must be finite"):
            verdict(interval, p)


def test_a_resample_with_nothing_to_measure_is_no_evidence():
    with pytest.raises(DataError, match="in some resamples no document has anything to measure"):
        paired_difference([3.0, 0.1, 0.1], [3, 0, 0], [0.1, 3.0, 0.1], [0, 3, 0])


def family(values, draws=None):
    """Measurements of models by name from (docs,) values, or (seeds, docs), of one target a document."""
    columns = {}
    for name, value in values.items():
        runs = [Column(row, np.ones(len(row))) for row in np.atleast_2d(value)]
        columns[name] = Column.mean(runs) if len(runs) > 1 else runs[0]
    return Measurements(columns, draws or Draws(Drawing(resamples=200, permutations=2000)))


def test_one_hypothesis_is_counted_once():
    values = {name: 0.1 * np.random.default_rng(i).standard_normal(60) for i, name in enumerate("abc")}
    once = family(values).judge([("a", "b"), ("c", "b")])
    twice = family(values).judge([("a", "b"), ("c", "b"), ("a", "b")])
    assert twice == [*once, once[0]]


def test_a_family_of_one_needs_no_adjustment():
    (difference,) = family({"a": np.random.default_rng(1).standard_normal(40), "b": np.zeros(40)}).judge([("a", "b")])
    assert difference.p_adjusted == difference.p_value


def test_in_a_large_family_something_can_still_be_found():
    rng = np.random.default_rng(2)
    values = {f"m{i}": 0.1 + 0.1 * rng.standard_normal(60) for i in range(600)} | {"zero": np.zeros(60)}
    found = family(values).judge([(f"m{i}", "zero") for i in range(600)])
    assert max(difference.p_adjusted for difference in found) < 0.05


def test_the_adjustment_is_the_step_down_maximum():
    """By hand: of what remains after the larger ones, the largest by chance."""
    rng = np.random.default_rng(3)
    nulls = np.abs(rng.standard_normal((5000, 3)) * [1.0, 2.0, 3.0])
    observed = np.array([4.0, 0.5, 7.0])
    own, adjusted = _p_values(observed, nulls, np.zeros(3, bool))
    spread = np.sqrt((nulls**2).mean(axis=0))
    sizes, chances = observed / spread, nulls / spread
    first = ((chances.max(axis=1) >= sizes[0]).sum() + 1) / 5001
    second = ((chances[:, 1:].max(axis=1) >= sizes[2]).sum() + 1) / 5001
    assert list(np.argsort(-sizes)) == [0, 2, 1]
    assert adjusted == pytest.approx([first, max(second, own[1]), max(first, second)])
    assert (adjusted >= own).all()


def test_heavy_tails_of_one_difference_do_not_hide_another():
    """One difference knows its error from three seeds alone; the other, ten errors large, is as sure as without it."""
    rng = np.random.default_rng(4)
    nulls = np.abs(np.stack([rng.standard_t(2, 20_000), rng.standard_normal(20_000)], axis=1))
    _, together = _p_values(np.array([0.1, 10.0]), nulls, np.array([True, False]))
    assert together[1] < 0.001
    own, adjusted = _p_values(np.array([30.0, 0.1]), nulls, np.array([True, False]))
    assert own[0] == pytest.approx(0.0011, abs=0.0006)
    assert adjusted[0] == pytest.approx(2 * own[0], rel=0.2)


def test_permutations_grow_with_a_family_that_is_judged_by_rank():
    rng = np.random.default_rng(7)
    documents = rng.standard_normal((700, 60))
    values = {f"m{i}": 1.0 + 0.1 * row + 1e-3 * rng.standard_normal((2, 1)) for i, row in enumerate(documents)}
    found = family(values | {"zero": np.zeros(60)}).judge([(f"m{i}", "zero") for i in range(700)])
    assert max(difference.p_adjusted for difference in found) < 0.05


def test_what_all_share_costs_less_than_by_bonferroni():
    rng = np.random.default_rng(4)
    shared, base = rng.standard_normal(60), np.zeros(60)
    values = {f"m{i}": 0.26 + shared + 0.01 * rng.standard_normal(60) for i in range(12)} | {"base": base}
    found = family(values).judge([(f"m{i}", "base") for i in range(12)])
    assert max(d.p_adjusted for d in found) < 1.3 * max(d.p_value for d in found)


def test_intervals_and_p_values_carry_the_spread_between_seeds():
    rng = np.random.default_rng(5)
    documents = 0.02 + 0.01 * rng.standard_normal(80)
    steady = documents + np.array([[1e-5], [0.0], [-1e-5]])
    shaky = documents + np.array([[0.03], [0.0], [-0.03]])
    (sure,) = family({"a": steady, "b": np.zeros(80)}).judge([("a", "b")])
    (unsure,) = family({"a": shaky, "b": np.zeros(80)}).judge([("a", "b")])
    assert sure.interval.estimate == pytest.approx(unsure.interval.estimate)
    assert sure.p_value < 0.001
    assert unsure.p_value > 0.05
    assert unsure.interval.low < 0 < sure.interval.low
    assert family({"a": shaky}).interval("a").low < family({"a": steady}).interval("a").low - 0.01


def test_one_that_spreads_far_more_than_the_others_keeps_its_own_spread():
    rng = np.random.default_rng(6)
    documents = rng.standard_normal(50)
    values = {f"m{i}": documents + 0.01 * rng.standard_normal((3, 1)) for i in range(4)}
    found = lucks(dict(columns_of(values | {"wild": documents + np.array([[1.0], [0.0], [-1.0]])})))
    assert not found["wild"].pooled
    assert (found["wild"].freedom, found["wild"].variance) == (2, pytest.approx(1 / 3))
    assert {(found[f"m{i}"].pooled, found[f"m{i}"].freedom) for i in range(4)} == {(True, 8)}


def test_two_that_spread_far_more_do_not_hide_each_other():
    """Of architectures that start at a baseline runs hardly differ, of those that start at nothing they do."""
    rng = np.random.default_rng(8)
    documents = rng.standard_normal(50)
    values = {f"m{i}": documents + 1e-4 * rng.standard_normal((3, 1)) for i in range(4)}
    values |= {name: documents + spread * rng.standard_normal((3, 1)) for name, spread in (("a", 0.01), ("b", 0.03))}
    found = lucks(dict(columns_of(values)))
    assert [name for name, luck in found.items() if not luck.pooled] == ["a", "b"]
    assert all(luck.variance < 1e-6 for name, luck in found.items() if luck.pooled)


def columns_of(values):
    for name, rows in values.items():
        yield name, Column.mean([Column(row, np.ones(len(row))) for row in rows])


def test_verdict_needs_interval_and_p_value():
    above, across = Interval(0.02, 0.01, 0.03, 80), Interval(0.02, -0.01, 0.05, 80)
    assert verdict(above, 0.01) == "better"
    assert verdict(above, 0.01, higher_is_better=False) == "worse"
    assert verdict(above, 0.2) == "cannot tell"
    assert verdict(across, 0.01) == "cannot tell"
    assert verdict(Interval(-0.02, -0.03, -0.01, 80), 0.01) == "worse"


def test_what_rounding_makes_is_no_difference():
    """The same in every document, it is significant; a correction of size zero was "worse" than its anchor by it."""
    assert verdict(Interval(-3e-8, -5e-8, -1e-8, 300), 0.0001) == "cannot tell"
    assert verdict(Interval(3e-8, 1e-8, 2e-6, 300), 0.0001) == "better"


def test_rounding_is_relative_to_what_is_rounded():
    """In float32 a density of 200 nats is known to 2e-5: a head whose correction is nothing has its anchor's."""
    counts = np.full(300, 20.0)
    sums = np.random.default_rng(0).normal(200.0, 20.0, 300) * counts
    found = paired_difference(sums + 1e-5 * counts, counts, sums, counts)
    assert found.p_adjusted < 0.001
    assert found.scale == pytest.approx(200, rel=0.05)
    assert verdict(found.interval, found.p_adjusted, scale=found.scale) == "cannot tell"
    cosine = paired_difference(sums / 400 + 1e-5 * counts, counts, sums / 400, counts)
    assert verdict(cosine.interval, cosine.p_adjusted, scale=cosine.scale) == "better"


def test_few_documents_are_said_aloud():
    assert few_documents(50) is None
    assert few_documents(49) == "only 49 documents"
    assert Interval(0.0, 0.0, 0.0, 1).note == "only 1 document"


def test_p_values_in_words():
    assert p_text(0.0004) == "p < 0.001"
    assert p_text(0.0123) == "p = 0.012"
