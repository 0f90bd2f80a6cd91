"""How well every head and every trunk predicts, and what data, domain, context and order are worth.

    python benchmarks/quality.py [--workspace W] [--documents 3200] [--seeds 3] [--only PART ...] [--hours H]

Parts, in this order; all but the controls on Wikipedia, paragraph breaks read, each model under the recipe that its
preset declares, or, where several are compared, under one budget for all of them (BUDGET):

    model     the recommended model, every seed, and then on every other domain, of which it has seen nothing
    homes     the recommended model trained on textbooks and on narratives, and judged there
    together  the recommended model trained on all of Wikipedia, textbooks and narratives, 860,000 chunks, and judged on
              each of them, and on the other domains
    data      the recommended model on an eighth, a quarter, a half and all of the documents
    trunks    other architectures with the recommended model's heads and recipe
    heads     each head alone beside the mean, on the recommended trunk
    context   a mean alone that reads 1, 2, 5, 10, 20 vectors, or all
    controls  the recommended model on documents whose sentences are in order, reversed, and shuffled

Everything is kept in the workspace as `nextvec study run` keeps it: stopped, the same command goes on where it was, and
no text is encoded, no model trained twice. Processes that are given different parts may run at once. After every part
docs/results/quality.json is written anew, of which `python docs/generate.py` makes docs/results.md, and what is claimed
of it goes into benchmarks/results. With `--hours` no further part is begun after so long.

On two cores all of it takes a day, most of it encoding and seeds; `--seeds 1 --only model` two hours.
"""

from __future__ import annotations

import fcntl
import gzip
import json
import os
import platform
import random
import time
from argparse import Namespace
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from nextvec.cli.training_progress import training_progress
from nextvec.comparing.contest import Contest, run_contest
from nextvec.comparing.entrants import Entrant
from nextvec.comparing.temperatures import temperatures
from nextvec.corpus.chunkers import build_chunker
from nextvec.corpus.document import Document, Source, Unusable
from nextvec.corpus.sources import open_source
from nextvec.device import fastest
from nextvec.encoders import load_encoder
from nextvec.encoders.encoder import Encoder
from nextvec.evaluation.compare import compare
from nextvec.evaluation.comparison import Comparison
from nextvec.evaluation.evaluate import evaluate_on
from nextvec.evaluation.evaluation import Evaluation
from nextvec.evaluation.heldout import HeldOut, hold_out
from nextvec.evaluation.seeds import averaged
from nextvec.models.backbone import BACKBONES
from nextvec.models.head import HEADS
from nextvec.models.presets import PRESETS, RECOMMENDED
from nextvec.records import read_json, write_json
from nextvec.records.names import METRICS, PLAN
from nextvec.store.ingest import ingest
from nextvec.store.vectors import Corpus
from nextvec.studies.plan import PlannedRun, StudyPlan, open_generations, parse_plan, resolve_runs
from nextvec.studies.runner import Outcome, run_study
from nextvec.training.run import finished, train_model
from nextvec.workspace import Workspace
from real import DATA
from record import ROOT, Claim, leave_record, options_of

OUT = ROOT / "docs" / "results" / "quality.json"
HOME = "library"
"""The corpus that grows: Wikipedia first, then the others that one model is trained on."""
DOMAINS = {
    "textbooks": 120, "narratives": 60, "nonfiction_classics": 60, "papers": 100, "tech_docs": 150, "dialogues": 300,
    "recipes": 317,
}  # fmt: skip
"""Documents of each that are judged: enough for an interval, and no more to encode than that."""
HOMES = {"textbooks": 1_000, "narratives": 300}
"""Documents of each that a model is trained on."""
TOGETHER = {"wikipedia": 6_332, "textbooks": 3_416, "narratives": 892}
"""Documents of each that one model is trained on."""
QUOTED = {"nonfiction_classics": ("standardebooks/henry-david-thoreau_walden/where-i-lived-and-what-i-lived-for",)}
"""Documents that a text of `TOGETHER` quotes at length: what was trained on all three has seen them."""
CONTROL_DOCUMENTS = 800
CONTEXTS = [1, 2, 5, 10, 20, "unlimited"]
BUDGET = {"epochs": 1}
"""Of every head, trunk and context: one pass over the training documents, the rate falling to its end."""
TRUNKS: dict[str, dict[str, Any]] = {
    "gru": {"width": 384, "layers": 1, "lr": 2e-3, "anchor": ["ridge-mix", "none"]},
    "lstm": {"width": 384, "layers": 1, "lr": 2e-3},
    "mamba2": {"layers": 2, "lr": 1e-3},
}
"""Beside the recommended one, each at a rate that suits it; one also from nothing, as is usual."""
FIGURES = (
    "cosine", "mrr[document]", "mrr[ahead]", "log_loss[document]", "bits_gained[document]", "mrr[foreign-10k]",
    "log_density", "energy_score", "coverage@50", "coverage@90",
)  # fmt: skip
ROLES = ("best baseline", "anchor", "earlier generation", "reference")
QUERIES = ("contrast", "novelty")
"""The baselines that rank by a query: all others are simple ones."""
LIMITS = [
    "One encoder, and one language. Elsewhere than on Wikipedia the recommended model was trained on fewer documents, "
    "or on none.",
]

