"""What a workspace holds, as plain JSON-able data: models, the leaderboard, corpora. Reads, never writes."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path
from typing import Any, TypeVar

from nextvec.disk import written_ns
from nextvec.errors import IntegrityError, NotFoundError
from nextvec.evaluation.coherence import check_coherence
from nextvec.evaluation.evaluation import Evaluation, read_evaluations
from nextvec.evaluation.statistics import few_documents
from nextvec.evaluation.worth import recorded_worths
from nextvec.lineage.tree import Node, lineage_of
from nextvec.models.aliases import Aliases, Change
from nextvec.models.bundle import finished, read_config
from nextvec.records import read_json, read_lines, taken_apart
from nextvec.records.names import CARD, COMPARISON, CONFIG, EVALUATIONS, METRICS, RECORD, RUN_LOG, STUDY
from nextvec.records.study import LOCK
from nextvec.records.study_status import StudyStatus, study_status
from nextvec.sequences.splits import SplitSpec
from nextvec.serving.problems import without_folders
from nextvec.store.dataset import changed_ns, made_ns
from nextvec.store.generation import generation_label
from nextvec.store.lock import held
from nextvec.store.sample import sample_snapshot
from nextvec.store.snapshot import Snapshot
from nextvec.store.vectors import Corpus, corpus_names, read_newest
from nextvec.workspace import Workspace, check_name

T = TypeVar("T")
CURVE_POINTS = 400
SAMPLED_DOCUMENTS, SAMPLED_CHUNKS = 100, 100
SHOWN_DOCUMENTS, SHOWN_CHUNKS = 5, 8
SHOWN_EXAMPLES, SHOWN_SENTENCES, SHOWN_FOLLOWING = 8, 4, 4


class Catalogue:
    """Read-only views of one workspace; every call reads what is there now.

    Names come from requests: each is compared with what exists before it is used as a part of a path.
    """

    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace

    def model_names(self) -> list[str]:
        """Every finished model, sorted; what is damaged, or no predictor, is not one."""
        return [name for name, _ in self._configs()]

    def model(self, name: str) -> dict[str, Any]:
        """Everything recorded about a model, in the shape of an OpenAI model object with the extension `nextvec`.

        `name` may be an alias. Raises NotFoundError with the models that exist. Damaged records are named in `damaged`,
        and hide no others.
        """
        aliases = Aliases(self._workspace)
        identity = _known("model", aliases.all().get(name, name), self.model_names())
        with finished(self._workspace.models / identity) as folder:
            return self._model(folder, aliases)

    def _model(self, folder: Path, aliases: Aliases) -> dict[str, Any]:
        config, legible = read_config(folder), _Legible()
        lineage = legible.read(
            "lineage", lambda: lineage_of(self._workspace, folder.name), Node(what="model", said=folder.name)
        )
        return {
            "id": folder.name,
            "object": "model",
            "created": written_ns(folder / CONFIG) // 10**9,
            "owned_by": "nextvec",
            "nextvec": _described(config)
            | {
                "name": folder.name,
                "card": without_folders(legible.read(CARD, lambda: (folder / CARD).read_text(), "")),
                "config": _shown_config(config),
                "metrics": legible.read(METRICS, lambda: read_json(folder / METRICS), {}),
                "evaluations": legible.read(EVALUATIONS, lambda: _evaluations(folder / EVALUATIONS), list[Any]()),
                "curve": legible.read(RUN_LOG, lambda: _curve(read_lines(folder / RUN_LOG)), _curve([])),
                "lineage": without_folders(lineage.to_dict()),
                "damaged": legible.damaged,
                "aliases": aliases.of(folder.name),
                "history": [_change(c) for c in aliases.history() if folder.name in (c.model, c.replaced)],
            },
        }

    def comparisons(self) -> list[dict[str, Any]]:
        """Every comparison that can be read, newest first: `id`, `date`, `corpus`, numbers of `models`, `documents`."""
        paths = sorted(self._workspace.studies.glob(f"*/{COMPARISON}"), key=written_ns, reverse=True)
        return list(_whole(_entry, paths))

    def leaderboard(self, identity: str | None = None) -> dict[str, Any]:
        """The newest comparison, or the one of that id, with what else is recorded; `comparison` is None without any.

        Raises NotFoundError for an id that is not recorded.
        """
        recorded = self.comparisons()
        ids = [entry["id"] for entry in recorded]
        chosen = _known("comparison", identity, ids) if identity else next(iter(ids), None)
        path = self._workspace.studies / (chosen or "") / COMPARISON
        try:
            shown = _comparison(path) if chosen else None
        except IntegrityError:
            if path.exists():
                raise
            return self.leaderboard(identity)  # it has gone since they were listed
        return {"object": "leaderboard", "comparison": shown, "recorded": recorded}

    def studies(self) -> list[dict[str, Any]]:
        """Every study that can be read, the one last written first: how far it is, in numbers."""
        records = sorted(self._workspace.studies.glob(f"*/{STUDY}"), key=_changed, reverse=True)
        return list(_whole(self._study_entry, records))

    def _study_entry(self, path: Path) -> dict[str, Any]:
        return _progress_of(self._status(path.parent.name)) | {"date": _iso(_changed(path) / 1e9)}

    def study(self, identity: str) -> dict[str, Any]:
        """Where a study stands: its runs, the trials of its search, and how often it looked at test documents.

        Raises NotFoundError for an id that is none of a study.
        """
        known = [path.parent.name for path in self._workspace.studies.glob(f"*/{STUDY}")]
        status = self._status(_known("study", identity, known))
        plain = status.to_dict()
        compared = plain.pop("report") is not None
        return {"object": "study", "id": plain.pop("study"), "compared": compared, **without_folders(plain)}

    def _status(self, identity: str) -> StudyStatus:
        lock = self._workspace.studies / identity / LOCK
        return study_status(self._workspace, identity, running=held(lock))

    def corpora(self) -> list[dict[str, Any]]:
        """Every corpus that can be read, at its newest version, sorted by name."""
        return list(_whole(lambda name: read_newest(lambda: self._listed(name)), corpus_names(self._workspace)))

    def _listed(self, name: str) -> dict[str, Any]:
        return self._summary(Corpus.open(self._workspace, name))

    def corpus(self, name: str) -> dict[str, Any]:
        """One corpus: generations, coherence measured on a sample, and the beginnings of some documents.

        Raises NotFoundError with the corpora that exist.
        """
        return read_newest(lambda: self._corpus(name))

    def _corpus(self, name: str) -> dict[str, Any]:
        corpus = Corpus.open(self._workspace, _known("corpus", name, corpus_names(self._workspace)))
        tags = corpus.tags()
        tag, version = list(tags.items())[-1] if tags else (None, corpus.version)
        created = made_ns(self._workspace.corpus(name))
        measured = _measured(self._workspace.root, name, tag, version, created)
        return self._summary(corpus) | {"generations": self._generations(corpus), **measured}

    def _summary(self, corpus: Corpus) -> dict[str, Any]:
        plain = corpus.info().to_dict()
        del plain["tag"]
        plain["encoder"] = _shown_encoder(plain["encoder"])
        return plain | {"modified": _iso(changed_ns(self._workspace.corpus(corpus.name)) / 1e9)}

    def _generations(self, corpus: Corpus) -> list[dict[str, Any]]:
        """From the oldest on: tagged versions, those that models were trained on, and the newest."""
        named: list[tuple[str | None, int]] = list(corpus.tags().items())
        origins = (_origin(config) for _, config in self._configs())
        trained = corpus.untagged({origin[1] for origin in origins if origin and origin[0] == corpus.name})
        newest = {corpus.version}.difference(dict(named).values())
        named += [(None, version) for version in (*trained, *newest)]
        return [self._generation(corpus, tag, version) for tag, version in sorted(named, key=lambda item: item[1])]

    def _generation(self, corpus: Corpus, tag: str | None, version: int) -> dict[str, Any]:
        info = corpus.info(version)
        return {
            "tag": tag,
            "version": version,
            "documents": info.documents,
            "chunks": info.chunks,
            "models": [name for name, config in self._configs() if _origin(config) == (corpus.name, version)],
        }

    def _configs(self) -> Iterator[tuple[str, dict[str, Any]]]:
        for path in sorted(self._workspace.models.glob(f"*/{CONFIG}")):
            with suppress(IntegrityError, NotFoundError), taken_apart(path):
                config = read_config(path.parent)
                _described(config), _origin(config)
                yield path.parent.name, config


def _whole(read: Callable[[T], dict[str, Any]], things: Iterable[T]) -> Iterator[dict[str, Any]]:
    """What `read` makes of each; a damaged one hides no other, and is told where it is asked for by its name. Nor does
    one that goes while they are listed."""
    for thing in things:
        with suppress(IntegrityError, NotFoundError, FileNotFoundError):
            yield read(thing)


def _known(what: str, name: str, known: list[str]) -> str:
    check_name(what, name)
    if name not in known:
        raise NotFoundError(f"no {what} '{name}'. Known: {', '.join(known) or 'none'}.")
    return name


def _changed(study: Path) -> int:
    """When something was last recorded of a study, as `written_ns`."""
    return written_ns(study.with_name(RECORD)) or written_ns(study)


def _progress_of(status: StudyStatus) -> dict[str, Any]:
    over = sum(trial.state in ("done", "pruned", "failed") for trial in status.trials)
    return {
        "id": status.name,
        "running": status.running,
        "counts": status.counts,
        "looks": status.looks,
        "trials": over,
        "planned": status.planned,
    }


def _date(path: Path) -> str:
    """When it was last written: ISO 8601, UTC, seconds."""
    return _iso(written_ns(path) / 1e9)


def _iso(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="seconds")


def _origin(config: Mapping[str, Any]) -> tuple[str, int] | None:
    corpus = config.get("corpus")
    return (corpus["name"], corpus["version"]) if corpus else None


def _described(config: Mapping[str, Any]) -> dict[str, Any]:
    """What a list shows of a model."""
    spec, corpus, encoder = config["spec"], config.get("corpus"), config.get("encoder", {})
    return {
        "architecture": spec["name"],
        "kind": config["kind"],
        "anchor": spec["anchor"],
        "context": spec["context"],
        "dim": spec["dim"],
        "parameters": spec["parameters"],
        "fitted": spec["fitted"],
        "encoder": encoder.get("name"),
        "encoder_fingerprint": config.get("encoder_fingerprint"),
        "corpus": generation_label(corpus) if corpus else None,
    }


def _shown_config(config: Mapping[str, Any]) -> dict[str, Any]:
    shown: dict[str, Any] = without_folders({**config, "encoder": _shown_encoder(config.get("encoder", {}))})
    return shown


def _shown_encoder(encoder: Mapping[str, Any]) -> dict[str, Any]:
    """Without golden numbers; of its reference, which may name a folder or an address, the kind and the last part."""
    kind, colon, place = encoder.get("reference", "").partition(":")
    reference = kind + colon + re.split(r"[\\/]", place.rstrip("\\/"))[-1]
    return {**{key: value for key, value in encoder.items() if key != "golden"}, "reference": reference}


def _change(change: Change) -> dict[str, Any]:
    return {"alias": change.alias, "date": change.at, "sentence": change.sentence}


def _evaluations(path: Path) -> list[dict[str, Any]]:
    """The figures of each test set a model was measured on, newest first."""
    if not path.exists():
        return []
    return _figures_of(path, written_ns(path), path.stat().st_size)


@lru_cache(maxsize=64)
def _figures_of(path: Path, written: int, size: int) -> list[dict[str, Any]]:
    """The bootstrap takes longer than reading: kept until the file changes, which `written` and `size` tell."""
    return [_evaluation(evaluation) for evaluation in reversed(read_evaluations(path))]


def _evaluation(evaluation: Evaluation) -> dict[str, Any]:
    return {
        "corpus": evaluation.corpus,
        "fingerprint": evaluation.fingerprint,
        "encoder": evaluation.encoder,
        "documents": evaluation.documents,
        "targets": int(evaluation.targets.sum()),
        "leakage": evaluation.leakage,
        "caution": few_documents(evaluation.documents),
        "figures": {
            name: evaluation.interval(name).to_dict() | {"chance": evaluation.chance(name)}
            for name in evaluation.columns
        },
    }


def _curve(events: list[dict[str, Any]]) -> dict[str, list[dict[str, Any]]]:
    """A run log's epochs, and its steps thinned out to at most CURVE_POINTS, the last one kept."""
    epochs = [event for event in events if event["event"] == "epoch"]
    steps = [event for event in events if event["event"] == "step"]
    stride = -(-len(steps) // CURVE_POINTS) or 1
    return {
        "epochs": [_only(event, "epoch", "step", "loss", "validation_cosine", "skill") for event in epochs],
        "steps": [_only(event, "step", "loss", "lr") for event in steps[::-1][::stride][::-1]],
    }


class _Legible:
    """What of a model's records can be read; `damaged` names what cannot."""

    def __init__(self) -> None:
        self.damaged: list[str] = []

    def read(self, name: str, read: Callable[[], T], otherwise: T) -> T:
        try:
            with taken_apart(name):
                return read()
        except (IntegrityError, FileNotFoundError):
            self.damaged.append(name)
            return otherwise


def _only(event: Mapping[str, Any], *names: str) -> dict[str, Any]:
    return {name: event.get(name) for name in names}


def _entry(path: Path) -> dict[str, Any]:
    comparison = _compared(path)
    with taken_apart(path):
        return {
            "id": path.parent.name,
            "date": _date(path),
            "corpus": comparison["corpus"],
            "documents": comparison["documents"],
            "models": sum(row["kind"] == "model" for row in comparison["rows"]),
        }


def _compared(path: Path) -> dict[str, Any]:
    return _read_comparison(path, written_ns(path))


@lru_cache(maxsize=64)
def _read_comparison(path: Path, written: int) -> dict[str, Any]:
    comparison: dict[str, Any] = read_json(path)
    return comparison


def _comparison(path: Path) -> dict[str, Any]:
    """A comparison with its caution, what structure is worth in words, and of its many contrasts those against the best
    baseline and those in cosine."""
    comparison = _compared(path)
    told = [c for c in comparison["contrasts"] if c["figure"] == "cosine" or c["role"] == "best baseline"]
    return comparison | {
        "provenance": without_folders(comparison.get("provenance", {})),
        "id": path.parent.name,
        "date": _date(path),
        "caution": few_documents(comparison["documents"]),
        "worth": recorded_worths(comparison),
        "contrasts": told,
    }


@lru_cache(maxsize=32)
def _measured(root: Path, name: str, tag: str | None, version: int, created: int) -> dict[str, Any]:
    """Coherence and samples of a corpus version; `created` tells a corpus that was made anew under an old name."""
    sample = sample_snapshot(
        Corpus.open(Workspace(root), name), version, tag=tag, documents=SAMPLED_DOCUMENTS, chunks=SAMPLED_CHUNKS
    )
    stride = -(-len(sample.documents) // SHOWN_DOCUMENTS) or 1
    return {
        "coherence": check_coherence(sample).to_dict() if len(sample) else None,
        "samples": [_beginning(sample, document) for document in range(0, len(sample.documents), stride)],
        "examples": _examples(sample),
    }


def _examples(sample: Snapshot) -> list[dict[str, Any]]:
    """Beginnings of documents that no model is trained on, to be continued."""
    split = SplitSpec.parse(sample.split, owner=f"the split of {sample.label}")
    held_out = [
        document
        for document, record in enumerate(sample.documents)
        if split.assign(record.doc_id) == "test" and sample.lengths[document] > SHOWN_SENTENCES
    ]
    return [_example(sample, document) for document in held_out[:SHOWN_EXAMPLES]]


def _example(sample: Snapshot, document: int) -> dict[str, Any]:
    texts = _first_texts(sample, document, SHOWN_SENTENCES + SHOWN_FOLLOWING)
    return {"text": " ".join(texts[:SHOWN_SENTENCES]), "following": texts[SHOWN_SENTENCES:]}


def _first_texts(sample: Snapshot, document: int, count: int) -> list[str]:
    first = int(sample.offsets[document])
    return sample.texts(range(first, min(int(sample.offsets[document + 1]), first + count)))


def _beginning(sample: Snapshot, document: int) -> dict[str, Any]:
    record = sample.documents[document]
    return {
        "document": record.doc_id,
        "title": record.title,
        "source": record.source,
        "licence": record.licence,
        "chunks": _first_texts(sample, document, SHOWN_CHUNKS),
    }
