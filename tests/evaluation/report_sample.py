"""A report's content as a real study would give it, from made-up figures: `sample()`; parts can be replaced or emptied.

Run as a script (`python report_sample.py OUT.html`) to write it and look at it.
"""

import sys
from dataclasses import replace
from pathlib import Path

import numpy as np

from nextvec.encoders.encoder import EncoderSpec
from nextvec.evaluation.coherence import check_coherence
from nextvec.evaluation.compare import Drawing, compare
from nextvec.evaluation.evaluation import Column, Evaluation, Subject
from nextvec.evaluation.latency import BatchLatency, Latency
from nextvec.evaluation.report import Example, ReportContent, write_report
from nextvec.evaluation.worth import worth_of
from nextvec.store.snapshot import Snapshot

DOCUMENTS = 83
POOLS = {"document": 79.4, "ahead": 40.7, "document+context": 84.4, "foreign-10k": 10_001.0}
GENERATIONS = {"wiki@small": 60_044, "wiki@large": 240_010}
BASELINES = {  # cosine, MRR in the document, fitted numbers, milliseconds
    "global-mean": (0.312, 0.043, 384, 0.011),
    "copy-last": (0.402, 0.176, 0, 0.009),
    "context-mean": (0.494, 0.050, 0, 0.014),
    "ewma": (0.529, 0.082, 1, 0.021),
    "ewma-mix": (0.538, 0.093, 7, 0.034),
    "ridge": (0.507, 0.088, 737_280, 0.052),
    "ridge-mix": (0.541, 0.101, 1_032_199, 0.077),
    "knn-successor": (0.489, 0.071, 0, 3.9),
    "gaussian": (0.541, 0.101, 1_179_655, 0.079),
}
READERS = ("ewma-mix", "ridge-mix", "gaussian")  # baselines that read paragraph breaks
SAMPLING = {"gaussian": (161.2, 0.402, 0.93), "transformer": (168.9, 0.396, 0.88)}  # log density, energy, within 90 %
MODELS = {  # cosine, MRR, trained numbers, milliseconds, anchor, noise
    "transformer": (0.5452, 0.117, 6_012_416, 1.92, "ridge-mix", 0.004),
    "gru": (0.5437, 0.114, 2_364_800, 0.81, "ridge-mix", 0.004),
    "amn": (0.5412, 0.099, 902_144, 0.33, "ewma-mix", 0.006),
    "lstm": (0.4715, 0.091, 3_152_256, 0.62, "none", 0.012),
}
TEXTS = (
    "The harbour froze so rarely that nobody had thought to write down what should be done when it did.",
    "In the winter of 1709 the ice reached from the customs house to the outer mole.",
    "Ships that had been loaded in November lay where they were until the middle of March.",
    "The price of grain doubled within four weeks, and the council opened the granaries.",
    "A record of the distribution, kept by the clerk of the weigh house, has survived.",
    "It lists 4,112 households and the amount that each of them received.",
)
NEAR = (
    ("The register names every family that was given bread during the siege.", 0.71),
    ("About nine hundred households are recorded in the tax roll of that year.", 0.66),
    ("Rationing went on until the first convoy arrived.", 0.63),
)


