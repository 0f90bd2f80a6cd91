"""The answers in words, on figures made so that the answers are known."""

from dataclasses import replace
from typing import ClassVar

import numpy as np
import pytest

from nextvec.comparing.contest import Contest
from nextvec.evaluation.compare import Drawing
from nextvec.evaluation.evaluation import Column, Evaluation, Subject
from nextvec.evaluation.latency import BatchLatency, Latency
from nextvec.evaluation.report.wording import MINUS
from nextvec.records.study import Run
from nextvec.studies.leaderboard import answers, make_claims

QUICK = Drawing(resamples=200, permutations=2000)
DOCUMENTS = 80
GENERATIONS = {"small": 1000, "large": 5000}
SIZES = {"amn": 1_500_000, "gru": 7_000_000, "transformer": 18_000_000}
COSINES = {
    ("amn", "small"): 0.540, ("gru", "small"): 0.540, ("transformer", "small"): 0.550,
    ("amn", "large"): 0.540, ("gru", "large"): 0.555, ("transformer", "large"): 0.535,
}  # fmt: skip
ONCE = "What was trained once is a checkpoint, not its architecture: another seed may answer otherwise."
MILLISECONDS = {"amn": 0.5, "gru": 2.0, "transformer": 4.0}


def evaluation(name, cosine, part="test", **subject):
    """Documents share their difficulty; what a predictor adds differs by its name."""
    shared = np.random.default_rng(len(part))
    targets = shared.integers(5, 60, size=DOCUMENTS)
    own = np.random.default_rng(sum(name.encode()))
    values = cosine + 0.1 * shared.standard_normal(DOCUMENTS) + 0.002 * own.standard_normal(DOCUMENTS)
    values += cosine - (values * targets).sum() / targets.sum()
    return Evaluation(
        subject=Subject(name=name, **subject),
        corpus="c@small", encoder="e", encoder_fingerprint="e", split_fingerprint="s", fingerprint=part,
        min_context=5, seed=0, doc_ids=tuple(map(str, range(DOCUMENTS))), targets=targets,
        columns={"cosine": Column(values * targets, targets.astype(float))}, train_mean_norm=0.4, seconds=1.0,
    )  # fmt: skip


def baselines(part):
    return [
        evaluation(f"{name} (c@{tag})", cosine, part, architecture=name, trained_on=f"c@{tag}", trained_rows=rows)
        for tag, rows in GENERATIONS.items()
        for name, cosine in (("ewma", 0.50), ("ridge-mix", 0.53))
    ]


def latency(milliseconds):
    timing = BatchLatency(
        batch=1, calls=20, mean_ms=milliseconds, p50_ms=milliseconds, p95_ms=milliseconds, p99_ms=milliseconds
    )
    return Latency(
        device="cpu", threads=1, context=5, parameters=1, fitted=0, batches=(timing,), weight_bytes=1, peak_bytes=None
    )


def study(seeds=1, cosines=COSINES, timed=True):
    """A contest, as far as answers look at one, and its runs."""
    runs, models = [], []
    for (architecture, tag), cosine in cosines.items():
        for seed in range(seeds):
            name = f"{architecture}-c-{tag}-s{seed}"
            runs.append(
                Run(architecture=architecture, corpus=f"c@{tag}", variant="", seed=seed, fingerprint=name, model=name)
            )
            models.append(
                evaluation(
                    name, cosine + 0.0001 * seed, architecture=architecture, parameters=SIZES[architecture], seed=seed,
                    trained_on=f"c@{tag}", trained_rows=GENERATIONS[tag],
                )
            )  # fmt: skip
    times = {run.model: latency(MILLISECONDS[run.architecture]) for run in runs} if timed else {}
    contest = Contest(
        comparison=None, models=models, baselines=baselines("test"), validation=baselines("validation"), entrants={},
        generations=[], test=None, test_documents=None, latencies=times,
    )  # fmt: skip
    return contest, runs


