import json

import numpy as np
import pytest
import torch

from nextvec.errors import DataError, IntegrityError, MismatchError, UsageError
from nextvec.evaluation.evaluate import evaluate, evaluate_on
from nextvec.evaluation.evaluation import Evaluation, Subject, read_evaluations, save_evaluation
from nextvec.evaluation.heldout import hold_out, training_mean
from nextvec.evaluation.metric import METRICS, default_metrics
from nextvec.models.forecast import Forecast
from nextvec.models.predictor import PredictorSpec, unit
from nextvec.sequences.windows import count_windows

EVERYTHING = ("cosine", "copying", "order", "ranks", "rollout", "spread")


def run(predictor, snapshot, documents=None, **options):
    documents = np.arange(len(snapshot.documents)) if documents is None else documents
    mean = training_mean(snapshot, np.arange(len(snapshot.documents)))
    return evaluate(predictor, snapshot, documents=documents, train_mean=mean, **options)


def assert_same(left, right, tolerance=1e-5):
    assert left.columns.keys() == right.columns.keys()
    for name in left.columns:
        assert left.estimate(name) == pytest.approx(right.estimate(name), abs=tolerance), name


def test_an_oracle_is_perfect_everywhere(tiny, fakes):
    evaluation = run(fakes.Oracle(tiny), tiny)
    for name in ("cosine", "cosine_centred", "copy_ratio", "spread", "ordered_context"):
        assert evaluation.estimate(name) == pytest.approx(1.0, abs=1e-5), name
    for name in evaluation.columns:
        if name.startswith(("recall", "mrr")):
            assert evaluation.estimate(name) == 1.0, name
        if name.startswith("rank_norm"):
            assert evaluation.estimate(name) == 0.0, name


def test_noise_scores_chance(make_snapshot, fakes):
    rng = np.random.default_rng(5)
    vectors = rng.standard_normal((60 * 30, 64)).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    evaluation = run(fakes.Noise(64), make_snapshot([30] * 60, vectors=vectors))
    assert abs(evaluation.estimate("cosine")) < 0.02
    ranked = [name for name in evaluation.columns if evaluation.chance(name) is not None]
    assert len(ranked) == 20
    for name in ranked:
        interval = evaluation.interval(name)
        slack = (interval.high - interval.low) / 2
        assert interval.low - slack <= evaluation.chance(name) <= interval.high + slack, name


def test_targets_are_all_rows_with_enough_context(tiny, fakes):
    evaluation = run(fakes.CopyLast(), tiny, min_context=7)
    assert evaluation.targets.sum() == count_windows(tiny.lengths, 7)
    assert evaluation.documents == (tiny.lengths > 7).sum()


def test_cosine_equals_the_slow_loop(tiny, fakes):
    vectors, total, count = tiny.vectors, 0.0, 0
    for first, end in zip(tiny.offsets[:-1], tiny.offsets[1:], strict=True):
        for row in range(first + 5, end):
            total += float(vectors[row - 1] @ vectors[row])
            count += 1
    assert run(fakes.CopyLast(), tiny).estimate("cosine") == pytest.approx(total / count, abs=1e-6)


def test_centred_cosine_equals_the_slow_loop(tiny, fakes):
    mean, values = training_mean(tiny, np.arange(len(tiny.documents))), []
    for first, end in zip(tiny.offsets[:-1], tiny.offsets[1:], strict=True):
        for row in range(first + 5, end):
            left, right = tiny.vectors[row - 1] - mean, tiny.vectors[row] - mean
            values.append(left @ right / np.linalg.norm(left) / np.linalg.norm(right))
    assert run(fakes.CopyLast(), tiny).estimate("cosine_centred") == pytest.approx(np.mean(values), abs=1e-5)


def test_the_order_of_documents_changes_nothing(tiny, fakes):
    shuffled = np.random.default_rng(0).permutation(len(tiny.documents))
    left = run(fakes.ContextMean(), tiny, metrics=EVERYTHING)
    right = run(fakes.ContextMean(), tiny, documents=shuffled, metrics=EVERYTHING)
    assert left.fingerprint == right.fingerprint
    assert left.doc_ids == right.doc_ids
    assert_same(left, right, tolerance=0)


