"""Speed of training, per target seen: ours against the usual practice.

    python benchmarks/training.py [--corpus NAME[@TAG]] [--targets 16384]

The usual practice: windows materialised as float32 arrays [N, 5, D] and [N, D], a torch DataLoader that fetches single
items, and library layers. Ours: causal training over spans of documents (GRU, Transformer), or windows gathered in one
step (AMN). Architecture, optimiser and targets a step are the same; all take turns in short slices, so that a noisy
machine slows all of them. What causal training does to accuracy is measured by causal.py. Without `--corpus` the first
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

from nextvec.models.backbones.gru import GRU
from nextvec.models.network import Network, build_network
from nextvec.sequences.batches import Batch, Batches
from nextvec.sequences.windows import gather_windows, target_rows
from nextvec.training.data import TrainingData
from nextvec.training.recipe import TrainingConfig
from real import add_corpus_options, chosen_snapshot, dataset
from record import Claim, leave_record, options_of

CONTEXT = 5
RECIPE = TrainingConfig()
PRECISIONS = ("fp32", "bf16")
SLICE_TARGETS = 4_096
CAUSAL = ("gru", "transformer")
BOUNDS = {"amn": 1.2, "gru": 4.0, "transformer": 4.0}
LIMITS = [
    "Speed is measured at the start of training, where spans are shortest.",
    "The usual practice was given one process; DataLoader workers help where processors are idle.",
]


@dataclass(slots=True)
class Side:
    """A network in training."""

    network: Network
    batches: Iterator[Batch]
    optimizer: torch.optim.Optimizer
    bf16: bool = False
    seen: int = 0

    def step(self) -> None:
        batch = next(self.batches)
        self.network.train()
        with torch.autocast("cpu", torch.bfloat16, enabled=self.bf16):
            loss = self.network(batch)
        loss.backward()
        nn.utils.clip_grad_norm_(self.network.parameters(), RECIPE.clip)
        self.optimizer.step()
        self.optimizer.zero_grad(set_to_none=True)
        self.seen += batch.targets


def main() -> None:
    options = parse()
    torch.set_num_threads(options.threads)
    data = TrainingData(chosen_snapshot(options))
    result = {architecture: race(architecture, data, options.targets) for architecture in options.only}
    leave_record(
        options,
        dataset=dataset(data.snapshot),
        claims=[claim for architecture, row in result.items() for claim in claims_on(architecture, row)],
        limits=LIMITS,
        measured={"architectures": result},
    )


def parse() -> argparse.Namespace:
    parser = options_of("training", __doc__)
    add_corpus_options(parser)
    parser.add_argument("--targets", type=int, default=16_384, help="targets each side trains on")
    parser.add_argument("--only", nargs="+", choices=BOUNDS, default=list(BOUNDS))
    options = parser.parse_args()
    if options.targets % SLICE_TARGETS:
        parser.error(f"--targets {options.targets}: expected a multiple of {SLICE_TARGETS:,}, a turn's targets")
    return options


def claims_on(architecture: str, row: dict[str, Any]) -> Iterator[Claim]:
    reference = f"materialised windows of {CONTEXT} and a DataLoader"
    for precision, ratio in row["ratio"].items():
        what = f"Training {architecture}, {row['training']}, {precision}: targets per second"
        # The bound is for the faster of the two precisions: what a user of this machine would choose.
        bound = BOUNDS[architecture] if precision == row["faster"] else None
        yield Claim(what=what, figure=ratio, reference=reference, at_least=bound)


def race(architecture: str, data: TrainingData, targets: int) -> dict[str, Any]:
    """Speed of all sides, causal training in both precisions."""
    context = None if architecture in CAUSAL else CONTEXT
    sides = contestants(architecture, context, data)
    seconds = take_turns(sides, targets)
    speed = {side: 1 / median(times) for side, times in seconds.items()}
    ratio = {
        side: median(a / b for a, b in zip(seconds["usual"], seconds[side], strict=True))
        for side in sides
        if side != "usual"
    }
    for side in ratio:
        print(f"{architecture:<12} {side}: {speed[side]:,.0f} against {speed['usual']:,.0f} targets/s", flush=True)
    return {
        "training": "windowed" if context else "causal",
        "parameters": sides["usual"].network.spec.parameters,
        "targets_per_second": speed,
        "ratio": ratio,
        "faster": max(ratio, key=ratio.__getitem__),
    }


def contestants(architecture: str, context: int | None, data: TrainingData) -> dict[str, Side]:
    batches = data.training_batches(learner(architecture, data, context), RECIPE)
    batch = round(batches.targets(0) / batches.steps(0))
    usual = learner(architecture, data, CONTEXT)
    use_library_layers(usual)
    sides = {"usual": Side(usual, usual_batches(data, batch), adamw(usual, fused=False))}
    for precision in PRECISIONS if context is None else PRECISIONS[:1]:
        own = learner(architecture, data, context)
        sides[precision] = Side(own, endless(batches), adamw(own, fused=True), bf16=precision == "bf16")
    return sides


def take_turns(sides: dict[str, Side], targets: int) -> dict[str, list[float]]:
    """Seconds per target of every slice, until each side has seen `targets`."""
    seconds: dict[str, list[float]] = {side: [] for side in sides}
    for goal in range(SLICE_TARGETS, targets + 1, SLICE_TARGETS):
        for name, side in sides.items():
            began, before = time.perf_counter(), side.seen
            while side.seen < goal:
                side.step()
            seconds[name].append((time.perf_counter() - began) / (side.seen - before))
    return seconds


def learner(architecture: str, data: TrainingData, context: int | None) -> Network:
    torch.manual_seed(0)
    return build_network(architecture, data.snapshot.dim, anchor="none", context=context)


def adamw(network: Network, *, fused: bool) -> torch.optim.Optimizer:
    return torch.optim.AdamW(network.parameters(), lr=RECIPE.lr, weight_decay=RECIPE.weight_decay, fused=fused)


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


def usual_batches(data: TrainingData, batch: int) -> Iterator[Batch]:
    """No loss here asks where a target stands: 0 everywhere."""
    loader = DataLoader(Windows(data), batch_size=batch, shuffle=True, drop_last=True)
    mask, row = torch.ones(batch, CONTEXT, dtype=torch.bool), torch.zeros(batch, 1, dtype=torch.int64)
    for _ in count():
        for x, y in loader:
            yield Batch(x, mask, y[:, None], mask[:, :1], row, row[:, 0])


def endless(batches: Batches) -> Iterator[Batch]:
    for epoch in count():
        yield from batches.epoch(epoch)


if __name__ == "__main__":
    main()