Sentences = list[str]


@dataclass(frozen=True, slots=True)
class Reordered:
    """The documents of another source, every sentence a paragraph of its own, in another order."""

    inner: Source
    order: Callable[[Sentences], Sentences]

    def documents(self) -> Iterator[Document | Unusable]:
        chunker = build_chunker("sentence")
        for item in self.inner.documents():
            if isinstance(item, Document):
                sentences = [chunk.text for chunk in chunker.chunks(item)]
                item = replace(item, text="\n\n".join(self.order(sentences)))
            yield item


@dataclass(frozen=True, slots=True)
class Without:
    """Another source without some documents."""

    inner: Source
    left_out: Collection[str]

    def documents(self) -> Iterator[Document | Unusable]:
        return (item for item in self.inner.documents() if item.id not in self.left_out)


def shuffled(sentences: Sentences) -> Sentences:
    """Always the same order for the same sentences."""
    return random.Random("".join(sentences)).sample(sentences, len(sentences))


ORDERS: dict[str, Callable[[Sentences], Sentences]] = {
    "in-order": list, "reversed": lambda sentences: sentences[::-1], "shuffled": shuffled,
}  # fmt: skip


@dataclass(kw_only=True)
class Quality:
    """One run over the parts. `found` is what is written: by part, comparisons by name; `told` is when it last was."""

    workspace: Workspace
    documents: int
    seeds: list[int]
    encoder: Encoder
    out: Path
    found: dict[str, Any] = field(default_factory=dict)
    began: float = field(default_factory=time.perf_counter)
    told: float = field(default_factory=time.perf_counter)

    @property
    def generations(self) -> list[str]:
        """Tags of the home corpus: an eighth of the documents, a quarter, a half, and all."""
        return [f"d{self.documents // share}" for share in (8, 4, 2, 1)]

    @property
    def home(self) -> str:
        return f"{HOME}@{self.generations[-1]}"

    def ingest(self, name: str, source: Source, limit: int, tag: str) -> str:
        """The corpus with that many documents, tagged; nothing is done where it has the tag."""
        if not (self.workspace.corpus(name).exists() and tag in Corpus.open(self.workspace, name).tags()):
            ingest(self.workspace, name, source, build_chunker("sentence"), self.encoder, limit=limit)
            Corpus.open(self.workspace, name).tag(tag)
        return f"{name}@{tag}"

    def domain(self, name: str, limit: int, corpus: str, tag: str | None = None) -> str:
        return self.ingest(corpus, open_source(str(DATA / f"{name}.jsonl.gz")), limit, tag or f"d{limit}")

    def unseen(self, name: str, limit: int) -> str:
        """The corpus to judge on of a domain, without what a model of all of `TOGETHER` has seen of it."""
        if name not in QUOTED:
            return self.domain(name, limit, f"{name}-judged")
        source = Without(open_source(str(DATA / f"{name}.jsonl.gz")), QUOTED[name])
        return self.ingest(f"{name}-unseen", source, limit, f"d{limit}")

    def grow(self) -> None:
        source = open_source(str(DATA / "wikipedia.jsonl.gz"))
        for tag in self.generations:
            self.ingest(HOME, source, int(tag[1:]), tag)

    def plan(self, name: str, plan: Mapping[str, Any]) -> StudyPlan:
        return parse_plan({"name": f"quality-{name}", "seeds": self.seeds, **plan}, owner=f"part {name}")

    def study(self, name: str, plan: Mapping[str, Any], *, allow_unordered: bool = False) -> Outcome:
        """Train and compare what a plan says."""
        outcome = run_study(
            self.workspace, self.plan(name, plan), watch=training_progress, say=say, allow_unordered=allow_unordered
        )
        if outcome.contest is not None:
            self.keep(name, outcome.contest)
        return outcome

    def keep(self, name: str, contest: Contest) -> None:
        costs = {model: cost(self.workspace.model(model)) for model in contest.entrants}
        self.put(name, {**reduced(contest.comparison), "costs": costs})

    def put(self, name: str, part: dict[str, Any]) -> None:
        """Beside what is in the record by now: other processes may be at other parts."""
        with locked(self.out.parent):
            self.found = read_json(self.out) if self.out.exists() else {}
            self.found |= {name: {**part, "hardware": hardware()}, "provenance": self.provenance()}
            write_json(self.out, self.found)

    def provenance(self) -> dict[str, Any]:
        """Hours are those of all processes until now."""
        before, since, self.told = self.found.get("provenance", {}), self.told, time.perf_counter()
        return {
            **before,
            "encoder": self.encoder.spec.describe(),
            "hours": round(before.get("hours", 0.0) + (self.told - since) / 3600, 3),
        }

    # The parts

    def model(self) -> None:
        self.grow()
        models = trained(self.study("model", {"architectures": [RECOMMENDED], "corpora": [self.home]}))
        self.keep("model", run_contest(self.workspace, models, reference="contrast", latency=False, say=say))
        for domain, limit in DOMAINS.items():
            on = self.domain(domain, limit, f"{domain}-judged")
            say(f"on {on}")
            self.keep(f"on-{domain}", run_contest(self.workspace, models, on=on, latency=False, say=say))

    def homes(self) -> None:
        for domain, limit in HOMES.items():
            corpus = self.domain(domain, limit, domain)
            self.study(f"home-{domain}", {"architectures": [RECOMMENDED], "corpora": [corpus]})

    def together(self) -> None:
        """Grown source by source, and every source judged by itself."""
        for domain, limit in TOGETHER.items():
            corpus = self.domain(domain, limit, HOME, f"with-{domain}")
        outcome = self.study("together", {"architectures": [RECOMMENDED], "corpora": [corpus]})
        if outcome.contest is not None:
            for domain in TOGETHER:
                self.put(f"one-{domain}", reduced(of_domain(outcome.contest, domain)))
        for domain, limit in DOMAINS.items():
            if domain in TOGETHER:
                continue
            on = self.unseen(domain, limit)
            say(f"on {on}")
            contest = run_contest(self.workspace, trained(outcome), on=on, latency=False, say=say)
            self.keep(f"beyond-{domain}", contest)

    def data(self) -> None:
        """Without baselines: the question is what twice as many documents bring."""
        self.grow()
        corpora = [f"{HOME}@{tag}" for tag in self.generations]
        plan = {
            "name": "data",
            "architectures": [RECOMMENDED],
            "corpora": corpora,
            "seeds": self.seeds,
            "on": self.home,
        }
        parsed = parse_plan(plan, owner="part data")
        runs = resolve_runs(self.workspace, parsed, open_generations(self.workspace, parsed))
        largest = max((run.generation for run in runs), key=lambda generation: len(generation.snapshot))
        test = hold_out(largest.snapshot, largest.data.split.test)
        judged = [self.judged(run, test, largest.mean) for run in runs]
        costs = {run.run.model: cost(self.workspace.model(run.run.model)) for run in runs}
        self.put("data", {**reduced(compare([*judged, *averaged(judged)])), "costs": costs})

    def judged(self, planned: PlannedRun, test: HeldOut, mean: npt.NDArray[np.float32]) -> Evaluation:
        """The model of a run, trained where it is not, on these documents."""
        folder, generation = self.workspace.model(planned.run.model), planned.generation
        if not finished(folder):
            with training_progress(folder.name) as show:
                train_model(
                    generation.snapshot, planned.plan, folder, cache=self.workspace.cache,
                    resume=(folder / PLAN).exists(), on_progress=show,
                )  # fmt: skip
        entrant = Entrant(folder=folder)
        fitted = temperatures(entrant.candidate, generation, entrant.predictor)
        say(f"evaluating {folder.name} on {len(test.doc_ids)} documents")
        return evaluate_on(
            test, entrant.predictor, train_mean=mean, subject=entrant.subject, weights=entrant.candidate.weights,
            metrics=("cosine", "ranks", "log_loss"), temperatures=fitted, device=fastest(),
        )  # fmt: skip

    def trunks(self) -> None:
        self.grow()
        own = BACKBONES.get(PRESETS[RECOMMENDED].architecture).Config.model_fields
        recipe = {key: value for key, value in PRESETS[RECOMMENDED].options.items() if key not in own}
        architectures = [RECOMMENDED, *TRUNKS]
        settings = {**recipe, **BUDGET, **TRUNKS}
        self.study("trunks", {"architectures": architectures, "corpora": [self.home], "set": settings})

    def heads(self) -> None:
        self.grow()
        settings = {"predicts": beside_the_mean(), **BUDGET}
        self.study("heads", {"architectures": [RECOMMENDED], "corpora": [self.home], "set": settings})

    def context(self) -> None:
        self.grow()
        settings = {"predicts": "point", "context": CONTEXTS, "span": 32, "structure": False, **BUDGET}
        self.study("context", {"architectures": [RECOMMENDED], "corpora": [self.home], "set": settings})

    def controls(self) -> None:
        for name, order in ORDERS.items():
            source = Reordered(open_source(str(DATA / "wikipedia.jsonl.gz")), order)
            corpus = self.ingest(f"{HOME}-{name}", source, CONTROL_DOCUMENTS, f"d{CONTROL_DOCUMENTS}")
            plan = {"architectures": [RECOMMENDED], "corpora": [corpus], "set": {"structure": False}}
            self.study(f"control-{name}", plan, allow_unordered=True)