def test_the_order_in_which_documents_are_stored_changes_nothing(tiny, make_snapshot, fakes):
    order = np.random.default_rng(1).permutation(len(tiny.documents))
    blocks = [tiny.vectors[tiny.offsets[i] : tiny.offsets[i + 1]] for i in order]
    moved = make_snapshot(
        [len(block) for block in blocks],
        vectors=np.concatenate(blocks),
        ids=[tiny.documents[i].doc_id for i in order],
    )
    left, right = run(fakes.ContextMean(), tiny), run(fakes.ContextMean(), moved)
    assert left.fingerprint == right.fingerprint
    assert_same(left, right)


def test_one_rotation_of_all_vectors_changes_nothing(tiny, make_snapshot, fakes):
    rotation = np.linalg.qr(np.random.default_rng(2).standard_normal((tiny.dim, tiny.dim)))[0]
    turned = make_snapshot(
        tiny.lengths.tolist(),
        vectors=(tiny.vectors @ rotation).astype(np.float32),
        ids=[document.doc_id for document in tiny.documents],
    )
    left = run(fakes.ContextMean(), tiny, metrics=EVERYTHING)
    right = run(fakes.ContextMean(), turned, metrics=EVERYTHING)
    assert_same(left, right)
    assert left.fingerprint != right.fingerprint


@pytest.mark.parametrize("batch_targets", [1, 100, 1000])
def test_the_size_of_batches_changes_nothing(tiny, fakes, batch_targets):
    whole = run(fakes.LastFive(), tiny, metrics=EVERYTHING)
    assert_same(whole, run(fakes.LastFive(), tiny, metrics=EVERYTHING, batch_targets=batch_targets), 1e-6)


def test_a_ridge_has_high_skill_on_a_rotation_process(make_snapshot):
    from nextvec.evaluation.compare import skill
    from nextvec.models.baseline import fit_baseline
    from nextvec.sequences.batches import DocumentBatches

    rng = np.random.default_rng(3)
    rotation = np.linalg.qr(rng.standard_normal((12, 12)))[0]
    rows = []
    for _ in range(60):
        x = rng.standard_normal(12)
        for _ in range(25):
            x = x @ rotation + 0.1 * rng.standard_normal(12)
            x /= np.linalg.norm(x)
            rows.append(x)
    snapshot = make_snapshot([25] * 60, vectors=np.array(rows, np.float32))
    parts = [DocumentBatches(snapshot.vectors, snapshot.offsets, part, 500) for part in (range(30), range(30, 40))]
    fitted = {
        name: fit_baseline(name, 12, *(lambda part=part: part for part in parts))
        for name in ("ridge", "copy-last", "ewma-mix")
    }
    cosines = {
        name: run(model, snapshot, np.arange(40, 60), metrics=["cosine"]).column("cosine")
        for name, model in fitted.items()
    }
    for rival in ("copy-last", "ewma-mix"):
        assert skill(cosines["ridge"], cosines[rival]).low > 0.8


def test_half_precision_vectors_are_measured_as_unit_vectors(tiny, make_snapshot, fakes):
    half = make_snapshot(tiny.lengths.tolist(), vectors=tiny.vectors.astype(np.float16))
    assert run(fakes.Oracle(half), half).estimate("cosine") == pytest.approx(1.0, abs=1e-6)


def test_costly_metrics_are_measured_on_request_only(tiny, fakes):
    assert set(METRICS) >= set(EVERYTHING)
    assert "rollout" not in default_metrics()
    assert "rollout@5" not in run(fakes.CopyLast(), tiny).columns
    assert set(run(fakes.CopyLast(), tiny, metrics=["spread"]).columns) == {"spread"}


def test_progress_counts_documents(tiny, fakes):
    seen = []
    evaluation = run(fakes.CopyLast(), tiny, metrics=["cosine"], on_progress=lambda *step: seen.append(step))
    assert seen == [(i + 1, evaluation.documents) for i in range(evaluation.documents)]


def test_a_shared_test_set_serves_several_predictors(tiny, fakes):
    held_out = hold_out(tiny, np.arange(20))
    mean = training_mean(tiny, np.arange(20, 40))
    left, right = (evaluate_on(held_out, p, train_mean=mean) for p in (fakes.CopyLast(), fakes.ContextMean()))
    assert left.fingerprint == right.fingerprint == held_out.fingerprint


def test_unknown_metric_and_figure_name_the_nearest(tiny, fakes):
    with pytest.raises(UsageError, match=r"metric 'cosin'. Did you mean 'cosine'"):
        run(fakes.CopyLast(), tiny, metrics=["cosin"])
    with pytest.raises(UsageError, match=r"Did you mean 'mrr\[document\]'"):
        run(fakes.CopyLast(), tiny).estimate("mrr[documents]")


