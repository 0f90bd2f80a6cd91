"""What the catalogue answers, with units, ranges and examples, for the OpenAPI description.

The answers are records of the workspace, handed on as they are: records of an older version may lack a field and those
of a newer one may have more. So these models describe answers and do not filter them; a test holds both together.
"""

from __future__ import annotations

from typing import Any, Literal

from pydantic import ConfigDict, Field

from nextvec.serving.schemas import Answer


class Record(Answer):
    model_config = ConfigDict(extra="allow", protected_namespaces=())


class Figure(Record):
    """An estimate with its 95 % interval, resampled over documents. Shares, cosines and ranks have no unit."""

    estimate: float | None = Field(examples=[0.521])
    low: float | None = Field(examples=[0.507])
    high: float | None = Field(examples=[0.538])
    documents: int = Field(description="Test documents behind it.", examples=[73])


class MeasuredFigure(Figure):
    chance: float | None = Field(None, description="What guessing gives; null where that means nothing.")


class EvaluationRecord(Record):
    """A model on one test set."""

    corpus: str = Field(description="Generation of the test documents.", examples=["wiki@large"])
    fingerprint: str = Field(description="Of the test set.", examples=["853aa476cb92a758"])
    encoder: str = Field(examples=["minilm 384-D (fingerprint 5767ff2e1a8f8598)"])
    documents: int = Field(examples=[73])
    targets: int = Field(description="Vectors predicted.", examples=[5218])
    leakage: str = Field(description="What of the documents was seen in training; empty for nothing.", examples=[""])
    caution: str | None = Field(description="Why the figures should not be trusted far.", examples=["only 9 documents"])
    figures: dict[str, MeasuredFigure] = Field(description="By name, `cosine` and `recall@5[document]` for example.")


class EpochPoint(Record):
    epoch: int
    step: int | None
    loss: float | None
    validation_cosine: float | None = Field(description="-1..1.")
    skill: float | None = Field(description="Share of the best baseline's cosine error that is gone; 1 is perfect.")


class StepPoint(Record):
    step: int | None
    loss: float | None
    lr: float | None = Field(description="Learning rate.")


class Curve(Record):
    """From the run log; steps are thinned out."""

    epochs: list[EpochPoint]
    steps: list[StepPoint]


class AliasChange(Record):
    alias: str = Field(examples=["production"])
    date: str = Field(description="ISO 8601, UTC.", examples=["2026-11-21T10:02:09+00:00"])
    sentence: str = Field(description="Who replaced whom, in words.")


class LineageNode(Record):
    """What a model comes from or led to."""

    what: str = Field(examples=["encoder"])
    said: str = Field(examples=["minilm 384-D, fingerprint 5767ff2e1a8f8598"])
    below: list[LineageNode]


class ModelRecord(Record):
    """Everything recorded about a model."""

    name: str = Field(description="In the workspace; commands know it by that.", examples=["gru-wiki"])
    architecture: str = Field(examples=["gru"])
    kind: str = Field(examples=["network"])
    anchor: str = Field(description="Closed-form prediction that it adds to.", examples=["ridge-mix"])
    context: int | None = Field(description="Vectors that it looks at; null for any number.", examples=[5])
    dim: int | None = Field(description="Numbers in a vector.", examples=[384])
    parameters: int | None = Field(description="Trained numbers.", examples=[6701952])
    fitted: int | None = Field(description="Numbers fitted in closed form.", examples=[1032201])
    encoder: str | None = Field(examples=["minilm"])
    encoder_fingerprint: str | None = Field(examples=["5767ff2e1a8f8598"])
    corpus: str | None = Field(description="Generation it was trained on.", examples=["wiki@large"])
    card: str = Field(description="Model card, Markdown.")
    config: dict[str, Any] = Field(description="Every resolved setting; without folders of the server.")
    metrics: dict[str, Any] = Field(description="Of the training: cosines -1..1, `seconds`, `vectors_per_second`.")
    evaluations: list[EvaluationRecord] = Field(description="Newest first.")
    curve: Curve
    lineage: LineageNode = Field(description="The model, and below it all that it comes from and led to.")
    damaged: list[str] = Field(description="Records that cannot be read, and are empty here.", examples=[[]])
    aliases: list[str] = Field(description="Those that stand for it now.", examples=[["production"]])
    history: list[AliasChange] = Field(description="Oldest first.")


class ModelDetail(Record):
    """OpenAI's model object, and everything that is recorded."""

    id: str = Field(examples=["gru-wiki"])
    object: Literal["model"]
    created: int = Field(description="Unix time, seconds.", examples=[1767225600])
    owned_by: str = Field(examples=["nextvec"])
    nextvec: ModelRecord