def said(**options):
    return {answer.question: answer for answer in answers(*study(**options), drawing=QUICK)}


class Ranks:
    """An entrant that predicts no mean."""

    tells_mean = False
    metrics: ClassVar[dict] = {}


def test_what_only_ranks_has_no_part_in_answers_about_cosine():
    contest, runs = study()
    ranking = {run.model for run in runs if run.architecture == "gru"}
    contest = replace(contest, entrants=dict.fromkeys(ranking, Ranks))
    found = {answer.question: answer for answer in answers(contest, runs, drawing=QUICK)}
    assert found["Which models predict no mean?"].short.startswith("gru on c@small and gru on c@large have no head")
    assert not [question for question, one in found.items() if "cosine" in question and "gru" in one.short]
    assert "gru" not in found["Is training worth it?"].short + found["Does size pay off?"].short
    only = replace(contest, entrants=dict.fromkeys((run.model for run in runs), Ranks))
    assert "Is training worth it?" not in {answer.question for answer in answers(only, runs, drawing=QUICK)}


def test_who_gains_from_more_data():
    answer = said()["Which architecture gains from more data?"]
    assert answer.short.startswith(
        f"From c@small to c@large: gru (+0.0150) gains; transformer ({MINUS}0.0150) loses; amn ("
    )
    assert ") cannot be told. What was trained once is a checkpoint" in answer.short
    assert len(answer.evidence) == 3
    assert any(
        sentence.startswith("gru on c@large is better than gru on c@small by 0.0150") for sentence in answer.evidence
    )


def test_one_generation_says_nothing_about_data():
    cosines = {key: cosine for key, cosine in COSINES.items() if key[1] == "small"}
    assert "Which architecture gains from more data?" not in said(cosines=cosines)


def test_training_is_worth_it_for_those_that_beat_the_best_baseline():
    answer = said()["Is training worth it?"]
    beaten = "Yes: gru on c@large, amn on c@large and transformer on c@large beat what needs no training."
    assert answer.short == f"{beaten} {ONCE}"
    assert said(seeds=3)["Is training worth it?"].short.count(ONCE) == 0
    weak = dict.fromkeys(COSINES, 0.52)
    short = said(cosines=weak)["Is training worth it?"].short
    assert short.startswith("No: even ")
    assert short.endswith(f"is worse than ridge-mix (c@large). {ONCE}")


def test_training_is_worth_it_where_another_than_the_highest_beats_the_best_baseline():
    """The mean of runs that differ widely may be the highest, and be told from nothing."""
    contest, runs = study(seeds=3, cosines={("gru", "large"): 0.545, ("transformer", "large"): 0.55})
    wide = dict(zip((f"transformer-c-large-s{seed}" for seed in range(3)), (-0.05, 0.0, 0.06), strict=True))
    models = [
        replace(one, columns={"cosine": replace(column, sums=column.sums + wide.get(one.name, 0.0) * column.counts)})
        for one in contest.models
        for column in one.columns.values()
    ]
    found = {answer.question: answer for answer in answers(replace(contest, models=models), runs, drawing=QUICK)}
    answer = found["Is training worth it?"]
    assert answer.short == (
        "Yes: gru on c@large, 3 seeds beats what needs no training; transformer on c@large, 3 seeds, whose cosine is "
        "the highest, cannot be told from ridge-mix (c@large)."
    )
    assert len(answer.evidence) == 2


@pytest.mark.parametrize(
    ("large", "expected"),
    [
        ({"amn": 0.540, "gru": 0.545, "transformer": 0.560}, "Yes: every model smaller than transformer (18"),
        ({"amn": 0.560, "gru": 0.545, "transformer": 0.540}, "Not proven: amn (1.5"),
        ({"amn": 0.5599, "gru": 0.545, "transformer": 0.560}, "Not proven: amn with 1.5"),
    ],
    ids=["yes", "no", "not proven"],
)
def test_whether_size_pays_off(large, expected):
    answer = said(cosines={(name, "large"): cosine for name, cosine in large.items()})["Does size pay off?"]
    assert answer.short.startswith(expected)
    order = [answer.evidence[0].index(name) for name in SIZES]
    assert order == sorted(order), "by size"


