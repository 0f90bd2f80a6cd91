"""From a corpus to an inverter's bundle: its training documents as tokens and vectors, training, what it came from."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch

from nextvec.decoding.inverter.bundle import KIND, Inverter, save_inverter
from nextvec.decoding.inverter.network import InverterNetwork, NetworkConfig
from nextvec.decoding.inverter.vocabulary import FIRST, Vocabulary, learn_tokenizer, load_tokenizer
from nextvec.encoders.encoder import Encoder, require_same_encoder
from nextvec.encoders.transformer import minilm_folder
from nextvec.errors import DataError, UsageError
from nextvec.mirror import fetch_folder
from nextvec.models.bundle import Bundle
from nextvec.records import read_json, taken_apart, write_json
from nextvec.records.names import CARD, CONFIG, METRICS, PLAN
from nextvec.sequences.splits import Part, Split, split_snapshot
from nextvec.sequences.windows import concatenate_ranges
from nextvec.store.lock import writing
from nextvec.training.inverter.chunks import Ints, select_chunks
from nextvec.training.inverter.initial import initialise, initialise_bag
from nextvec.training.inverter.learnt import DECIDES as GIVEN_BY_RECIPE
from nextvec.training.inverter.learnt import Learnt, named_inverter
from nextvec.training.inverter.loop import Material, Progress, train
from nextvec.training.inverter.predictions import predict_chunks
from nextvec.training.inverter.recipe import InverterRecipe
from nextvec.training.processes import require_one_process
from nextvec.training.provenance import origin_record, require_begun, require_plan
from nextvec.training.tracker import open_tracking

if TYPE_CHECKING:
    from nextvec.decoding.inverter.language_model import LanguageModel
    from nextvec.store.snapshot import Snapshot

    Start = LanguageModel | Learnt

DECIDES = ("sizes", "training", "encoder_fingerprint", "corpus", "split")
SIZES = frozenset(NetworkConfig.model_fields) - {"dim", "vocabulary", "language_model", "bag_of_words"}
GIVEN_BY_START = ("width", "layers", "heads", "byte_pairs")
GENTLE = {"lr": 3e-4}
"""Defaults where it begins at a language model, and what is known of learning to write."""
FURTHER = {"lr": 1e-3, "correct_from": 0.0}
"""Defaults of an inverter that learns on: it can write, so that it corrects what it wrote from the first step."""


@dataclass(frozen=True, slots=True, kw_only=True)
class InverterPlan:
    """What is trained (sizes; dimension and vocabulary follow from the corpus) and how."""

    sizes: dict[str, Any]
    recipe: InverterRecipe


def resolve_plan(options: Mapping[str, Any]) -> InverterPlan:
    """Sort `options` (values may be strings) into sizes and recipe.

    Raises UsageError for an unknown or bad one, and for one that `start` decides.
    """
    known = SIZES | set(InverterRecipe.model_fields)
    for key in options:
        if key not in known:
            raise UsageError.unknown("option of train-inverter", key, known)
    if start := options.get("start"):
        options = {**(FURTHER if _is_inverter(start) else GENTLE), **_undecided(options)}
    given = {key: options[key] for key in SIZES & options.keys()}
    checked = NetworkConfig.parse({"dim": 1, "vocabulary": FIRST, **given}, owner="train-inverter")
    recipe = {key: value for key, value in options.items() if key not in SIZES}
    return InverterPlan(
        sizes={key: getattr(checked, key) for key in sorted(SIZES)},
        recipe=InverterRecipe.parse(recipe, owner="train-inverter"),
    )


def _undecided(options: Mapping[str, Any]) -> Mapping[str, Any]:
    """The options, when none of them is decided by what they begin at."""
    inverter = _is_inverter(options["start"])
    for key in sorted(SIZES | set(GIVEN_BY_RECIPE)) if inverter else GIVEN_BY_START:
        if key in options:
            kind = "inverter" if inverter else "language model"
            raise UsageError(f"{key} = {options[key]}: the {kind} of start decides it. Leave one of the two out")
    return options


def _is_inverter(start: Any) -> bool:
    return named_inverter(str(start)) is not None


def train_inverter(
    snapshot: Snapshot,
    encoder: Encoder,
    plan: InverterPlan,
    folder: Path,
    *,
    predictor: Bundle | None = None,
    begun: Inverter | None = None,
    warning: str = "",
    resume: bool = False,
    on_progress: Callable[[Progress], None] | None = None,
    on_change: Callable[[str], None] | None = None,
    track: Sequence[str] = (),
) -> dict[str, Any]:
    """Train an inverter on the training documents of `snapshot`, write its bundle into `folder`, return its metrics.

    Args:
        encoder: of the snapshot; encodes what the inverter writes.
        predictor: the model that the recipe names, if it names one.
        begun: the inverter that the recipe names as what it begins with, if it names one.
        warning: of leakage that was allowed; its figures say it.
        resume: go on with a run that was stopped; plan and corpus must be the ones it began with (MismatchError).
        on_change: is told, in words, which settings that change nothing are others now, and which tracker has failed.
        track: trackers, NAME or NAME:ADDRESS.

    With `resume` a finished run is left as it is. Raises UsageError when `folder` holds a run and `resume` is not set,
    when another process trains there, or when several were launched; NotFoundError when there is none to resume;
    MismatchError when `begun` is of another encoder.
    """
    require_one_process("training an inverter")
    require_same_encoder(encoder.spec, snapshot.encoder, left_name="the encoder at hand", right_name=snapshot.label)
    split = split_snapshot(snapshot)
    start = Learnt(begun) if begun else _language_model(plan.recipe)
    plan = replace(plan, sizes={**plan.sizes, **(start.sizes if start else {})})
    training = plan.recipe.to_dict() | ({"start_weights": start.weights} if start else {})
    origin = origin_record(snapshot, split, training)
    if isinstance(start, Learnt):
        start.require_fit(snapshot)
        origin |= {"training": training | start.decided, "start": start.record}
    record = {"sizes": plan.sizes, **origin}
    fetch_folder(folder)
    require_begun(folder, resume)  # without a lock, which a refused call would leave behind
    with writing(folder, what=f"inverter '{folder.name}'"), open_tracking(track, folder, on_change) as tracking:
        for change in require_plan(folder, record, DECIDES, resume):
            if on_change:
                on_change(change)
        if (folder / CONFIG).exists():
            return dict(read_json(folder / METRICS))
        material = prepare(snapshot, split, encoder, plan, start, predictor)
        if not resume:
            write_json(folder / PLAN, record)
        tracking.start({"architecture": KIND, **record})
        network = _untrained(plan, material, snapshot.dim, start)
        metrics = train(
            network, material, plan.recipe, folder, resume=resume, on_progress=on_progress, tracking=tracking
        )
        metrics |= {"training_chunks": len(material.training), **({"warning": warning} if warning else {})}
        save_inverter(folder, network, material.vocabulary, snapshot.encoder, origin=origin, metrics=metrics)
        tracking.outcome(metrics, [folder / name for name in (CARD, METRICS, CONFIG)])
    return metrics


def finished_run(snapshot: Snapshot, plan: InverterPlan, folder: Path) -> dict[str, Any] | None:
    """The metrics of a run that has ended, whatever has become of the inverter that it began with; None elsewhere.

    What that inverter decided is taken from the run's own plan. Raises MismatchError where the rest is another one.
    """
    fetch_folder(folder)
    if not (folder / CONFIG).exists():
        return None
    begun = read_json(folder / PLAN)
    with taken_apart(folder / PLAN):
        training, sizes = begun["training"], begun["sizes"]
        if training["start"] != plan.recipe.start:
            return None
        decided = {key: training[key] for key in ("start_weights", *GIVEN_BY_RECIPE) if key in training}
    origin = origin_record(snapshot, split_snapshot(snapshot), plan.recipe.to_dict() | decided)
    require_plan(folder, {"sizes": sizes, **origin}, DECIDES, resume=True)
    return dict(read_json(folder / METRICS))


def _language_model(recipe: InverterRecipe) -> LanguageModel | None:
    if recipe.start is None:
        return None
    from nextvec.decoding.inverter.language_model import LanguageModel

    return LanguageModel.load(recipe.start)


def _untrained(plan: InverterPlan, material: Material, dim: int, start: Start | None) -> InverterNetwork:
    torch.manual_seed(plan.recipe.seed)
    if isinstance(start, Learnt):
        return start.network()
    config = NetworkConfig(
        dim=dim, vocabulary=len(material.vocabulary), bag_of_words=plan.recipe.bag_of_words, **plan.sizes
    )
    if start:
        network: InverterNetwork = start.inverter(config, material.vocabulary.pieces)
    else:
        network = InverterNetwork(config)
        spelt = _spelt(material.vocabulary, plan.recipe)
        initialise(network, material.training, spelt, pretrained=plan.recipe.pretrained_embedding)
    initialise_bag(network, material.training)
    return network


def _spelt(vocabulary: Vocabulary, recipe: InverterRecipe) -> list[list[int]]:
    """MiniLM's word pieces of every token."""
    if recipe.byte_pairs:
        return vocabulary.spelt_by(_word_pieces())
    return vocabulary.pieces[:, None].tolist()