class BoardRow(Record):
    name: str = Field(examples=["gru-wiki"])
    kind: Literal["model", "baseline"]
    subject: dict[str, Any] = Field(description="Architecture, anchor, parameters, seed, what it was trained on.")
    figures: dict[str, Figure]
    chance: dict[str, float] = Field(description="What guessing gives, by figure.")
    skill: Figure | None = Field(description="Share of the best baseline's cosine error that is gone.")
    skill_over: str | None = Field(description="That baseline.", examples=["ridge-mix"])
    energy_skill: Figure | None = Field(None, description="Share of the best baseline's energy score that is gone.")
    energy_skill_over: str | None = Field(None, description="That baseline.", examples=["gaussian"])


class ContrastRecord(Record):
    """Two rows in one figure, document by document."""

    figure: str = Field(examples=["cosine"])
    role: str = Field(description="What the right one is.", examples=["best baseline"])
    left: str = Field(examples=["gru-wiki"])
    right: str = Field(examples=["ridge-mix"])
    difference: Figure = Field(description="Left less right.")
    p_value: float | None = Field(description="Of a paired test, 0..1.")
    p_adjusted: float | None = Field(description="Adjusted over all contrasts of the figure, 0..1.")
    verdict: str = Field(examples=["cannot tell"])
    sentence: str


class ComparisonRecord(Record):
    id: str = Field(examples=["compare-20261121-110023-235234"])
    date: str = Field(description="ISO 8601, UTC.")
    title: str
    corpus: str = Field(examples=["wiki@large"])
    encoder: str
    fingerprint: str = Field(description="Of the test set.")
    documents: int
    targets: int = Field(description="Vectors predicted.")
    caution: str | None
    warning: str = Field("", description="What of it was seen in training, where that was allowed; else empty.")
    rows: list[BoardRow] = Field(description="From the best cosine to the worst.")
    contrasts: list[ContrastRecord] = Field(description="Those in cosine, and those against the best baseline.")
    worth: list[str] = Field(description="What breaks and headings are worth to baselines, a sentence each.")
    seeds: list[dict[str, Any]] = Field(description="Spread over seeds.")
    latencies: dict[str, dict[str, Any]] = Field({}, description="By row; milliseconds where a name ends in `_ms`.")


class ComparisonEntry(Record):
    id: str
    date: str = Field(description="ISO 8601, UTC.")
    corpus: str = Field(examples=["wiki@large"])
    documents: int
    models: int


class Leaderboard(Record):
    object: Literal["leaderboard"]
    comparison: ComparisonRecord | None = Field(description="Null as long as nothing was compared.")
    recorded: list[ComparisonEntry] = Field(description="Every comparison, newest first.")


class StudyEntry(Record):
    id: str = Field(examples=["reference"])
    date: str = Field(description="When something was last recorded: ISO 8601, UTC.")
    running: bool
    counts: dict[str, int] = Field(description="Runs by state.", examples=[{"done": 3, "running": 1}])
    looks: int = Field(description="Models that were judged on test documents.")
    trials: int = Field(description="Of its search, those that are over.")
    planned: int = Field(description="Trials of its search; 0 without one.")


class StudyList(Record):
    object: Literal["list"]
    data: list[StudyEntry]


class PaceRecord(Record):
    epoch: int = Field(description="Epochs that are behind.", examples=[2])
    epochs: int = Field(examples=[20])
    step: int
    steps: int
    seconds_left: float | None = Field(description="About; null where that cannot be told yet.")


class StudyRun(Record):
    model: str = Field(description="Its id in the workspace, once it is done.", examples=["gru-wiki-small"])
    architecture: str
    corpus: str
    variant: str = Field(description="Settings that the study varies.", examples=["lr=0.001"])
    seed: int
    state: Literal["done", "running", "waiting", "failed"]
    note: str
    validation_cosine: float | None
    cosine: dict[str, Any] | None = Field(description="On test documents, with its interval.")
    pace: PaceRecord | None = Field(description="Of one that is running.")


class StudyTrial(Record):
    trial: int = Field(description="From 0.")
    state: Literal["running", "waiting", "done", "pruned", "failed"]
    options: dict[str, Any] = Field(examples=[{"lr": 0.0003, "batch": 64}])
    validation: float | None = Field(description="Score of the head that decides, on validation documents.")
    epochs: int
    reason: str


class StudySearch(Record):
    planned: int = Field(description="Trials; 0 without a search.")
    trials: list[StudyTrial]
    pace: PaceRecord | None = Field(description="Of the trial at hand.")


