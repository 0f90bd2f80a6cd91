import json
from dataclasses import replace

import numpy as np
import pytest

from nextvec.errors import MismatchError, UsageError
from nextvec.evaluation.compare import Drawing, best_of, compare, require_comparable, skill
from nextvec.evaluation.evaluation import Column, Evaluation, Subject
from nextvec.evaluation.metric import METRICS, Figure, figures, own_figures
from nextvec.evaluation.seeds import averaged, seed_groups

QUICK = Drawing(resamples=400, permutations=2000)
DOCUMENTS = 80


def evaluation(name, cosine, *, mrr=0.2, part="test", documents=DOCUMENTS, own_noise=0.004, **subject):
    """Documents share their difficulty whoever predicts; a predictor adds its level and a little noise of its own."""
    shared = np.random.default_rng(len(part))
    targets = shared.integers(5, 60, size=documents)
    difficulty = 0.1 * shared.standard_normal(documents)
    own = np.random.default_rng(sum(name.encode()))

    def column(level):
        values = level + difficulty + own_noise * own.standard_normal(documents)
        values += level - (values * targets).sum() / targets.sum()
        return Column(values * targets, targets.astype(float))

    return Evaluation(
        subject=Subject(name=name, **({"architecture": name} | subject)),
        corpus="wiki@small",
        encoder="minilm 384-D (fingerprint ab12)",
        encoder_fingerprint="ab12",
        split_fingerprint="cd34",
        fingerprint=f"{part}-{documents}",
        min_context=5,
        seed=0,
        doc_ids=tuple(f"d{i}" for i in range(documents)),
        targets=targets,
        columns={
            "cosine": column(cosine),
            "mrr[document]": column(mrr),
            "rank_norm[document]": column(1 - cosine),
            "copy_ratio": column(1.2),
            "ordered_context": column(cosine),
            "shuffled_context": column(cosine - 0.02),
        },
        train_mean_norm=0.4,
        seconds=1.0,
    )


def baselines(part="test", **subject):
    return [
        evaluation("copy-last", 0.40, mrr=0.30, part=part, **subject),
        evaluation("context-mean", 0.49, mrr=0.05, part=part, **subject),
        evaluation("ewma-mix", 0.538, mrr=0.11, part=part, **subject),
    ]


def model(name, cosine, **subject):
    return evaluation(name, cosine, **({"parameters": 1000} | subject))


def run(models, **options):
    return compare(models, baselines(), validation=baselines("validation"), drawing=QUICK, **options)


def test_a_better_model_is_called_better_in_words():
    comparison = run([model("gru", 0.545, architecture="gru")])
    contrast = comparison.contrast("gru", "best baseline")
    assert contrast.right == "ewma-mix"
    assert contrast.verdict == "better"
    assert contrast.difference.estimate == pytest.approx(0.007, abs=1e-9)
    assert contrast.sentence.startswith("gru is better than ewma-mix by 0.0070 [0.00")
    assert contrast.sentence.endswith("], p < 0.001, 80 documents, one checkpoint")


def test_a_worse_model_and_one_that_cannot_be_told():
    comparison = run([model("lstm", 0.45), evaluation("equal", 0.5381, parameters=9, own_noise=0.02)])
    worse, unclear = (comparison.contrast(name, "best baseline") for name in ("lstm", "equal"))
    assert worse.sentence.startswith("lstm is worse than ewma-mix by 0.0880 [0.08")
    assert unclear.verdict == "cannot tell"
    assert unclear.sentence.startswith("equal against ewma-mix: cannot tell, +0.0001 [-0.00")


def test_the_best_baseline_is_chosen_on_validation_by_figure():
    flipped = [evaluation("copy-last", 0.6, part="validation"), *baselines("validation")[1:]]
    comparison = compare([model("gru", 0.5)], baselines(), validation=flipped, drawing=QUICK)
    assert comparison.contrast("gru", "best baseline").right == "copy-last"
    assert comparison.rows[-1].skill_over == "copy-last"
    named = run([model("gru", 0.5)])
    assert named.contrast("gru", "best baseline", "mrr[document]").right == "copy-last"
    assert "copy-last in mrr[document]" in named.contrast("gru", "best baseline", "mrr[document]").sentence


def test_lower_is_better_where_the_figure_says_so():
    comparison = run([model("gru", 0.58)], headlines=["rank_norm[document]"])
    contrast = comparison.contrast("gru", "best baseline", "rank_norm[document]")
    assert contrast.right == "ewma-mix"
    assert contrast.difference.estimate < 0
    assert contrast.verdict == "better"
    assert best_of(baselines(), figures()["rank_norm[document]"]).name == "ewma-mix"