def prepare(
    snapshot: Snapshot,
    split: Split,
    encoder: Encoder,
    plan: InverterPlan,
    start: Start | None = None,
    predictor: Bundle | None = None,
) -> Material:
    """Tokens and vectors of training and validation documents; the vocabulary is of the training documents alone, or
    that of the inverter it begins with.

    Raises UsageError for a corpus without texts, before its vectors are read; DataError when a part has no chunk of at
    most `longest` - 1 tokens.
    """
    rows, longest = part_rows(snapshot, split, "train"), plan.sizes["longest"]
    texts = snapshot.texts(rows)
    if not any(map(str.strip, texts)):
        raise UsageError(
            f"{snapshot.label} was not cut from texts ('{snapshot.chunker['name']}'), so there are none to learn to "
            "write. Train on a corpus of its encoder that has texts: nextvec corpus ingest"
        )
    vocabulary = _vocabulary(texts, plan.recipe, start)
    training, kept = select_chunks(snapshot.vectors, rows, texts, vocabulary, longest)
    held_out = part_rows(snapshot, split, "validation")
    validation, _ = select_chunks(snapshot.vectors, held_out, snapshot.texts(held_out), vocabulary, longest)
    for part, name in ((training, "training"), (validation, "validation")):
        if not len(part):
            raise DataError(
                f"{snapshot.label}: no {name} chunk has fewer than {longest} tokens. Set longest higher, or use "
                "smaller chunks."
            )
    if predictor is not None:
        training = replace(training, predicted=predict_chunks(predictor, snapshot, kept))
    return Material(training=training, validation=validation, vocabulary=vocabulary, encoder=encoder)


def _vocabulary(texts: Sequence[str], recipe: InverterRecipe, start: Start | None) -> Vocabulary:
    if isinstance(start, Learnt):
        return start.inverter.vocabulary
    return Vocabulary.of_texts(start.tokenizer if start else _tokenizer(texts, recipe), texts)


def _tokenizer(texts: Sequence[str], recipe: InverterRecipe) -> Any:
    return learn_tokenizer(texts, recipe.byte_pairs) if recipe.byte_pairs else _word_pieces()


def _word_pieces() -> Any:
    return load_tokenizer(minilm_folder() / "tokenizer.json")


def part_rows(snapshot: Snapshot, split: Split, part: Part) -> Ints:
    """Rows of the documents of one part, ascending."""
    documents = split.parts[part]
    return concatenate_ranges(snapshot.offsets[documents], snapshot.lengths[documents])
