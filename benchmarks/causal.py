"""Held-out cosine of causal training against windows of five, each through the whole recipe.

    python benchmarks/causal.py [--corpus NAME[@TAG]] [--epochs 20]

No anchor, one seed. Both sides go through the training loop: the recipe's schedule, early stopping on validation
documents, the best epoch kept. Architecture and targets a step (in the mean) are the same; causal training gets as many
epochs as hold no more targets than `--epochs` of windows. What is kept is scored on the test documents. No time is
measured: how fast both are is said by training.py. Without `--corpus` the first documents of shared/data/wikipedia are
ingested first (a few minutes, once). Takes about an hour on two cores.
"""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import torch

from nextvec.evaluation.evaluate import evaluate_on
from nextvec.evaluation.evaluation import Column
from nextvec.evaluation.heldout import hold_out, training_mean
from nextvec.evaluation.statistics import paired_difference
from nextvec.models.bundle import load_bundle
from nextvec.models.network import build_network
from nextvec.sequences.batches import Batches
from nextvec.training.data import TrainingData
from nextvec.training.loop import Progress
from nextvec.training.recipe import TrainingConfig
from nextvec.training.run import resolve_plan, train_model
from real import add_corpus_options, chosen_snapshot, dataset
from record import Claim, leave_record, options_of

CONTEXT = 5
ARCHITECTURES = ("gru", "transformer")
PRECISION = "bf16"
LIMITS = [
    "Without an anchor and at one seed: this compares two ways of training and says nothing on which model is best. "
    "The interval is over documents, not over seeds.",
]


def main() -> None:
    parser = options_of("causal", __doc__)
    add_corpus_options(parser)
    parser.add_argument("--epochs", type=int, default=TrainingConfig().epochs, help="of windows, at most")
    parser.add_argument("--only", nargs="+", choices=ARCHITECTURES, default=list(ARCHITECTURES))
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    race = Race(TrainingData(chosen_snapshot(options)), options.epochs, options.workspace / "cache")
    result = {architecture: race.run(architecture) for architecture in options.only}
    leave_record(
        options,
        dataset=dataset(race.data.snapshot),
        claims=[claim(architecture, row) for architecture, row in result.items()],
        limits=LIMITS,
        measured={"architectures": result},
    )


class Race:
    """Both sides on one corpus, equal in all but the way of training."""

    def __init__(self, data: TrainingData, epochs: int, cache: Path) -> None:
        self.data, self.cache = data, cache
        causal, windows = (batches_of(data, context) for context in (None, CONTEXT))
        causal_epochs = max(1, epochs * windows.targets(0) // causal.targets(0))
        # Spans do not fill every batch: the other side's batches are as large as theirs are in the mean.
        batch = seen(causal, causal_epochs) // sum(causal.steps(epoch) for epoch in range(causal_epochs))
        self.sides: dict[str, tuple[Batches, dict[str, Any]]] = {
            "windows": (windows, {"context": CONTEXT, "batch": batch, "epochs": epochs}),
            "causal": (causal, {"context": "unlimited", "epochs": causal_epochs}),
        }
        self.test = hold_out(data.snapshot, data.split.test)

    def run(self, architecture: str) -> dict[str, Any]:
        rows, cosines = {}, {}
        for side, (batches, options) in self.sides.items():
            common = {"anchor": "none", "precision": PRECISION}
            plan = resolve_plan(architecture, self.data.snapshot.dim, common | options)
            show = Show(architecture, side)
            with TemporaryDirectory() as place:
                folder = Path(place) / side
                metrics = train_model(self.data.snapshot, plan, folder, cache=self.cache, on_progress=show)
                cosines[side] = self.test_cosine(folder)
            rows[side] = {
                **options,
                "targets": seen(batches, metrics["epochs"]),
                "targets_of_best": seen(batches, metrics["best_epoch"]),
                "validation_cosine": metrics["validation_cosine"],
                "test_cosine": cosines[side].estimate,
            }
            print(f"{architecture:<12} {side:<8} test cosine {cosines[side].estimate:.4f}", flush=True)
        causal, windows = cosines["causal"], cosines["windows"]
        difference = paired_difference(causal.sums, causal.counts, windows.sums, windows.counts)
        return {"sides": rows, "difference": difference.interval.to_dict(), "p_value": difference.p_value}

    def test_cosine(self, folder: Path) -> Column:
        train_mean = training_mean(self.data.snapshot, self.data.split.train)
        predictor = load_bundle(folder).predictor
        return evaluate_on(self.test, predictor, train_mean=train_mean, metrics=["cosine"]).column("cosine")


def batches_of(data: TrainingData, context: int | None) -> Batches:
    """What an architecture of that context trains on."""
    network = build_network("gru", data.snapshot.dim, anchor="none", context=context)
    return data.training_batches(network, TrainingConfig())


def seen(batches: Batches, epochs: int) -> int:
    """Targets in all of the first `epochs` epochs."""
    return sum(batches.targets(epoch) for epoch in range(epochs))


class Show:
    """A line whenever there is a new best epoch, as the next one begins."""

    def __init__(self, architecture: str, side: str) -> None:
        self.head, self.best = f"{architecture:<12} {side:<8}", -1.0

    def __call__(self, progress: Progress) -> None:
        if progress.validation_cosine > self.best:
            self.best = progress.validation_cosine
            print(f"{self.head} after {progress.epoch - 1:>2} epochs: validation cosine {self.best:.4f}", flush=True)


def claim(architecture: str, row: dict[str, Any]) -> Claim:
    windows, difference = row["sides"]["windows"]["test_cosine"], row["difference"]
    return Claim(
        what=f"Training {architecture} causally, recipe's best epoch: held-out cosine, difference",
        figure=difference["estimate"],
        interval=(difference["low"], difference["high"]),
        unit="cosine",
        reference=f"windows of {CONTEXT}, same targets a step, stopped early by the same rule: {windows:.4f}",
        at_least=0.0,
    )


if __name__ == "__main__":
    main()