def evaluation(name, cosine, mrr, *, part="test", documents=DOCUMENTS, noise=0.004, **subject):
    """Documents share their difficulty whoever predicts; a predictor adds its level and a little noise of its own."""
    shared = np.random.default_rng(len(part))
    targets = shared.integers(5, 140, size=documents)
    difficulty = shared.standard_normal(documents)
    own = np.random.default_rng(sum(name.encode()))

    def column(level, spread=0.05, chance=None):
        values = level + spread * difficulty + noise * own.standard_normal(documents)
        values += level - (values * targets).sum() / targets.sum()
        return Column(values * targets, targets.astype(float), chance)

    columns = {
        "cosine": column(cosine),
        "cosine_centred": column(cosine - 0.13),
        "copy_ratio": column(1.2),
        "spread": column(cosine - 0.1),
        "ordered_context": column(cosine),
        "shuffled_context": column(cosine - 0.011),
    }
    for pool, size in POOLS.items():
        level = mrr * {"document": 1.0, "ahead": 1.4, "document+context": 0.6, "foreign-10k": 0.45}[pool]
        columns[f"mrr[{pool}]"] = column(level, 0.02, chance=float(np.log(size) / size))
        columns[f"recall@10[{pool}]"] = column(2.4 * level, 0.03, chance=10 / size)
        columns[f"pool_size[{pool}]"] = Column(size * targets, targets.astype(float))
        if pool != "document+context":
            columns[f"log_loss[{pool}]"] = column(np.log(size) - 4 * level, 0.3, chance=float(np.log(size)))
            columns[f"bits_gained[{pool}]"] = column(4 * level / np.log(2), 0.4, chance=0.0)
    if subject.get("architecture") in SAMPLING:
        density, energy, within = SAMPLING[subject["architecture"]]
        columns |= {"log_density": column(density, 8.0), "energy_score": column(energy, 0.03)}
        bins = [column(within / 9, 0.01) for _ in range(9)] + [column(1 - within, 0.01)]
        columns |= {"coverage@50": column(5 / 9 * within, 0.02), "coverage@90": column(within, 0.02)}
        columns |= {f"rank_bin@{place}": share for place, share in enumerate(bins, start=1)}
    return Evaluation(
        subject=Subject(name=name, **({"architecture": name, "trained_on": "wiki@small"} | subject)),
        corpus="wiki@small",
        encoder="minilm 384-D (fingerprint ab12cd34ef567890)",
        encoder_fingerprint="ab12cd34ef567890",
        split_fingerprint="cd34",
        fingerprint=f"{part}-4f0c9e71d2a8",
        min_context=5,
        seed=0,
        doc_ids=tuple(f"d{i}" for i in range(documents)),
        targets=targets,
        columns=columns,
        train_mean_norm=0.4,
        seconds=1.0,
    )


def baselines(part="test", documents=DOCUMENTS, generation=None, worse=0.0):
    on = generation or "wiki@small"
    gain = (0.002 if on == "wiki@large" else 0.0) - worse
    return [
        evaluation(
            f"{name} ({generation})" if generation else name,
            cosine + gain,
            mrr - worse,
            part=part,
            documents=documents,
            architecture=name,
            fitted=fitted,
            trained_on=on,
            trained_rows=GENERATIONS[on],
        )
        for name, (cosine, mrr, fitted, _) in BASELINES.items()
    ]


def model(name, *, documents=DOCUMENTS, generation=None, seed=0, shift=0.0):
    cosine, mrr, parameters, _, anchor, noise = MODELS[name]
    on = generation or "wiki@small"
    gain = shift + (0.0035 if on == "wiki@large" else 0.0)
    return evaluation(
        f"{name}-{on.partition('@')[2]}" if generation else name,
        cosine + gain,
        mrr + gain,
        documents=documents,
        noise=noise,
        architecture=name,
        parameters=parameters,
        anchor=anchor,
        seed=seed,
        trained_on=on,
        trained_rows=GENERATIONS[on],
    )


def comparison(models=tuple(MODELS), *, documents=DOCUMENTS, generations=(None,), shift=0.0, with_baselines=True):
    drawing = Drawing(resamples=300, permutations=1000)
    found = [model(name, documents=documents, generation=g, shift=shift) for g in generations for name in models]
    rivals = [b for g in generations for b in baselines(documents=documents, generation=g)] if with_baselines else []
    chosen = [b for g in generations for b in baselines("validation", documents, g)] if with_baselines else []
    untold, told = (
        [
            b
            for g in generations
            for b in baselines(documents=documents, generation=g, worse=worse)
            if with_baselines and b.subject.architecture in READERS
        ]
        for worse in (0.004, -0.003)
    )
    table = compare(found, rivals, validation=chosen, drawing=drawing)
    structure = {
        "breaks": worth_of("breaks", rivals, untold, chosen, drawing),
        "next": worth_of("next", told, rivals, chosen, drawing),
    }
    return replace(table, structure=structure)


def latency(milliseconds, parameters):
    times = {1: milliseconds, 8: milliseconds / 4, 32: milliseconds / 9}
    batches = tuple(
        BatchLatency(batch=batch, calls=100, mean_ms=ms * 1.05, p50_ms=ms, p95_ms=ms * 1.3, p99_ms=ms * 1.8)
        for batch, ms in times.items()
    )
    return Latency(
        device="cpu", threads=2, context=5, parameters=parameters, fitted=0, batches=batches,
        weight_bytes=4 * parameters, peak_bytes=None,
    )  # fmt: skip


