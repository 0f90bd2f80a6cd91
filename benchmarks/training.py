"""Training, per target seen: ours against the usual practice.

    python benchmarks/training.py [--corpus NAME[@TAG]] [--targets 16384] [--epochs 20]

The usual practice: windows materialised as float32 arrays [N, 5, D] and [N, D], a torch DataLoader that fetches single
items, and library layers. Ours: causal training over spans of documents (GRU, Transformer), or windows gathered in one
step (AMN). Architecture, optimiser, schedule, targets a step and targets seen are the same; the two take turns in short
slices, so that a noisy machine slows both. Speed is measured over the first `--targets`; then the usual practice, in
bfloat16 as well to save time, and the faster of our precisions go on until they have seen as many targets as `--epochs`
of windows hold, where the schedule ends; both are scored on the test documents on the way. Without `--corpus` the first
documents of shared/data/wikipedia are ingested first (a few minutes, once). Prints ratios.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import count
from statistics import median
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils.data import DataLoader, Dataset

from nextvec.evaluation.evaluate import evaluate_on
from nextvec.evaluation.evaluation import Column
from nextvec.evaluation.heldout import hold_out, training_mean
from nextvec.evaluation.statistics import paired_difference
from nextvec.models.backbones.gru import GRU
from nextvec.models.network import Network, build_network
from nextvec.sequences.batches import Batches
from nextvec.sequences.windows import count_windows, gather_windows, target_rows
from nextvec.store.snapshot import Snapshot
from nextvec.store.vectors import open_snapshot
from nextvec.training.data import TrainingData
from nextvec.training.recipe import TrainingConfig, learning_rate
from nextvec.workspace import Workspace
from real import DOCUMENTS, real_snapshot
from record import Claim, leave_record, options_of

CONTEXT = 5
RECIPE = TrainingConfig()
PRECISIONS = ("fp32", "bf16")
SLICE_TARGETS = 4_096
BOUNDS = {"amn": 1.2, "gru": 4.0, "transformer": 4.0}
LIMITS = [
    "Held-out cosines are those of runs without an anchor, at one seed; they compare two ways of training and say "
    "nothing on which model is best. Their intervals are over documents, not over seeds.",
    "Speed is measured at the start of training, where spans are shortest.",
    "After that the usual practice goes on in bfloat16 too: what is compared from there on is accuracy alone.",
    "The usual practice was given one process; DataLoader workers help where processors are idle.",
]

Inputs = tuple[Tensor, Tensor, Tensor | None]
"""x_BTD, target_BSD, and which of (B, T) are targets; None for windows, whose last position alone has one."""


@dataclass(slots=True)
class Side:
    """A network in training. Its schedule goes by the targets it has seen and ends at `total` of them."""

    network: Network
    batches: Iterator[Inputs]
    optimizer: torch.optim.Optimizer
    batch: int
    total: int
    bf16: bool = False
    seen: int = 0

    def step(self) -> None:
        x_BTD, target_BSD, mask_BT = next(self.batches)
        self.network.train()
        self.optimizer.param_groups[0]["lr"] = learning_rate(self.seen // self.batch, self.total // self.batch, RECIPE)
        with torch.autocast("cpu", torch.bfloat16, enabled=self.bf16):
            y_BSD = self.network(x_BTD, last_only=mask_BT is None)
        cosine_BS = (y_BSD * target_BSD).sum(-1)
        chosen = cosine_BS.flatten() if mask_BT is None else cosine_BS[mask_BT]
        (1 - chosen.mean()).backward()
        nn.utils.clip_grad_norm_(self.network.parameters(), RECIPE.clip)
        self.optimizer.step()
        self.optimizer.zero_grad(set_to_none=True)
        self.seen += chosen.numel()


def main() -> None:
    options = parse()
    torch.set_num_threads(options.threads)
    data = TrainingData(snapshot_for(options))
    result: dict[str, Any] = {
        "corpus": data.snapshot.label,
        "chunks": len(data.snapshot),
        "dim": data.snapshot.dim,
        "architectures": {},
    }
    for architecture, causal in (("amn", False), ("gru", True), ("transformer", True)):
        if architecture in options.only:
            result["architectures"][architecture] = race(architecture, causal, data, options)
    leave_record(options, dataset=dataset(result), claims=claims(result), limits=LIMITS, measured=result)


def parse() -> argparse.Namespace:
    parser = options_of("training", __doc__)
    parser.add_argument("--corpus", help="NAME[@TAG] of a corpus in the workspace")
    parser.add_argument("--documents", type=int, default=DOCUMENTS, help="without --corpus")
    parser.add_argument("--targets", type=int, default=16_384, help="targets each side trains on for its speed")
    parser.add_argument("--epochs", type=int, default=RECIPE.epochs, help="of windows, in all, for held-out cosines")
    parser.add_argument("--only", nargs="+", choices=BOUNDS, default=list(BOUNDS))
    options = parser.parse_args()
    if options.targets % SLICE_TARGETS:
        parser.error(f"--targets {options.targets}: expected a multiple of {SLICE_TARGETS:,}, a turn's targets")
    return options


def dataset(result: dict[str, Any]) -> str:
    return f"{result['chunks']:,} vectors of {result['dim']} dimensions of corpus {result['corpus']}"


def claims(result: dict[str, Any]) -> list[Claim]:
    return [claim for name, row in result["architectures"].items() for claim in claims_on(name, row)]


def claims_on(architecture: str, row: dict[str, Any]) -> Iterator[Claim]:
    """The speed; and for causal training, which sees more than five vectors, that it does not cost accuracy."""
    reference = f"materialised windows of {CONTEXT} and a DataLoader, same targets"
    for precision, ratio in row["ratio"].items():
        what = f"Training {architecture}, {row['training']}, {precision}"
        # The bound is for the faster of the two precisions: what a user of this machine would choose.
        bound = BOUNDS[architecture] if precision == row["faster"] else None
        yield Claim(what=f"{what}: targets per second", figure=ratio, reference=reference, at_least=bound)
    for mark in row["held_out"]:
        gained = mark["difference"]
        seen = f"{mark['targets']['usual']:,} targets"
        what = f"Training {architecture}, causal, {row['faster']}, after {seen}: held-out cosine"
        bound = 0.0 if mark is row["held_out"][-1] else None
        yield Claim(
            what=f"{what}, difference",
            figure=gained["estimate"],
            interval=(gained["low"], gained["high"]),
            unit="cosine",
            reference=reference,
            at_least=bound,
        )


def snapshot_for(options: argparse.Namespace) -> Snapshot:
    if options.corpus:
        return open_snapshot(Workspace(options.workspace), options.corpus)
    return real_snapshot(options.workspace, options.documents)


def race(architecture: str, causal: bool, data: TrainingData, options: argparse.Namespace) -> dict[str, Any]:
    """Speed of all sides, causal training in both precisions; then held-out cosines of the usual and our faster one."""
    context = None if causal else CONTEXT
    batches = data.training_batches(context, RECIPE)
    batch = round(batches.targets(0) / batches.steps(0))
    total = all_targets(data, options.epochs)
    sides = contestants(architecture, context, batch, data, total)
    seconds = take_turns(sides, 0, options.targets)
    ratio = {
        side: median(a / b for a, b in zip(seconds["usual"], seconds[side], strict=True))
        for side in sides
        if side != "usual"
    }
    speed = {side: 1 / median(times) for side, times in seconds.items()}
    show_speed(architecture, ratio, speed)
    faster = max(ratio, key=ratio.__getitem__)
    last = {side: sides[side] for side in ("usual", faster)}
    return {
        "training": "causal" if causal else "windowed",
        "parameters": sides["usual"].network.spec.parameters,
        "targets_per_step": batch,
        "targets_per_second": speed,
        "ratio": ratio,
        "faster": faster,
        "held_out": held_out(last, options.targets, total, TestDocuments(data)) if causal else [],
    }


def all_targets(data: TrainingData, epochs: int) -> int:
    """Those of `epochs` of windows, to the nearest turn."""
    windows = count_windows(data.snapshot.lengths[data.split.train], CONTEXT)
    return max(1, round(epochs * windows / SLICE_TARGETS)) * SLICE_TARGETS


def contestants(architecture: str, context: int | None, batch: int, data: TrainingData, total: int) -> dict[str, Side]:
    usual = learner(architecture, data, CONTEXT)
    use_library_layers(usual)
    sides = {"usual": Side(usual, usual_batches(data, batch), adamw(usual, fused=False), batch, total)}
    for precision in PRECISIONS if context is None else PRECISIONS[:1]:
        own = learner(architecture, data, context)
        sides[precision] = Side(
            own,
            endless(data.training_batches(context, RECIPE)),
            adamw(own, fused=True),
            batch,
            total,
            bf16=precision == "bf16",
        )
    return sides


def take_turns(sides: dict[str, Side], first: int, last: int) -> dict[str, list[float]]:
    """Seconds per target of every slice, from `first` targets seen until each side has seen `last`."""
    seconds: dict[str, list[float]] = {side: [] for side in sides}
    for goal in range(first + SLICE_TARGETS, last + 1, SLICE_TARGETS):
        for name, side in sides.items():
            began, before = time.perf_counter(), side.seen
            while side.seen < goal:
                side.step()
            seconds[name].append((time.perf_counter() - began) / (side.seen - before))
    return seconds


def held_out(sides: dict[str, Side], seen: int, total: int, documents: TestDocuments) -> list[dict[str, Any]]:
    """Cosines after `seen` targets, twice and four times as many ... up to `total`, where speed plays no part."""
    marks: list[dict[str, Any]] = []
    sides["usual"].bf16 = True
    while True:
        cosine = {name: documents.cosine(side.network) for name, side in sides.items()}
        usual, ours = cosine.values()
        marks.append(
            {
                "targets": {name: side.seen for name, side in sides.items()},
                "cosine": {name: column.estimate for name, column in cosine.items()},
                "difference": paired_difference(ours.sums, ours.counts, usual.sums, usual.counts).interval.to_dict(),
            }
        )
        show_mark(marks[-1])
        if seen >= total:
            return marks
        goal = min(2 * seen, total)
        take_turns(sides, seen, goal)
        seen = goal


class TestDocuments:
    """No choice of the recipe was made on them."""

    def __init__(self, data: TrainingData) -> None:
        self._held_out = hold_out(data.snapshot, data.split.test)
        self._train_mean = training_mean(data.snapshot, data.split.train)

    def cosine(self, network: Network) -> Column:
        return evaluate_on(self._held_out, network, train_mean=self._train_mean, metrics=["cosine"]).column("cosine")


def learner(architecture: str, data: TrainingData, context: int | None) -> Network:
    torch.manual_seed(0)
    return build_network(architecture, data.snapshot.dim, anchor="none", context=context)


def adamw(network: Network, *, fused: bool) -> torch.optim.Optimizer:
    return torch.optim.AdamW(network.parameters(), weight_decay=RECIPE.weight_decay, fused=fused)


def use_library_layers(network: Network) -> None:
    """The usual practice runs `nn.GRU` itself, not the loop of models/recurrent.py."""
    backbone = network.backbone
    if not isinstance(backbone, GRU):
        return

    def forward(x_BTD: Tensor) -> Tensor:
        h_BTM = backbone.project(x_BTD)
        for layer, norm in zip(backbone.layers, backbone.norms, strict=True):
            h_BTM = norm(h_BTM + backbone.dropout(layer(h_BTM)[0]))
        return h_BTM

    backbone.forward = forward  # type: ignore[method-assign]


class Windows(Dataset[tuple[Tensor, Tensor]]):
    """Materialised windows, fetched one at a time."""

    def __init__(self, data: TrainingData) -> None:
        snapshot = data.snapshot
        rows = target_rows(snapshot.offsets, data.split.train, CONTEXT)
        x, y = gather_windows(snapshot.vectors, rows, CONTEXT)
        self.x, self.y = torch.from_numpy(x), torch.from_numpy(y)

    def __len__(self) -> int:
        return len(self.x)

    def __getitem__(self, item: int) -> tuple[Tensor, Tensor]:
        return self.x[item], self.y[item]


def usual_batches(data: TrainingData, batch: int) -> Iterator[Inputs]:
    loader = DataLoader(Windows(data), batch_size=batch, shuffle=True, drop_last=True)
    for _ in count():
        for x, y in loader:
            yield x, y[:, None], None


def endless(batches: Batches) -> Iterator[Inputs]:
    for epoch in count():
        for b in batches.epoch(epoch):
            yield b.x_BTD, b.target_BTD, b.target_mask_BT if b.target_BTD.shape == b.x_BTD.shape else None


def show_speed(architecture: str, ratio: dict[str, float], speed: dict[str, float]) -> None:
    for side, times in ratio.items():
        print(
            f"{architecture:<12} {side} {times:.2f}x the usual practice per target "
            f"({speed[side]:,.0f} against {speed['usual']:,.0f} targets/s)",
            flush=True,
        )


def show_mark(mark: dict[str, Any]) -> None:
    usual, ours = mark["cosine"].values()
    print(
        f"  after {mark['targets']['usual']:>7,} targets: held-out cosine {ours:.4f} against {usual:.4f} "
        f"[{mark['difference']['low']:+.4f}, {mark['difference']['high']:+.4f}]",
        flush=True,
    )


if __name__ == "__main__":
    main()