def test_another_dimension_is_refused(tiny, fakes):
    with pytest.raises(MismatchError, match="8-D vectors, tiny holds 16-D"):
        run(fakes.CopyLast(8), tiny)


def test_a_training_mean_of_another_dimension_is_refused(tiny, fakes):
    with pytest.raises(MismatchError, match=r"shape \(3,\)"):
        evaluate(fakes.CopyLast(), tiny, documents=np.arange(9), train_mean=np.zeros(3))


@pytest.mark.parametrize(
    ("known", "message"),
    [
        ({"encoder_fingerprint": "beef"}, r"gru-1 was trained on encoder beef, tiny was encoded by fake 16-D"),
        ({"split_fingerprint": "beef"}, r"gru-1 was trained under split beef, tiny has split"),
    ],
)
def test_another_encoder_or_split_is_refused(tiny, fakes, known, message):
    subject = Subject.of(fakes.CopyLast().spec, name="gru-1", **known)
    with pytest.raises(MismatchError, match=message):
        run(fakes.CopyLast(), tiny, subject=subject)


class Broken:
    spec = PredictorSpec(name="broken", dim=16, context=None)

    def __init__(self, answer):
        self.answer = answer

    def forecast(self, x_BTD, mask_BT, breaks_BT=None, next_BT=None, heading=None):
        return Forecast(lambda: self.answer(x_BTD))

    def predict(self, x_BTD, mask_BT):
        return self.answer(x_BTD)


def test_predictions_that_are_not_finite_are_refused(tiny):
    with pytest.raises(DataError, match="broken predicts NaN"):
        run(Broken(lambda x: x * float("nan")), tiny)


@pytest.mark.parametrize("metric", ["energy", "density"])
def test_samples_and_densities_that_are_not_finite_are_refused(tiny, metric):
    class Damaged(Broken):
        spec = PredictorSpec(name="damaged", dim=16, context=None, samples=True, density=True)

        def forecast(self, x_BTD, mask_BT, breaks_BT=None, next_BT=None, heading=None):
            return Forecast(
                lambda: unit(x_BTD),
                sampler=lambda n, generator: float("nan") * x_BTD.expand(n, *x_BTD.shape),
                density=lambda y_BTD: float("inf") * y_BTD[..., 0],
            )

    with pytest.raises(DataError, match="damaged predicts NaN or infinity"):
        run(Damaged(unit), tiny, metrics=[metric])


def test_a_predictor_is_told_where_paragraphs_begin_whatever_it_is_asked(make_snapshot):
    """Its point, query, density and samples are the vector e_0 where a chunk begins a paragraph, and else e_1."""

    class Reads(Broken):
        spec = PredictorSpec(name="reads", dim=16, context=None, ranks_by="query", samples=True, density=True)

        def forecast(self, x_BTD, mask_BT, breaks_BT=None, next_BT=None, heading=None):
            y_BTD = torch.eye(16)[torch.where(breaks_BT == 1, 0, 1)]
            seen.append(breaks_BT)
            sampler = lambda n, generator: y_BTD.expand(n, *y_BTD.shape)  # noqa: E731
            return Forecast(lambda: y_BTD, lambda: y_BTD, sampler, lambda _: y_BTD[..., 0])

    seen = []
    rows = np.eye(16, dtype=np.float32)[np.arange(40) % 2]
    breaks = (np.arange(40) % 2 == 1).astype(np.int8)
    snapshot = make_snapshot([20, 20], vectors=rows, breaks=breaks)
    evaluation = run(Reads(unit), snapshot, metrics=["cosine", "density", "energy"])
    assert evaluation.estimate("cosine") == 1.0
    assert evaluation.estimate("energy_score") == 0.0
    assert evaluation.estimate("log_density") == pytest.approx(7 / 15)
    assert len(seen) == 3


def test_padding_may_hold_anything(tiny):
    def answer(x_BTD):
        padding = x_BTD.abs().sum(-1, keepdim=True) == 0
        return unit(x_BTD).masked_fill(padding, float("nan"))

    assert np.isfinite(run(Broken(answer), tiny, metrics=["cosine"]).estimate("cosine"))


def test_predictions_of_another_shape_are_refused(tiny):
    with pytest.raises(DataError, match="one prediction a position"):
        run(Broken(lambda x: x[:, -1]), tiny)