def test_of_several_settings_the_best_is_named_with_those_that_are_worse():
    found = {"layers=1": 0.540, "layers=2": 0.5401, "layers=3": 0.520}
    runs = [
        Run(architecture="gru", corpus="c@large", variant=variant, seed=0, fingerprint=variant, model=f"gru-{variant}")
        for variant in found
    ]
    models = [
        evaluation(
            f"gru-{variant}", cosine, architecture="gru", variant=variant, parameters=10, seed=0,
            trained_on="c@large", trained_rows=5000,
        )
        for variant, cosine in found.items()
    ]  # fmt: skip
    contest = replace(study(timed=False)[0], models=models)
    told = {answer.question: answer for answer in answers(contest, runs, drawing=QUICK)}
    answer = told["Which setting has the highest cosine?"]
    assert answer.short.startswith(
        "layers=2 (0.5401); worse is layers=3 (0.5200), layers=1 (0.5400) cannot be told from it."
    )
    assert answer.short.endswith(ONCE)
    assert len(answer.evidence) == 2
    assert "Which setting has the highest cosine?" not in said()


def test_the_best_per_millisecond_says_what_it_costs_in_cosine():
    answer = said()["Which is best per millisecond?"]
    assert answer.short.startswith("amn: cosine 0.5400 in 0.50 ms a prediction, 1.08 a millisecond.")
    assert f"Against gru, the best, its cosine is {MINUS}0.0150 (" in answer.short
    assert "Which is best per millisecond?" not in said(timed=False)


def test_seeds_are_averaged_before_anything_is_claimed():
    contest, runs = study(seeds=3)
    claims = make_claims(contest, runs, QUICK)
    assert claims.best.name == "gru on c@large, 3 seeds"
    assert claims.best.figures["cosine"].estimate == pytest.approx(0.5551, abs=1e-6)
    assert claims.milliseconds["gru on c@large, 3 seeds"] == 2.0
    names = {row.name for row in claims.comparison.rows if row.kind == "model"}
    assert len(names) == len(COSINES)


def test_the_luck_of_training_is_told_with_its_caution():
    few = said(seeds=2)["How much is the luck of training?"]
    assert few.short.endswith("Fewer than 3 seeds allow no claim about architectures.")
    enough = said(seeds=3)["How much is the luck of training?"]
    assert "Fewer than" not in enough.short
    contest, runs = study(seeds=3, cosines={("gru", "large"): 0.55})
    varied = [replace(run, architecture="gru-reference", variant="lr=0.1") for run in runs]
    (luck,) = [each for each in answers(contest, varied, drawing=QUICK) if each.question.startswith("How much")]
    assert "that of gru-reference (lr=0.1) on c@large: " in luck.short
    assert len(enough.evidence) == len(COSINES)
    assert "How much is the luck of training?" not in said()


def test_whether_training_collapses_is_read_off_the_variance_of_predictions():
    contest, runs = study(seeds=2)
    question = "Does training collapse?"
    for low, short in ((), "No: what each of"), ({"gru-c-small-s0", "gru-c-small-s1"}, "Yes: 2 of "):
        models = [with_spread(model, 0.001 if model.name in low else 0.4) for model in contest.models]
        found = {answer.question: answer for answer in answers(replace(contest, models=models), runs, drawing=QUICK)}
        assert found[question].short.startswith(short)
        assert ("gru on c@small, 2 seeds" in found[question].short) == bool(low)
        assert "gru on c@small: 0." in found[question].evidence[1]
    assert question not in said()


def with_spread(model, spread):
    ones = np.ones(DOCUMENTS)
    return replace(model, columns={**model.columns, "spread": Column(spread * ones, ones)})