def test_of_equal_baselines_the_simpler_one_is_the_best():
    """gaussian has the point of ridge-mix, and a covariance besides."""
    simple = baselines()[-1]
    richer = replace(simple, subject=replace(simple.subject, name="gaussian", fitted=100))
    for order in ([simple, richer], [richer, simple]):
        assert best_of(order, figures()["cosine"]) is simple


def test_descriptions_get_intervals_but_no_verdict():
    comparison = run([model("gru", 0.55)], headlines=["copy_ratio"])
    assert {contrast.figure for contrast in comparison.contrasts} == {"shuffled_context"}
    assert comparison.rows[0].figures["copy_ratio"].estimate == pytest.approx(1.2)


def test_a_model_meets_its_own_anchor():
    comparison = run([model("a", 0.55, anchor="mean"), model("b", 0.55, anchor="ewma-mix"), model("c", 0.55)])
    assert comparison.contrast("a", "anchor").right == "context-mean"
    assert comparison.contrast("b", "anchor").right == "ewma-mix"
    assert comparison.contrast("c", "anchor") is None


def test_each_figure_meets_what_its_own_head_starts_at():
    starts = (("point", "ewma-mix"), ("query", "context-mean"))
    comparison = run([model("a", 0.55, anchor="ridge-mix", starts=starts)], headlines=["cosine", "mrr[document]"])
    assert comparison.contrast("a", "anchor").right == "ewma-mix"
    assert comparison.contrast("a", "anchor", "mrr[document]").right == "context-mean"


def test_a_model_meets_the_generation_before():
    generations = [("small", 100), ("large", 300), ("middle", 200)]
    models = [
        model(f"gru@{tag}", 0.5 + n / 1e4, architecture="gru", trained_on=tag, trained_rows=n, seed=1)
        for tag, n in generations
    ]
    models.append(model("lstm@small", 0.5, architecture="lstm", trained_on="small", trained_rows=100, seed=1))
    comparison = run(models)
    assert comparison.contrast("gru@large", "earlier generation").right == "gru@middle"
    assert comparison.contrast("gru@middle", "earlier generation").right == "gru@small"
    assert comparison.contrast("gru@small", "earlier generation") is None
    assert comparison.contrast("lstm@small", "earlier generation") is None


def test_which_mean_is_the_best_depends_on_the_text():
    small = model("gru@small", 0.5, architecture="gru", anchor="ridge-mix", trained_on="small", trained_rows=100)
    large = model("gru@large", 0.52, architecture="gru", anchor="scale-mixture", trained_on="large", trained_rows=300)
    other = model("gru@none", 0.52, architecture="gru", anchor="none", trained_on="large", trained_rows=300)
    comparison = run([small, large, other])
    assert comparison.contrast("gru@large", "earlier generation").right == "gru@small"
    assert comparison.contrast("gru@none", "earlier generation") is None


def test_what_was_fitted_on_less_text_may_be_fewer_numbers():
    """A baseline keeps a weight where it helps, which more text may show."""
    known = {"architecture": "gru", "anchor": "ewma-mix", "seed": 1}
    small = model("gru@small", 0.5, trained_on="small", trained_rows=100, fitted=17, **known)
    large = model("gru@large", 0.52, trained_on="large", trained_rows=300, fitted=31, **known)
    assert run([small, large]).contrast("gru@large", "earlier generation").right == "gru@small"


def test_baselines_of_a_models_own_generation_are_its_rivals():
    def named(part):
        small = [
            replace(b, subject=replace(b.subject, name=f"{b.name}@small", trained_on="small")) for b in baselines(part)
        ]
        large = [
            replace(b, subject=replace(b.subject, name=f"{b.name}@large", trained_on="large")) for b in baselines(part)
        ]
        return [*small, *large]

    models = [model(f"gru@{tag}", 0.5, trained_on=tag, anchor="ewma-mix") for tag in ("small", "large", "other")]
    comparison = compare(models, named("test"), validation=named("validation"), drawing=QUICK)
    assert comparison.contrast("gru@small", "best baseline").right == "ewma-mix@small"
    assert comparison.contrast("gru@large", "best baseline").right == "ewma-mix@large"
    assert comparison.contrast("gru@large", "anchor").right == "ewma-mix@large"
    assert comparison.contrast("gru@other", "best baseline").right.startswith("ewma-mix")