PARTS = ("model", "homes", "together", "data", "trunks", "heads", "context", "controls")


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """No other process is in there."""
    folder.mkdir(parents=True, exist_ok=True)
    opened = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(opened, fcntl.LOCK_EX)
        yield
    finally:
        os.close(opened)


def trained(outcome: Outcome) -> list[str]:
    return [run.model for run in outcome.runs if run.model not in outcome.failed]


def of_domain(contest: Contest, domain: str) -> Comparison:
    """The same contest on the documents of one of its sources, the best baseline chosen on that source's, too."""
    chosen = document_ids(domain)
    models, baselines, validation = (
        [evaluation.of_documents(chosen) for evaluation in evaluations]
        for evaluations in (contest.models, contest.baselines, contest.validation)
    )
    return compare([*models, *averaged(models)], baselines, validation=validation, reference="contrast")


def document_ids(domain: str) -> set[str]:
    with gzip.open(DATA / f"{domain}.jsonl.gz", "rt", encoding="utf-8") as lines:
        return {json.loads(line)["doc_id"] for line in lines}


def beside_the_mean() -> list[str]:
    """Every head beside `point`, so that the cosine shows what sharing a trunk costs."""
    return ["point", *(f"point,{name}" for name in HEADS if name != "point")]


def main() -> None:
    parser = options_of("quality", __doc__)
    parser.add_argument("--record", type=Path, default=OUT, help="what docs/results.md is made of")
    parser.add_argument("--documents", type=int, default=3_200, help="of Wikipedia")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--only", nargs="+", choices=PARTS, default=list(PARTS), metavar="PART")
    parser.add_argument("--hours", type=float, default=float("inf"), help="after which no part is begun")
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    run(options, load_encoder("minilm"))