def latencies(table):
    known = {name: (row[3], row[2]) for name, row in (BASELINES | MODELS).items()}
    return {row.name: latency(*known[row.subject.architecture]) for row in table.rows}


def curve(name, best=0.549, epochs=20):
    """A run log as the training loop writes it."""
    cosine, *_, anchor, _ = MODELS[name]
    first = 0.002 if anchor == "none" else 0.541 if anchor == "ridge-mix" else 0.538
    noise = np.random.default_rng(sum(name.encode()))
    events = [{"event": "start", "step": 0, "targets": 48_000}]
    for epoch in range(epochs + 1):
        share = 1 - np.exp(-epoch / 4)
        value = first + (cosine + 0.008 - first) * share + 0.0006 * noise.standard_normal() * (epoch > 0)
        skill = (value - best) / (1 - best)
        events += [
            {
                "event": "step",
                "step": 47 * epoch - 47 + s,
                "loss": 0.47 - 0.01 * share + 0.004 * noise.standard_normal(),
            }
            for s in range(20, 47, 20)
            if epoch
        ]
        events.append(
            {
                "event": "epoch",
                "step": 47 * epoch,
                "epoch": epoch,
                "loss": 0.46,
                "validation_cosine": value,
                "skill": skill,
            }
        )
    return events


def coherence():
    rng = np.random.default_rng(5)
    lengths = rng.integers(4, 60, size=40)
    rows = []
    for length in lengths:
        topic, state = rng.standard_normal(24), rng.standard_normal(24)
        for _ in range(length):
            state = 0.7 * state + 0.7 * rng.standard_normal(24)
            rows.append(0.8 * topic + state + 0.35)
    vectors = np.array(rows, np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    snapshot = Snapshot.from_arrays(
        "wiki", vectors, np.concatenate([[0], np.cumsum(lengths)]), [f"d{i}" for i in range(len(lengths))],
        encoder=EncoderSpec(name="minilm", dim=24, weights_hash="x"), tag="small",
    )  # fmt: skip
    return check_coherence(snapshot, resamples=200)


def examples(names, count=2):
    found = [name for name in names if name in MODELS] or list(names)
    return [
        Example(
            context=TEXTS[:5],
            truth=TEXTS[5],
            nearest=dict.fromkeys(found, NEAR),
            cosines={name: 0.52 + 0.02 * place for place, name in enumerate(found)},
            title=title,
        )
        for title in ("The great frost", "")[:count]
    ]


def sample(table=None, **changed):
    """A complete content; `changed` replaces parts of it."""
    table = table or comparison()
    names = [row.subject.architecture for row in table.rows if row.kind == "model"]
    content = {
        "title": "Next-vector models on wiki",
        "comparison": table,
        "latencies": latencies(table),
        "curves": {row.name: curve(row.subject.architecture) for row in table.rows if row.kind == "model"},
        "best_baseline": {"ridge-mix": 0.549},
        "coherence": coherence(),
        "examples": examples(names),
        "provenance": {
            "Corpus": "wiki@small, 60,044 chunks of 733 documents",
            "Encoder": table.encoder,
            "Split": "salt 'wiki', test < 100, validation < 200 of 1000",
            "Test set": table.fingerprint,
            "Versions": "nextvec 0.1.0, torch 2.13.0, Python 3.12.3",
            "Hardware": "cpu, 2 threads",
            "Command": "nextvec compare transformer gru amn lstm --on wiki@small",
            "Date": "2026-01-31",
        },
        "notes": ["Sentences were cut by a rule-based segmenter, which errs on abbreviations."],
    }
    return ReportContent(**(content | changed))


if __name__ == "__main__":
    write_report(Path(sys.argv[1]), sample())
    write_report(Path(sys.argv[1]).with_suffix(".generations.html"), sample(comparison(generations=tuple(GENERATIONS))))
    few = comparison(["gru"], documents=9, shift=-0.004)
    write_report(Path(sys.argv[1]).with_suffix(".few.html"), ReportContent(title="A small one", comparison=few))
