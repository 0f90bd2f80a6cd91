"""What a decoder is worth: how much of held-out chunks comes back from their vectors, beside what retrieval gives.

Every row is measured on the same chunks of test documents. `nearest` may give the chunks of training documents alone;
the ceiling is the true text itself, encoded again. The perplexity of a word is that under trigrams of other held-out
documents. Intervals are by bootstrap over documents.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from nextvec.decoding.correction import CorrectingDecoder
from nextvec.decoding.decoder import Decoded, Decoder
from nextvec.decoding.edit.bank import fluency_of, learnt_from, lexicon_of, untrained
from nextvec.decoding.edit.fluency import Fluency
from nextvec.decoding.edit.search import EditDecoder
from nextvec.decoding.inverter.bundle import Inverter, load_inverter, record_metrics
from nextvec.decoding.inverter.writer import inverter_decoder
from nextvec.decoding.nearest import NearestDecoder
from nextvec.decoding.quality import Verdict
from nextvec.decoding.text_metrics import exact_match, sentence_bleu, token_f1, words
from nextvec.encoders.encoder import Encoder
from nextvec.errors import DataError
from nextvec.evaluation.column import Column
from nextvec.evaluation.draws import Draws
from nextvec.evaluation.statistics import Measurements, verdict
from nextvec.fingerprint import fingerprint_bytes
from nextvec.mirror import discard, fetch
from nextvec.records import append_line, read_lines, write_json
from nextvec.records.names import INVERSION, INVERTED
from nextvec.retrieval.index import build_index
from nextvec.retrieval.neighbours import Index
from nextvec.sequences.splits import Split, split_snapshot
from nextvec.store.lock import writing
from nextvec.store.snapshot import Snapshot

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
Report = Callable[[str], None]
Key = tuple[str, int, str]
"""A decoder's name, its steps, and a figure."""

CHUNKS = 256
STEPS = (0, 1, 3, 5)
TIMED = 16
"""Texts that are decoded one at a time for the time a text takes."""
EXAMPLES = 5
BLOCK = 50
"""Chunks that are decoded together, and recorded when they are: a thousand take the better part of an hour."""
FIGURES = {"cosine": (-1.0, 1.0), "token_f1": (0.0, 1.0), "bleu": (0.0, 100.0), "exact_match": (0.0, 1.0)}
"""Each with its least and greatest value."""
_KNOWN: Sequence[str] = ("network", "corpus", "training", "start")
"""What of an inverter's configuration a report repeats."""
CONTRASTED = ("cosine", "token_f1", "bleu")
NEAREST = "nearest"