def run(options: Namespace, encoder: Encoder) -> None:
    quality = Quality(
        workspace=Workspace(options.workspace),
        documents=options.documents,
        seeds=list(range(options.seeds)),
        encoder=encoder,
        out=options.record,
        found=read_json(options.record) if options.record.exists() else {},
    )
    for part in PARTS:
        if part in options.only and time.perf_counter() - quality.began < options.hours * 3600:
            say(f"== {part}")
            getattr(quality, part)()
            leave(options, quality.found)


def leave(options: Namespace, found: Mapping[str, Any]) -> None:
    """The record of claims, once there is something to claim them of."""
    if "model" in found:
        part = found["model"]
        dataset = f"{part['targets']:,} test targets of corpus {part['corpus']}"
        limits = [*LIMITS, *found.get("provenance", {}).get("notes", [])]
        leave_record(options, dataset=dataset, claims=list(claims(found)), limits=limits, measured={})


def claims(found: Mapping[str, Any]) -> Iterator[Claim]:
    """What the recommended model is meant to be, and whether it is."""
    part = found["model"]
    row = max((row for row in part["rows"] if row["kind"] == "model"), key=lambda row: row["runs"])
    who = f"Recommended model, {row['runs']} seeds" if row["runs"] > 1 else "Recommended model, one seed"
    figures = {figure: interval["estimate"] for figure, interval in row["figures"].items()}
    mrr, simple = "mrr[document]", [r for r in part["rows"] if r["kind"] == "baseline" and r["name"] not in QUERIES]
    best = max(simple, key=lambda row: row["figures"][mrr]["estimate"])
    times = figures[mrr] / best["figures"][mrr]["estimate"]
    yield Claim(what=f"{who}: MRR in the document", figure=times, reference=best["name"], at_least=1.3)
    for figure, unit, bound in ((mrr, "MRR", {"at_least": 0.0}), ("log_loss[document]", "nats", {"at_most": 0.0})):
        yield from differences(part, row["name"], "reference", figure, unit, who, bound)
    for figure, unit in (("cosine", "cosine"), ("log_density", "nats")):
        yield from differences(part, row["name"], "best baseline", figure, unit, who, {"at_least": 0.0})
    yield from differences(part, row["name"], "best baseline", "energy_score", "energy", who, {"at_most": 0.0})
    yield Claim(
        what=f"{who}: targets in regions that should hold 90 %", figure=100 * figures["coverage@90"], unit="%",
        reference="calibrated: 90 %", at_least=88.0, at_most=92.0,
    )  # fmt: skip
    yield from claims_of_one(found)
    for prefix, model in (("on-", who), ("beyond-", "One model of three kinds of text")):
        away = {name.removeprefix(prefix): part for name, part in found.items() if name.startswith(prefix)}
        if away:
            worse = sorted({f"{name}: {c['figure']}" for name, part in away.items() for c in lost(part)})
            yield Claim(
                what=f"{model}, on domains it has never seen: figures significantly worse", figure=len(worse),
                reference=f"the best baseline there ({', '.join(worse) or 'none'})", unit="figures", at_most=0.0,
            )  # fmt: skip