def test_a_reference_meets_everyone_but_itself():
    comparison = run([model("gru", 0.55), model("lstm", 0.5)], reference="gru")
    assert comparison.contrast("lstm", "reference").right == "gru"
    assert comparison.contrast("gru", "reference") is None
    with pytest.raises(UsageError, match=r"reference 'gruu'. Did you mean 'gru'"):
        run([model("gru", 0.55)], reference="gruu")


def test_each_model_meets_itself_on_shuffled_context():
    contrast = run([model("gru", 0.55)]).contrast("gru", "shuffled context", "shuffled_context")
    assert contrast.difference.estimate == pytest.approx(0.02)
    assert contrast.sentence.startswith("gru is better than itself on shuffled context by 0.0200")


def test_an_anchor_that_is_the_best_baseline_is_one_hypothesis():
    models = [model(f"m{i}", 0.5385, anchor="ewma-mix") for i in range(4)]
    contrasts = [c for c in run(models).contrasts if c.figure == "cosine"]
    assert [c.role for c in contrasts] == ["best baseline", "anchor"] * 4
    alone = run([replace(m, subject=replace(m.subject, anchor="none")) for m in models]).contrasts
    assert [c.p_adjusted for c in contrasts[::2]] == [c.p_adjusted for c in contrasts[1::2]]
    assert [c.p_adjusted for c in contrasts[::2]] == [c.p_adjusted for c in alone if c.figure == "cosine"]
    assert all(c.p_adjusted >= c.p_value for c in contrasts)


def test_peers_meet_each_other_once():
    models = [model(name, cosine) for name, cosine in (("a", 0.50), ("b", 0.55), ("c", 0.52))]
    comparison = run(models, peers=("a", "b", "c"))
    met = [(c.left, c.right) for c in comparison.contrasts if (c.role, c.figure) == ("peer", "cosine")]
    assert met == [("a", "c"), ("a", "b"), ("c", "b")]
    assert comparison.contrast("a", "peer", right="b").verdict == "worse"
    assert comparison.contrast("b", "peer", right="a") is None


def test_a_headline_that_one_side_lacks_is_an_error_by_name():
    gru = model("gru", 0.55)
    lacking = replace(gru, columns={"cosine": gru.column("cosine")})
    with pytest.raises(MismatchError, match=r"'mrr\[document\]' was not measured of gru \(copy-last has it\)"):
        run([lacking])
    with pytest.raises(MismatchError, match="'cosine_centred' was not measured of gru \\(nobody has it\\)"):
        run([gru], headlines=("cosine_centred",))


def test_skill_is_the_share_of_the_error_that_is_gone():
    left, right = evaluation("a", 0.55).column("cosine"), evaluation("b", 0.5).column("cosine")
    interval = skill(left, right, QUICK)
    assert interval.estimate == pytest.approx(0.05 / 0.5)
    assert interval.low < 0.1 < interval.high
    assert skill(right, right, QUICK).estimate == 0.0


def test_rows_go_from_the_best_cosine_to_the_worst():
    comparison = run([model("gru", 0.55), model("lstm", 0.45)])
    assert [row.name for row in comparison.rows] == ["gru", "ewma-mix", "context-mean", "lstm", "copy-last"]
    assert [row.kind for row in comparison.rows] == ["model", "baseline", "baseline", "model", "baseline"]
    assert comparison.rows[0].skill.estimate == pytest.approx((0.55 - 0.538) / (1 - 0.538))
    assert comparison.sentences()[0].startswith("gru is better")


def test_spread_over_seeds():
    models = [model(f"gru-{s}", 0.54 + s / 1000, architecture="gru", seed=s) for s in range(3)]
    comparison = run([*models, model("lstm-0", 0.5, architecture="lstm", seed=0)])
    spread = next(s for s in comparison.seeds if s.figure == "cosine")
    assert {s.architecture for s in comparison.seeds} == {"gru"}
    assert (spread.seeds, spread.note) == (3, None)
    assert (spread.mean, spread.low, spread.high) == pytest.approx((0.541, 0.54, 0.542))
    assert spread.deviation == pytest.approx(0.001)
    assert next(iter(run(models[:2]).seeds)).note == "only 2 seeds: no headline claim"


def test_a_copy_is_no_second_seed():
    """A model and what was pushed to the hub and fetched again."""
    models = [model(name, 0.54, architecture="gru", seed=seed) for name, seed in (("a", 0), ("hf--a", 0), ("b", 1))]
    assert not averaged(models[:2])
    assert [len(group) for group in seed_groups(models)] == [2]
    assert not list(run(models[:2]).seeds)


