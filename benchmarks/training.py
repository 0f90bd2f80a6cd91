"""Training, per target seen: ours against the usual practice.

    python benchmarks/training.py [--corpus NAME[@TAG]] [--documents 700] [--targets 40000]

The usual practice: windows materialised as float32 arrays [N, 5, D] and [N, D], a torch DataLoader that fetches single
items, and library layers. Ours: causal training over whole documents (GRU, Transformer), or windows gathered in one
step (AMN). Architecture, optimiser, learning rate, targets a step and targets seen are the same; the two take turns in
short slices, so that a noisy machine slows both. Afterwards both are scored on the same held-out targets. Without
`--corpus` the first documents of shared/data/wikipedia are ingested first (a few minutes, once). Prints ratios.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Iterator
from itertools import count
from statistics import median
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils.data import DataLoader, Dataset

from nextvec.models.backbones.gru import GRU
from nextvec.models.baseline import mean_cosine
from nextvec.models.network import Network, build_network
from nextvec.sequences.windows import gather_windows, target_rows
from nextvec.store.snapshot import Snapshot
from nextvec.store.vectors import open_snapshot
from nextvec.training.data import TrainingData
from nextvec.workspace import Workspace
from real import DOCUMENTS, real_snapshot
from record import Claim, leave_record, options_of

CONTEXT = 5
LR = 5e-4
PRECISIONS = ("fp32", "bf16")
SLICE_TARGETS = 4_096
BOUNDS = {"amn": 1.2, "gru": 4.0, "transformer": 4.0}
LIMITS = [
    "Held-out cosines are those of short runs without an anchor, made to compare speed; they say nothing on which "
    "model is best.",
    "The usual practice was given one process; DataLoader workers help where processors are idle.",
]

Step = Callable[[], int]
"""One optimiser step; returns the number of targets it has seen."""


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
    for architecture, causal, batch in (("amn", False, 64), ("gru", True, 1024), ("transformer", True, 1024)):
        if architecture in options.only:
            result["architectures"][architecture] = race(architecture, causal, batch, data, options.targets)
            show(architecture, result["architectures"][architecture])
    leave_record(options, dataset=dataset(result), claims=claims(result), limits=LIMITS, measured=result)


def parse() -> argparse.Namespace:
    parser = options_of("training", __doc__)
    parser.add_argument("--corpus", help="NAME[@TAG] of a corpus in the workspace")
    parser.add_argument("--documents", type=int, default=DOCUMENTS, help="without --corpus")
    parser.add_argument("--targets", type=int, default=40_000, help="targets each side trains on")
    parser.add_argument("--only", nargs="+", choices=BOUNDS, default=list(BOUNDS))
    return parser.parse_args()


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
        bound = BOUNDS[architecture] if ratio == max(row["ratio"].values()) else None
        yield Claim(what=f"{what}: targets per second", figure=ratio, reference=reference, at_least=bound)
        if row["training"] == "causal":
            gained = row["held_out_cosine"][precision] - row["held_out_cosine"]["usual"]
            claim = f"{what}: held-out cosine, difference"
            yield Claim(what=claim, figure=gained, unit="cosine", reference=reference, at_least=0.0)


def snapshot_for(options: argparse.Namespace) -> Snapshot:
    if options.corpus:
        return open_snapshot(Workspace(options.workspace), options.corpus)
    return real_snapshot(options.workspace, options.documents)


def race(architecture: str, causal: bool, batch: int, data: TrainingData, targets: int) -> dict[str, Any]:
    """All sides in alternating slices until each has seen `targets` targets; causal training in both precisions."""
    dim, context = data.snapshot.dim, None if causal else CONTEXT
    networks = {"usual": learner(architecture, dim, CONTEXT)}
    use_library_layers(networks["usual"])
    steps = {"usual": stepper(networks["usual"], usual_batches(data, batch), fused=False)}
    for precision in PRECISIONS if causal else PRECISIONS[:1]:
        networks[precision] = learner(architecture, dim, context)
        steps[precision] = stepper(
            networks[precision], our_batches(data, context, batch), fused=True, bf16=precision == "bf16"
        )
    seconds: dict[str, list[float]] = {side: [] for side in steps}
    for _ in range(-(-targets // SLICE_TARGETS)):
        for side, step in steps.items():
            began, seen = time.perf_counter(), 0
            while seen < SLICE_TARGETS:
                seen += step()
            seconds[side].append((time.perf_counter() - began) / seen)
    return {
        "training": "causal" if causal else "windowed",
        "parameters": networks["usual"].spec.parameters,
        "targets_per_step": batch,
        "targets_seen": len(seconds["usual"]) * SLICE_TARGETS,
        "targets_per_second": {side: 1 / median(times) for side, times in seconds.items()},
        "ratio": {
            side: median(a / b for a, b in zip(seconds["usual"], seconds[side], strict=True))
            for side in steps
            if side != "usual"
        },
        "held_out_cosine": {
            side: mean_cosine(network.predict, data.validation_batches) for side, network in networks.items()
        },
    }


def learner(architecture: str, dim: int, context: int | None) -> Network:
    torch.manual_seed(0)
    return build_network(architecture, dim, anchor="none", context=context)


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


def stepper(
    network: Network, batches: Iterator[tuple[Tensor, Tensor, Tensor | None]], *, fused: bool, bf16: bool = False
) -> Step:
    optimizer = torch.optim.AdamW(network.parameters(), lr=LR, fused=fused)

    def step() -> int:
        x_BTD, target_BTD, mask_BT = next(batches)
        network.train()
        with torch.autocast("cpu", torch.bfloat16, enabled=bf16):
            y_BTD = network(x_BTD, last_only=mask_BT is None)
        cosine_BT = (y_BTD * target_BTD).sum(-1)
        chosen = cosine_BT.flatten() if mask_BT is None else cosine_BT[mask_BT]
        (1 - chosen.mean()).backward()
        nn.utils.clip_grad_norm_(network.parameters(), 1.0)
        optimizer.step()
        optimizer.zero_grad(set_to_none=True)
        return chosen.numel()

    return step


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


def usual_batches(data: TrainingData, batch: int) -> Iterator[tuple[Tensor, Tensor, None]]:
    loader = DataLoader(Windows(data), batch_size=batch, shuffle=True, drop_last=True)
    for _ in count():
        for x, y in loader:
            yield x, y[:, None], None


def our_batches(data: TrainingData, context: int | None, batch: int) -> Iterator[tuple[Tensor, Tensor, Tensor | None]]:
    batches = data.training_batches(context, batch, seed=0)
    for epoch in count():
        for b in batches.epoch(epoch):
            yield b.x_BTD, b.target_BTD, b.target_mask_BT if context is None else None


def show(architecture: str, result: dict[str, Any]) -> None:
    speed, cosine = result["targets_per_second"], result["held_out_cosine"]
    for side, ratio in result["ratio"].items():
        print(
            f"{architecture:<12} {result['training']:<9} {side} {ratio:.2f}x the usual practice per target "
            f"({speed[side]:,.0f} against {speed['usual']:,.0f} targets/s); "
            f"held-out cosine {cosine[side]:.4f} against {cosine['usual']:.4f}",
            flush=True,
        )


if __name__ == "__main__":
    main()