def test_an_evaluation_survives_its_record(tiny, fakes, tmp_path):
    subject = Subject.of(fakes.LastFive().spec, name="five", seed=3, trained_on="wiki@small", trained_rows=99)
    evaluation = run(fakes.LastFive(), tiny, subject=subject, metrics=EVERYTHING)
    save_evaluation(tmp_path / "evaluations.jsonl", evaluation)
    save_evaluation(tmp_path / "evaluations.jsonl", evaluation)
    again = read_evaluations(tmp_path / "evaluations.jsonl")[1]
    assert_same(evaluation, again, 1e-8)
    assert again.subject == subject
    assert (again.fingerprint, again.doc_ids) == (evaluation.fingerprint, evaluation.doc_ids)
    assert again.interval("cosine").low == pytest.approx(evaluation.interval("cosine").low)
    assert again.chance("mrr[document]") == evaluation.chance("mrr[document]")
    assert again.summary() == pytest.approx(evaluation.summary())


def test_an_evaluation_says_what_was_evaluated_and_by_what(tiny, fakes, tmp_path):
    held_out, mean = hold_out(tiny, np.arange(20)), training_mean(tiny, np.arange(20, 40))
    evaluation = evaluate_on(held_out, fakes.CopyLast(), train_mean=mean, weights="beef", metrics=["cosine", "spread"])
    save_evaluation(tmp_path / "evaluations.jsonl", evaluation)
    (again,) = read_evaluations(tmp_path / "evaluations.jsonl")
    versions = {name: METRICS.get(name).version for name in ("cosine", "spread")}
    assert (again.weights, again.metrics) == ("beef", versions)


def test_records_of_an_older_format_are_passed_over(tiny, fakes, tmp_path):
    plain = run(fakes.CopyLast(), tiny).to_dict()
    path = tmp_path / "evaluations.jsonl"
    path.write_text("".join(json.dumps(plain | {"format": number}) + "\n" for number in (1, plain["format"])))
    assert len(read_evaluations(path)) == 1
    path.write_text(json.dumps(plain | {"format": 99}) + "\n")
    with pytest.raises(IntegrityError, match="has format 99"):
        read_evaluations(path)


def test_a_corpus_that_nothing_was_trained_on_is_judged_whatever_its_split(tiny, fakes):
    subject = Subject.of(fakes.CopyLast().spec, name="gru-1", split_fingerprint="beef")
    held_out, mean = hold_out(tiny, np.arange(20), whole=True), training_mean(tiny, np.arange(20))
    assert evaluate_on(held_out, fakes.CopyLast(), train_mean=mean, subject=subject).split_fingerprint is None


@pytest.mark.parametrize("damage", [{"format": 7}, {"targets": None}, {"subject": {"nom": "x"}}, {"extra": 1}])
def test_a_damaged_record_is_refused(tiny, fakes, damage):
    plain = json.loads(json.dumps(run(fakes.CopyLast(), tiny).to_dict()))
    with pytest.raises(IntegrityError, match="Evaluate again"):
        Evaluation.from_dict(plain | damage)


def test_a_constant_predictor_is_a_collapse(tiny, fakes):
    evaluation = run(fakes.Constant(), tiny)
    assert evaluation.estimate("spread") == pytest.approx(0.0, abs=1e-6)


def test_an_evaluation_of_some_documents_is_what_evaluating_them_gives(tiny, fakes):
    every = run(fakes.CopyLast(), tiny, metrics=("cosine", "order"))
    chosen = [every.doc_ids[1], every.doc_ids[3]]
    part = every.of_documents({*chosen, "of another corpus"})
    numbers = [number for number, record in enumerate(tiny.documents) if record.doc_id in chosen]
    alone = run(fakes.CopyLast(), tiny, numbers, metrics=("cosine", "order"))
    assert part.doc_ids == tuple(chosen)
    assert part.fingerprint != every.fingerprint
    np.testing.assert_array_equal(part.targets, alone.targets)
    assert part.estimate("cosine") == pytest.approx(alone.estimate("cosine"), abs=1e-6)
    assert every.of_documents(set(every.doc_ids)).estimate("cosine") == every.estimate("cosine")


def test_documents_that_were_not_judged_are_refused(tiny, fakes):
    with pytest.raises(UsageError, match="1 documents were asked for, and none of them is among the"):
        run(fakes.CopyLast(), tiny, metrics=("cosine",)).of_documents({"elsewhere"})