@dataclass(frozen=True, slots=True, kw_only=True)
class HeldOutChunks:
    """Chunks of test documents: rows (n,), their document (n,), texts, and unit vectors (n, D) float32."""

    rows: Ints
    document: Ints
    texts: list[str]
    vectors: npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What one way of decoding gave: texts, values by figure (n,), milliseconds for one text alone."""

    name: str
    steps: int
    texts: list[str]
    values: dict[str, Floats]
    milliseconds: float | None


def report_inverter(
    folder: Path, snapshot: Snapshot, encoder: Encoder, *, chunks: int = CHUNKS, on_progress: Report | None = None
) -> dict[str, Any]:
    """Measure the inverter in `folder` on its corpus; write `inversion.json` beside it, and its metrics.

    Nobody moves or removes it meanwhile. Stopped, it goes on where it was. Returns the record. Raises what
    `load_inverter` raises, MismatchError when the encoder is another one.
    """
    inverter = load_inverter(folder)
    with writing(folder, what=f"inverter '{folder.name}'"):
        return _report(inverter, folder, snapshot, encoder, chunks, on_progress)


def _report(
    inverter: Inverter, folder: Path, snapshot: Snapshot, encoder: Encoder, chunks: int, on_progress: Report | None
) -> dict[str, Any]:
    decoder, records = inverter_decoder(inverter, encoder, snapshot.encoder), folder / INVERTED
    fetch(records)
    how: dict[str, Any] = {"edited": True, "chunks": chunks, "records": records, "on_progress": on_progress}
    record = {"inverter": _described(inverter), **measure_inversion(snapshot, encoder, [decoder], **how)}
    write_json(folder / INVERSION, record)
    discard(records)
    best = next(row for row in reversed(record["rows"]) if row["name"] == _kind(decoder))
    figures = {f"test_{name}": interval["estimate"] for name, interval in best["figures"].items()}
    record_metrics(folder, {**inverter.metrics, **figures, "test_steps": best["steps"]})
    return record


def _described(inverter: Inverter) -> dict[str, Any]:
    known = {part: inverter.config[part] for part in _KNOWN if part in inverter.config}
    return {
        "name": inverter.identity,
        "parameters": inverter.network.parameter_count,
        **known,
        "hardware": inverter.config.get("hardware"),
        "metrics": inverter.metrics,
    }


def measure_inversion(
    snapshot: Snapshot,
    encoder: Encoder,
    decoders: Sequence[Decoder],
    *,
    edited: bool = False,
    index: Index | None = None,
    chunks: int = CHUNKS,
    steps: Sequence[int] = STEPS,
    seed: int = 0,
    records: Path | None = None,
    on_progress: Report | None = None,
) -> dict[str, Any]:
    """A JSON-able record: what was measured, a row for each way of decoding, contrasts with `nearest`, examples.

    Args:
        encoder: of the snapshot, for the ceiling.
        decoders: each is measured at every number of `steps` that it can use.
        edited: what each writes after the most steps is edited, too, where the training documents show what is fluent.
        index: exact, over the snapshot; None builds one.
        chunks: how many chunks of test documents are drawn (all, when there are fewer).
        records: a JSON-lines file of what was decoded, block by block, so that a killed measurement goes on where it
            was; None keeps nothing.
        on_progress: told the name of each row before it is measured, and how far it is.
    """
    split = split_snapshot(snapshot)
    held_out = draw_chunks(snapshot, split.test, chunks, seed)
    index = index or build_index(snapshot, "exact")
    nearest = _training_bank(snapshot, split, index)
    say = on_progress or (lambda name: None)
    kept = [_Kept(decoder, steps, records, say) for decoder in decoders]
    say("ceiling")
    outcomes = [_ceiling(held_out, encoder)]
    for decoder in (_Kept(nearest, steps, None, say), *kept):
        for count in steps if decoder.max_steps else (0,):
            say(f"{_kind(decoder)}, {count} steps")
            outcomes.append(_measure(_kind(decoder), decoder, encoder, held_out, count))
    for name, editor in _editing(kept, snapshot, index, encoder) if edited else ():
        say(f"{name}, {steps[-1]} steps")
        decoder = _Kept(editor, steps, records, say)
        outcomes.append(_measure(name, decoder, encoder, held_out, steps[-1]))
    measured, fluency = _measured(outcomes, held_out.document), _fluency(snapshot, split, held_out)
    return {
        "corpus": snapshot.label,
        "corpus_fingerprint": snapshot.fingerprint,
        "encoder": snapshot.encoder.describe(),
        "chunks": len(held_out.rows),
        "documents": len(np.unique(held_out.document)),
        "bank": int(snapshot.lengths[split.train].sum()),
        "seed": seed,
        "threads": torch.get_num_threads(),
        "load_average": round(os.getloadavg()[0], 1),
        "rows": [_row(outcome, measured) | _perplexity(outcome, fluency) for outcome in outcomes],
        "contrasts": _contrasts(outcomes, measured),
        "examples": _examples(outcomes, held_out),
    }


class _Kept:
    """A decoder that decodes every block of chunks once, for each of the `steps` where one search finds all: what it
    wrote is also what is edited. What `records`, a JSON-lines file, says of one is not decoded again. See `Decoder`."""

    def __init__(self, decoder: Decoder, steps: Sequence[int], records: Path | None, say: Report) -> None:
        self.name, self.max_steps = decoder.name, decoder.max_steps
        self.plain, self._steps, self._records, self._say = decoder, tuple(steps), records, say
        lines = [] if records is None else read_lines(records)
        self._decoded = {line["block"]: [_read(one) for one in line["decoded"]] for line in lines}

    def decode(
        self, vectors: np.ndarray, sources: Sequence[Sequence[str]] | None = None, *, steps: int = 0
    ) -> list[Decoded]:
        if any(sources or ()) or len(vectors) == 1:
            return self.plain.decode(vectors, sources, steps=steps)
        parts = range(0, len(vectors), BLOCK)
        return [one for first in parts for one in self._part(vectors, first, steps)]

    def _part(self, vectors: np.ndarray, first: int, steps: int) -> list[Decoded]:
        part = vectors[first : first + BLOCK]
        block = fingerprint_bytes([f"{self.name} {len(part)}".encode(), part.tobytes()])
        if (known := self._decoded.get(f"{block} {steps}")) is None:
            self._say(f"{_kind(self)}: {first:,} of {len(vectors):,} chunks")
            self._keep(block, part, steps)
            known = self._decoded[f"{block} {steps}"]
        return known

    def _keep(self, block: str, part: np.ndarray, steps: int) -> None:
        for count, decoded in self._after(part, steps):
            self._decoded[f"{block} {count}"] = decoded
            if self._records is not None:
                append_line(self._records, {"block": f"{block} {count}", "decoded": [asdict(one) for one in decoded]})

    def _after(self, part: np.ndarray, steps: int) -> Iterator[tuple[int, list[Decoded]]]:
        if isinstance(self.plain, CorrectingDecoder) and self.max_steps:
            return zip(self._steps, self.plain.decode_after(self._steps, part), strict=True)
        return iter([(steps, self.plain.decode(part, steps=steps))])


def _read(plain: dict[str, Any]) -> Decoded:
    verdict = plain["verdict"]
    return Decoded(**{**plain, "verdict": Verdict(verdict["passed"], tuple(verdict["reasons"]))})


def _editing(
    decoders: Sequence[Decoder], snapshot: Snapshot, index: Index, encoder: Encoder
) -> Iterator[tuple[str, Decoder]]:
    """Each with its texts edited with words of training documents' chunks; none where these do not show what is
    fluent."""
    held_out = untrained(snapshot)
    try:
        fluency, lexicon = fluency_of(snapshot, held_out), lexicon_of(snapshot, held_out)
    except DataError:
        return
    for decoder in decoders:
        yield (
            f"edited {_kind(decoder)}",
            EditDecoder(snapshot, index, encoder.encode, fluency, held_out, begin=decoder, lexicon=lexicon),
        )


def draw_chunks(snapshot: Snapshot, documents: Ints, count: int, seed: int) -> HeldOutChunks:
    """At most `count` chunks of these documents, drawn without replacement. Raises DataError when there is none."""
    rows = np.flatnonzero(np.isin(snapshot.doc_index, documents))
    if not len(rows):
        raise DataError(f"{snapshot.label}: no chunk of a test document to decode. Ingest more documents.")
    drawn = np.sort(np.random.default_rng([seed, 4]).choice(rows, size=min(count, len(rows)), replace=False))
    return HeldOutChunks(
        rows=drawn,
        document=snapshot.doc_index[drawn],
        texts=snapshot.texts(drawn),
        vectors=snapshot.vectors[drawn].astype(np.float32),
    )


def _training_bank(snapshot: Snapshot, split: Split, index: Index) -> NearestDecoder:
    """Retrieval among the chunks that an inverter may have learnt from: those of training documents."""
    others = np.setdiff1d(np.arange(len(snapshot.documents)), split.train)
    return NearestDecoder(snapshot, index).without_documents(others)


def _ceiling(held_out: HeldOutChunks, encoder: Encoder) -> Outcome:
    cosines = np.einsum("nd,nd->n", encoder.encode(held_out.texts), held_out.vectors)
    return Outcome(
        name="the true text",
        steps=0,
        texts=held_out.texts,
        values=_values(held_out.texts, held_out.texts, cosines.tolist()),
        milliseconds=None,
    )


def _measure(name: str, decoder: _Kept, encoder: Encoder, held_out: HeldOutChunks, steps: int) -> Outcome:
    decoded = decoder.decode(held_out.vectors, steps=steps)
    texts = [one.text for one in decoded]
    return Outcome(
        name=name,
        steps=steps,
        texts=texts,
        values=_values(texts, held_out.texts, _cosines(decoded, encoder, held_out.vectors)),
        milliseconds=_milliseconds(decoder.plain, held_out.vectors[:TIMED], steps),
    )


def _cosines(decoded: Sequence[Decoded], encoder: Encoder, vectors: npt.NDArray[np.float32]) -> list[float]:
    """Of every vector and its text, encoded here where the decoder did not say."""
    unknown = [number for number, one in enumerate(decoded) if one.cosine is None]
    again = encoder.encode([decoded[number].text for number in unknown]) if unknown else ()
    found = {number: float(vectors[number] @ vector) for number, vector in zip(unknown, again, strict=True)}
    return [found[number] if one.cosine is None else one.cosine for number, one in enumerate(decoded)]


def _values(texts: Sequence[str], references: Sequence[str], cosines: Sequence[float]) -> dict[str, Floats]:
    pairs = list(zip(texts, references, strict=True))
    return {
        "cosine": np.array(cosines, dtype=np.float64),
        "token_f1": np.array([token_f1(*pair) for pair in pairs]),
        "bleu": np.array([sentence_bleu(*pair) for pair in pairs]),
        "exact_match": np.array([exact_match(*pair) for pair in pairs]),
    }


def _milliseconds(decoder: Decoder, vectors: npt.NDArray[np.float32], steps: int) -> float:
    """Median over texts decoded one at a time."""
    times = []
    for vector in vectors:
        began = time.perf_counter()
        decoder.decode(vector[None], steps=steps)
        times.append(time.perf_counter() - began)
    return float(np.median(times) * 1e3)


def _measured(outcomes: Sequence[Outcome], document: Ints) -> Measurements[Key]:
    """Every figure of every decoder, by both."""
    return Measurements(
        {(o.name, o.steps, name): _by_document(o.values[name], document) for o in outcomes for name in FIGURES}, Draws()
    )


def _row(outcome: Outcome, measured: Measurements[Key]) -> dict[str, Any]:
    intervals = {
        name: measured.interval((outcome.name, outcome.steps, name)).within(*limits) for name, limits in FIGURES.items()
    }
    return {
        "name": outcome.name,
        "steps": outcome.steps,
        "milliseconds": outcome.milliseconds,
        "figures": {name: interval.to_dict() for name, interval in intervals.items()},
    }


def _fluency(snapshot: Snapshot, split: Split, held_out: HeldOutChunks) -> Fluency | None:
    """Of held-out documents that nothing is measured on; None where they have no word twice."""
    others = np.setdiff1d(np.concatenate([split.validation, split.test]), held_out.document)
    with suppress(DataError):
        return learnt_from(snapshot, np.flatnonzero(np.isin(snapshot.doc_index, others)), _folded)
    return None


def _perplexity(outcome: Outcome, fluency: Fluency | None) -> dict[str, float | None]:
    """A word, beside that of the true text; case and accents folded, as in the other figures."""
    return {"perplexity": None if fluency is None else fluency.perplexity([_folded(text) for text in outcome.texts])}


def _folded(text: str) -> str:
    return " ".join(words(text))


def _contrasts(outcomes: Sequence[Outcome], measured: Measurements[Key]) -> list[dict[str, Any]]:
    """Every decoder against retrieval, figure by figure, p-values adjusted for their number."""
    reference = next(outcome for outcome in outcomes if outcome.name == NEAREST)
    pairs = [(outcome, name) for outcome in outcomes[2:] for name in CONTRASTED]
    found = measured.judge(
        [((outcome.name, outcome.steps, name), (NEAREST, reference.steps, name)) for outcome, name in pairs]
    )
    return [
        {
            "left": outcome.name,
            "steps": outcome.steps,
            "right": NEAREST,
            "figure": name,
            "difference": difference.interval.to_dict(),
            "p_value": difference.p_adjusted,
            "verdict": verdict(difference.interval, difference.p_adjusted, scale=difference.scale),
        }
        for (outcome, name), difference in zip(pairs, found, strict=True)
    ]


def _by_document(values: Floats, document: Ints) -> Column:
    """Of each document that has a chunk."""
    _, place = np.unique(document, return_inverse=True)
    return Column(np.bincount(place, weights=values).astype(np.float64), np.bincount(place).astype(np.float64))


def _examples(outcomes: Sequence[Outcome], held_out: HeldOutChunks) -> list[dict[str, Any]]:
    """A few chunks spread over all, with what each way of decoding made of them."""
    chosen = np.unique(np.linspace(0, len(held_out.rows) - 1, EXAMPLES).astype(int))
    return [
        {
            "truth": held_out.texts[number],
            "decoded": [
                {"name": o.name, "steps": o.steps, "text": o.texts[number], "cosine": float(o.values["cosine"][number])}
                for o in outcomes[1:]
            ],
        }
        for number in chosen.tolist()
    ]


def _kind(decoder: Decoder) -> str:
    return decoder.name.partition(":")[0]