def test_figures_of_ones_own_metrics_get_verdicts(monkeypatch):
    class Near:
        figures = (Figure(name="near", meaning="how near"),)
        costly = False
        version = 1

        def measure(self, passage):
            return {}

    monkeypatch.setitem(METRICS._entries, "near", Near)
    assert "near" in own_figures()
    assert "cosine" not in own_figures()

    def near(each):
        return replace(each, columns={**each.columns, "near": each.column("cosine")})

    models, known = [model("gru", 0.55), model("lstm", 0.54)], [near(each) for each in baselines()]
    given = {"validation": [near(each) for each in baselines("validation")], "drawing": QUICK}
    assert compare([near(each) for each in models], known, **given).sentences("near")
    assert not compare([near(models[0]), models[1]], known, **given).sentences("near")


def test_seeds_are_averaged_document_by_document():
    models = [model(f"gru-{s}", 0.54 + s / 1000, architecture="gru", seed=s, trained_on="small") for s in range(3)]
    lone = model("lstm-0", 0.5, architecture="lstm", seed=0)
    (mean,) = averaged([*models, lone])
    assert mean.name == "gru (3 seeds)"
    assert mean.estimate("cosine") == pytest.approx(0.541)
    comparison = run([*models, mean])
    assert comparison.contrast(mean.name, "best baseline").verdict == "better"
    assert comparison.contrast(mean.name, "best baseline").sentence.endswith("80 documents, 3 seeds")
    assert {spread.seeds for spread in comparison.seeds} == {3}


def test_other_settings_are_no_other_seeds():
    def trained(seed, variant):
        return model(f"gru-{variant}-{seed}", 0.54, architecture="gru", seed=seed, variant=variant)

    models = [trained(seed, variant) for seed in (0, 1) for variant in ("lr=0.001", "lr=0.01")]
    assert [mean.name for mean in averaged(models)] == ["gru-lr=0.001 (2 seeds)", "gru-lr=0.01 (2 seeds)"]


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        (("gru-wiki2", "gru-wiki2-s1", "gru-wiki2-s12"), "gru-wiki2 (3 seeds)"),
        (("gru-s1", "gru-s10"), "gru (2 seeds)"),
        (("a", "b"), "gru anchored on ridge-mix with layers=2 on c@small (2 seeds)"),
    ],
)
def test_a_mean_is_named_for_what_its_seeds_have_in_common(names, expected):
    own = {"architecture": "gru", "anchor": "ridge-mix", "variant": "layers=2", "trained_on": "c@small"}
    (mean,) = averaged([model(name, 0.54, seed=seed, **own) for seed, name in enumerate(names)])
    assert mean.name == expected


def test_the_table_is_short_texts():
    table = run([model("gru", 0.55), model("lstm", 0.5)]).table()
    assert table[0]["model"] == "gru"
    assert table[0]["cosine"] == "0.5500"
    assert table[0]["skill"] == "+2.6%"
    standings = {row["model"]: row["against the best baseline"] for row in table}
    assert standings == {
        "gru": "better",
        "ewma-mix": "is the best baseline",
        "lstm": "worse",
        "context-mean": "",
        "copy-last": "",
    }


def test_few_documents_are_said_aloud():
    tests = [evaluation("gru", 0.55, documents=12, parameters=1)]
    comparison = compare(tests, [], drawing=QUICK)
    assert "only 12 documents" in comparison.title
    assert "only 12 documents" in comparison.contrasts[0].sentence


def test_without_baselines_there_is_no_skill():
    row = compare([model("gru", 0.55)], drawing=QUICK).rows[0]
    assert (row.skill, row.skill_over) == (None, None)


@pytest.mark.parametrize("imperfect", [0, 1])
def test_of_a_baseline_that_lacks_nothing_in_nearly_all_documents_there_is_no_skill(imperfect):
    """Documents of one line, repeated: copy-last is right everywhere."""
    known, chosen = evaluation("copy-last", 0.9), evaluation("copy-last", 0.9, part="validation")
    right = np.ones(len(known.targets))
    right[:imperfect] = 0.5
    perfect = replace(known, columns={"cosine": Column(right * known.targets, known.targets.astype(float))})
    worse = replace(model("gru", 0.55), columns={"cosine": model("gru", 0.55).column("cosine")})
    comparison = compare([worse], [perfect], validation=[chosen], drawing=QUICK)
    assert [(row.skill, row.skill_over) for row in comparison.rows] == [(None, None)] * 2
    assert comparison.contrast("gru", "best baseline").verdict == "worse"


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"encoder_fingerprint": "ff"}, "gru and lstm have different encoders: ab12, ff"),
        ({"split_fingerprint": "ff"}, "gru and lstm have different splits: cd34, ff"),
        ({"fingerprint": "ff"}, "gru and lstm have different test sets: test-80, ff"),
        ({"train_mean_norm": 0.5}, "centred on different training means"),
    ],
)
def test_what_cannot_be_compared_is_refused_by_name(change, message):
    with pytest.raises(MismatchError, match=message):
        compare([model("gru", 0.5), replace(model("lstm", 0.5), **change)])