class StudyDetail(Record):
    object: Literal["study"]
    id: str = Field(examples=["reference"])
    running: bool
    compared: bool = Field(description="Whether the leaderboard has it.")
    counts: dict[str, int]
    looks: int = Field(description="Models that were judged on test documents.")
    runs: list[StudyRun]
    search: StudySearch


class EncoderRecord(Record):
    name: str = Field(examples=["minilm"])
    dim: int = Field(examples=[384])
    reference: str = Field(description="Kind, and the last part of where it is from.", examples=["minilm"])
    pooling: str = Field(examples=["mean"])
    normalised: bool
    max_length: int | None = Field(description="Tokens kept of a text.", examples=[256])
    fingerprint: str = Field(examples=["5767ff2e1a8f8598"])


class PartRecord(Record):
    documents: int = Field(examples=[560])
    chunks: int = Field(examples=[38211])
    windows: int = Field(description="Targets with five chunks before them.", examples=[35411])


class MeasuresRecord(Record):
    """Figures of a generation that take a while to find."""

    windows: int = Field(description="Targets with five chunks before them.", examples=[44320])
    parts: dict[str, PartRecord] = Field(description="By name: train, validation, test.")
    left_out: int | None = Field(
        description="Training documents that nearly duplicate a held-out one; null for a corpus too small to be split."
    )
    lag_1: float | None = Field(description="Mean cosine of neighbouring chunks, -1..1.", examples=[0.387])
    shuffled: float | None = Field(description="The same with each document's order lost.", examples=[0.288])
    index: str = Field(description="The kind of index that a corpus of this size gets.", examples=["exact"])
    recall: float | None = Field(description="Of the exact 16 nearest chunks, found, 0..1.", examples=[0.992])


class CorpusEntry(Record):
    """A corpus at its newest version."""

    name: str = Field(examples=["wiki"])
    version: int = Field(examples=[13])
    documents: int = Field(examples=[700])
    chunks: int = Field(examples=[47820])
    dtype: str = Field(description="Of the stored vectors.", examples=["float16"])
    encoder: EncoderRecord
    chunker: dict[str, Any] = Field(examples=[{"name": "sentence", "language": "en"}])
    split: dict[str, Any] = Field(description="Thousandths of the documents, by their hash, held out.")
    tags: dict[str, int] = Field(description="Versions by tag.", examples=[{"small": 7, "large": 13}])
    stored_bytes: int = Field(description="Of all versions, on disk.", examples=[41376922])
    cut: dict[str, int] = Field(
        description="Chunks longer than the encoder reads, of those that were counted.",
        examples=[{"cut": 5, "counted": 47820}],
    )
    breaks: dict[str, int] = Field(
        description="Chunks that begin a paragraph, and of how many that is not known.",
        examples=[{"begins": 13277, "unknown": 0}],
    )
    headings: int | None = Field(
        description="Of all documents, beside the chunks; null in a corpus from before they were kept.", examples=[4812]
    )
    measured: MeasuresRecord | None = Field(description="Null until `nextvec corpus info NAME --measure` has run.")
    modified: str = Field(description="ISO 8601, UTC.")


class CorpusList(Record):
    object: Literal["list"]
    data: list[CorpusEntry]


class Generation(Record):
    tag: str | None = Field(description="Null for a version without one.", examples=["large"])
    version: int
    documents: int
    chunks: int
    models: list[str] = Field(description="Trained on it.")


class LagPoint(Record):
    lag: int = Field(description="Distance in chunks.", examples=[1])
    ordered: float = Field(description="Mean cosine of chunks so far apart, -1..1.", examples=[0.387])
    shuffled: float = Field(description="The same with each document's order lost.", examples=[0.288])


class CoherenceRecord(Record):
    """Whether the order of chunks carries meaning, measured on a sample."""

    verdict: str = Field(examples=["sequential"])
    passed: bool
    reasons: list[str]
    lags: list[LagPoint]


class Sample(Record):
    document: str
    title: str
    source: str
    licence: str
    chunks: list[str] = Field(description="Its first ones.")


class Example(Record):
    text: str = Field(description="The beginning of a test document.")
    following: list[str] = Field(description="The chunks that it goes on with, one or more, in order.")


class CorpusDetail(CorpusEntry):
    generations: list[Generation] = Field(description="Oldest first.")
    coherence: CoherenceRecord | None = Field(description="Null without documents.")
    samples: list[Sample]
    examples: list[Example] = Field(description="Test documents, to be continued.")