def claims_of_one(found: Mapping[str, Any]) -> Iterator[Claim]:
    """Of the model of several kinds of text, on each: it ranks better than contrast, and loses no cosine."""
    for domain in TOGETHER:
        part = found.get(f"one-{domain}", {"rows": [], "contrasts": []})
        for row in (row for row in part["rows"] if row["kind"] == "model" and row["runs"] > 1):
            who = f"One model of three kinds of text, {row['runs']} seeds, on {domain}"
            for figure, unit, role in (("mrr[document]", "MRR", "reference"), ("cosine", "cosine", "best baseline")):
                yield from differences(part, row["name"], role, figure, unit, who, {"at_least": 0.0})


def differences(
    part: Mapping[str, Any], name: str, role: str, figure: str, unit: str, who: str, bound: Mapping[str, float]
) -> Iterator[Claim]:
    """The paired difference of a figure, where there is one."""
    for c in part["contrasts"]:
        if (c["left"], c["role"], c["figure"]) == (name, role, figure):
            d = c["difference"]
            yield Claim(
                what=f"{who}: {figure}, difference", figure=d["estimate"], interval=(d["low"], d["high"]), unit=unit,
                reference=c["right"], **bound,
            )  # fmt: skip


def lost(part: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """Contrasts of a model's mean over seeds (or of the one seed) with the best baseline that it loses."""
    runs = max(row["runs"] for row in part["rows"])
    names = {row["name"] for row in part["rows"] if row["runs"] == runs}
    return (
        c for c in part["contrasts"] if c["left"] in names and (c["role"], c["verdict"]) == ("best baseline", "worse")
    )


def reduced(comparison: Comparison) -> dict[str, Any]:
    """What docs/results.md is made of: the figures of FIGURES, and the differences of ROLES in them."""
    plain = comparison.to_dict()
    rows = [
        {
            **{key: row[key] for key in ("name", "kind", "runs", "subject")},
            "figures": {name: row["figures"][name] for name in FIGURES if name in row["figures"]},
        }
        for row in plain["rows"]
    ]
    contrasts = [c for c in plain["contrasts"] if c["figure"] in FIGURES and c["role"] in ROLES]
    kept = ("corpus", "encoder", "fingerprint", "documents", "targets")
    return {**{key: plain[key] for key in kept}, "rows": rows, "contrasts": contrasts}


def cost(folder: Path) -> dict[str, float]:
    metrics = read_json(folder / METRICS)
    return {key: metrics[key] for key in ("seconds", "epochs", "steps", "vectors_per_second") if key in metrics}


def hardware() -> str:
    accelerator = torch.cuda.get_device_name() if torch.cuda.is_available() else "no GPU"
    threads = torch.get_num_threads()
    return f"{platform.machine()}, {threads} thread{'' if threads == 1 else 's'}, {accelerator}"


say = partial(print, flush=True)


if __name__ == "__main__":
    main()