def test_equal_names_and_nothing_at_all_are_refused():
    with pytest.raises(UsageError, match="two evaluations are named 'gru'"):
        compare([model("gru", 0.5), model("gru", 0.6)])
    with pytest.raises(UsageError, match="nothing to compare"):
        require_comparable([])


def test_baselines_need_validation_of_their_own():
    with pytest.raises(UsageError, match="baseline 'context-mean' was not evaluated on validation"):
        compare([model("gru", 0.5)], baselines(), validation=[baselines("validation")[0]])
    with pytest.raises(MismatchError, match="chosen on the test documents"):
        compare([model("gru", 0.5)], baselines(), validation=baselines())


def test_the_comparison_is_json():
    plain = json.loads(json.dumps(run([model("gru", 0.55)]).to_dict(), allow_nan=False))
    assert plain["contrasts"][0]["sentence"].startswith("gru is better")
    assert plain["rows"][0]["figures"]["cosine"]["documents"] == 80
    assert plain["rows"][0]["skill"]["low"] > 0


def sampling(name, energy, part="test", **subject):
    """An evaluation that has an energy score, too."""
    plain = evaluation(name, 0.5, part=part, **subject)
    own = evaluation(name, energy, part=part).column("cosine")
    return replace(plain, columns={**plain.columns, "energy_score": own})


def test_figures_that_some_cannot_have_are_judged_among_those_that_have_them():
    flows = [sampling(f"flow-s{seed}", 0.60, seed=seed, architecture="flow") for seed in (1, 2)]
    grus = [evaluation(f"gru-s{seed}", 0.5, seed=seed, architecture="gru") for seed in (1, 2)]
    board = compare(
        [*flows, *grus, *averaged([*flows, *grus])],
        [*baselines(), sampling("gaussian", 0.62), sampling("wide", 0.70)],
        validation=[
            *baselines("validation"), sampling("gaussian", 0.62, "validation"), sampling("wide", 0.7, "validation")
        ],
        reference="ewma-mix",
        drawing=QUICK,
    )  # fmt: skip
    judged = {(c.left, c.right) for c in board.contrasts if c.figure == "energy_score"}
    assert judged == {(name, "gaussian") for name in ("flow-s1", "flow-s2", "flow (2 seeds)")}
    assert board.contrast("flow-s1", "best baseline", "energy_score").verdict == "better"
    assert board.contrast("gru-s1", "best baseline", "cosine") is not None
    assert [spread.architecture for spread in board.seeds if spread.figure == "energy_score"] == ["flow"]


def test_energy_skill_is_the_share_of_the_best_baselines_score_that_is_gone():
    rows = compare(
        [sampling("flow", 0.60), evaluation("gru", 0.5)],
        [*baselines(), sampling("gaussian", 0.62)],
        validation=[*baselines("validation"), sampling("gaussian", 0.62, "validation")],
        drawing=QUICK,
    ).rows
    found = {row.name: (row.energy_skill, row.energy_skill_over) for row in rows}
    assert found["flow"][0].estimate == pytest.approx(1 - 0.60 / 0.62)
    assert found["flow"][0].low > 0
    assert found["flow"][1] == "gaussian"
    assert found["gaussian"][0].estimate == 0
    assert found["gru"] == found["ewma-mix"] == (None, None)


def test_a_headline_that_all_can_have_is_still_asked_of_all():
    left, right = sampling("a", 0.6), evaluation("b", 0.5)
    without = replace(right, columns={k: v for k, v in right.columns.items() if k != "cosine"})
    with pytest.raises(MismatchError, match="'cosine' was not measured of b"):
        compare([left, without], drawing=QUICK)
    with pytest.raises(MismatchError, match="nobody has it"):
        compare([right], headlines=["energy_score"], drawing=QUICK)
