"""Bodies of requests and answers, with units, ranges and examples: what the OpenAPI description is made of."""

from __future__ import annotations

from typing import Annotated, Any, Literal, Self

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    ModelWrapValidatorHandler,
    ValidationError,
    model_validator,
)
from pydantic_core import ErrorDetails, InitErrorDetails

from nextvec.continuation.continuation import LONGEST, MOST_ALTERNATIVES, MOST_CHOICES, Feedback
from nextvec.continuation.drawing import HOTTEST
from nextvec.continuation.events import Draws, Tells
from nextvec.continuation.ranking import Among
from nextvec.serving.faults import MOST_FAULTS, fault, in_words
from nextvec.serving.fields import Document, Documents, Only, StopTexts, TextOrTexts, Texts, nullable
from nextvec.structure import BEGINS, UNKNOWN

MOST_NEIGHBOURS = 100
MOST_STEPS = 50

Vector = Annotated[
    list[Annotated[float, Field(allow_inf_nan=False)]], Field(min_length=1, max_length=8192, fail_fast=True)
]
Vectors = Annotated[list[Vector], Field(min_length=1, fail_fast=True)]
Contexts = Annotated[list[Annotated[list[Vector], Field(fail_fast=True)]], Field(min_length=1, fail_fast=True)]
Codes = Annotated[
    list[Annotated[list[Annotated[int, Field(ge=UNKNOWN, le=BEGINS)]], Field(fail_fast=True)]], Field(fail_fast=True)
]
"""The first number that is none is told, not a million of them."""

ALL = "every continuation that is made is given"
UNSKEWED = "chance is what the model says, and temperature alone changes it"
WHOLE = "sentences are not made of tokens here"
FORWARD = "nothing is written between two texts"
"""Why fields of OpenAI's are taken at the values alone that ask for nothing."""

ModelName = Annotated[str, Field(max_length=200, examples=["gru-wiki"])]


class Body(BaseModel):
    """A request. Null is the same as left out; unknown fields are refused by name, and types are not guessed."""

    model_config = ConfigDict(extra="forbid", strict=True, protected_namespaces=(), json_schema_extra=nullable)

    @model_validator(mode="wrap")
    @classmethod
    def _read(cls, given: Any, handler: ModelWrapValidatorHandler[Self]) -> Self:
        """Raises ValidationError, told in words."""
        try:
            return handler(cls._without_null(given) if isinstance(given, dict) else given)
        except ValidationError as error:
            told = [cls._told(one) for one in error.errors(include_url=False)[: MOST_FAULTS + 1]]
            raise ValidationError.from_exception_data(cls.__name__, told) from None

    @staticmethod
    def _without_null(given: dict[str, Any]) -> dict[str, Any]:
        """And 3 for 3.0: JSON has one kind of number."""
        whole = {key: int(value) for key, value in given.items() if isinstance(value, float) and value.is_integer()}
        return {key: value for key, value in {**given, **whole}.items() if value is not None}

    @classmethod
    def _told(cls, error: ErrorDetails) -> InitErrorDetails:
        told = fault(in_words(error, cls.model_fields))
        return InitErrorDetails(type=told, loc=error["loc"], input=error["input"])


def _is_none(value: Any) -> bool:
    """For `exclude_if`, of fields that clients read as given where they are there at all."""
    return value is None


class Answer(BaseModel):
    model_config = ConfigDict(protected_namespaces=())


class ModelInfo(Answer):
    """What is known of a served model; figures are those of its training."""

    architecture: str = Field(examples=["gru"])
    dim: int | None = Field(description="Numbers in a vector.", examples=[384])
    encoder: str | None = Field(description="Name that /v1/embeddings knows its encoder by.", examples=["minilm"])
    corpus: str | None = Field(description="Generation it was trained on.", examples=["wiki@large"])
    parameters: int | None = Field(description="Trained numbers.", examples=[6701952])
    cosine: float | None = Field(description="Mean cosine on validation documents, -1..1.", examples=[0.54])
    skill: float | None = Field(
        description="Share of the best baseline's cosine error that is gone on validation documents; 1 is perfect.",
        examples=[0.0001],
    )
    context: int | None = Field(description="Vectors that it looks at; null for any number.", examples=[5])
    decoders: list[str] = Field(description="Decoders that requests may name.", examples=[["nearest"]])
    draws: Draws | None = Field(
        description="From what continuations with a temperature are drawn: the model's `samples`, or stored "
        "`candidates`; null where it cannot draw."
    )
    tells: Tells | None = Field(
        description="What logprobs are: log `density`, or log probabilities among `candidates`; null for none."
    )
    ready: bool = Field(description="Whether it answers requests.")
    aliases: list[str] = Field(description="Other names for it.", examples=[["production"]])


class ModelEntry(Answer):
    """OpenAI's model object, and what else is known."""

    id: str = Field(examples=["gru-wiki"])
    object: Literal["model"] = "model"
    created: int = Field(description="Unix time, seconds.", examples=[1767225600])
    owned_by: str = Field(examples=["nextvec"])
    nextvec: ModelInfo


class ModelList(Answer):
    object: Literal["list"] = "list"
    data: list[ModelEntry]


class EmbeddingsRequest(Body):
    """OpenAI's request. Token numbers instead of texts are refused: encoders here read text."""

    model: ModelName = Field(description="An encoder, or a model, whose encoder is meant.", examples=["minilm"])
    input: TextOrTexts = Field(description="One text or several.", examples=[["A first text.", "A second one."]])
    encoding_format: Literal["float", "base64"] = Field(
        "float", description="Numbers, or base64 of little-endian float32."
    )
    dimensions: int | None = Field(None, description="Must be the encoder's own, if given.", examples=[384])
    user: str | None = Field(None, description="Accepted and not used.")


class Embedding(Answer):
    object: Literal["embedding"] = "embedding"
    index: int
    embedding: list[float] | str = Field(description="Unit vector, as numbers or base64.")


class Usage(Answer):
    """Words, separated by white space: texts are not cut into tokens here."""

    prompt_tokens: int
    total_tokens: int
    completion_tokens: int | None = Field(None, exclude_if=_is_none, description="Of what was written; else left out.")


class EmbeddingsAnswer(Answer):
    object: Literal["list"] = "list"
    data: list[Embedding]
    model: str
    usage: Usage


class StreamOptions(Body):
    include_usage: bool = Field(False, description="A last chunk without choices that holds the usage.")


class CompletionRequest(Body):
    """OpenAI's request, and what it has no field for. Without a temperature a continuation is the same each time it is
    asked for; with one each sentence is drawn."""

    model: ModelName
    prompt: TextOrTexts = Field(description="The beginning of a text, or several.", examples=["Some text. More."])
    sentences: int = Field(1, ge=1, le=LONGEST, description="Sentences to add, at most.")
    decoder: str | None = Field(None, max_length=200, description="One of the model's decoders; null for its own.")
    steps: int | None = Field(None, ge=0, le=MOST_STEPS, description="Upper bound on correction steps a sentence.")
    feedback: Feedback = Field("vector", description="What is predicted from next: the vector, or the text encoded.")
    fill: bool = Field(True, description="Fill a short context with retrieved chunks.")
    snap: bool = Field(True, description="Draw predictions towards stored vectors and the topic.")
    seconds: float | None = Field(None, gt=0, le=600, description="No sentence is begun after these seconds.")
    stream: bool = Field(False, description="Server-sent events, one a sentence.")
    stream_options: StreamOptions | None = Field(None, description="Only while streaming.")
    max_tokens: int | None = Field(
        None,
        ge=1,
        description="Words of the answer, at most; the text is cut there. `sentences` says how many sentences come.",
    )
    stop: StopTexts | None = Field(None, description="The answer ends before any of these; without one it does not.")
    echo: bool = Field(False, description="Begin the answer with the prompt.")
    n: int = Field(1, ge=1, le=MOST_CHOICES, description="Continuations of each prompt; several need a temperature.")
    best_of: Annotated[int, Only((1,), ALL)] = Field(1, description="1.")
    temperature: float | None = Field(
        None,
        ge=0,
        le=HOTTEST,
        description="0, as without it: each sentence goes on from the model's mean. Above it each is drawn: at 1 as "
        "the model says, below it closer to the mean: for a sample y of a distribution with mean m, m + T (y - m). "
        "A model without samples draws a stored sentence, with softmax(score / T).",
        examples=[1],
    )
    top_p: Annotated[float | None, Only((1,), UNSKEWED)] = Field(None, description="1.")
    frequency_penalty: Annotated[float | None, Only((0,), UNSKEWED)] = Field(None, description="0.")
    presence_penalty: Annotated[float | None, Only((0,), UNSKEWED)] = Field(None, description="0.")
    logprobs: int | None = Field(
        None,
        ge=0,
        le=MOST_ALTERNATIVES,
        description="Tell how likely the model held each sentence, and so many others beside it.",
    )
    logit_bias: Annotated[dict[str, float] | None, Only(({},), WHOLE)] = Field(None, description="Refused but empty.")
    suffix: Annotated[str | None, Only(("",), FORWARD)] = Field(None, description="Refused but empty.")
    seed: int | None = Field(
        None,
        ge=-(2**63),
        lt=2**63,
        description="The same seed draws the same, whatever else is served. Without one a new one is taken, and told.",
        examples=[7],
    )
    user: str | None = Field(None, description="Accepted and not used.")


class Logprobs(Answer):
    """OpenAI's, of sentences instead of tokens. Natural logarithms: of probabilities, or of a density against the
    uniform distribution, which may be above 0; `likelihood.kind` of the sentences in `nextvec` says which."""

    tokens: list[str] = Field(description="The sentences, as they are in the text.")
    token_logprobs: list[float | None] = Field(description="null for a sentence of which only a part is in the text.")
    top_logprobs: list[dict[str, float]] = Field(description="Of each sentence, and of those asked for beside it.")
    text_offset: list[int] = Field(description="Where each begins in the text, in characters.")


class Choice(Answer):
    index: int
    text: str
    finish_reason: Literal["stop", "length"] | None = Field(
        None, description="`length`: all that was asked for; `stop`: ended before; null while streaming."
    )
    logprobs: Logprobs | None = None
    nextvec: dict[str, Any] | None = Field(
        None,
        description="`sentences`: text, verdict, cosines, neighbours, snap, likelihood, times in ms; `context`; "
        "`finish`; `seed` of what was drawn.",
    )


class CompletionAnswer(Answer):
    """OpenAI's completion; streaming, each event is one of these."""

    id: str
    object: Literal["text_completion"] = "text_completion"
    created: int = Field(description="Unix time, seconds.")
    model: str
    choices: list[Choice]
    usage: Usage | None = None


class PredictRequest(Body):
    """Texts or vectors, not both."""

    model: ModelName | None = Field(None, description="May be left out where a single model is served.")
    texts: Texts | None = Field(
        None,
        description="Each is cut into chunks, encoded, and answered with one vector.",
        examples=[["The sun rose over the hills. Birds began to sing."]],
    )
    vectors: Contexts | None = Field(
        None, description="Contexts of unit vectors (contexts, vectors, D), oldest first; D as the model."
    )
    breaks: Codes | None = Field(
        None,
        description="For each vector whether it begins a paragraph: 1, 0, or -1 where that is not known, as it is of "
        "all without this. One more for a context says whether the next one does. Texts say it themselves, by their "
        "blank lines.",
        examples=[[[1, 0, 0, 1, 0]]],
    )
    headings: Contexts | None = Field(
        None,
        description="For each vector the unit vector of the heading that its chunk stands under, zeros for none. One "
        "more for a context says under which the next one does. Texts say it themselves, by their headings "
        "in Markdown or wikitext.",
    )


class PredictAnswer(Answer):
    model: str
    dim: int
    vectors: list[list[float]] = Field(description="One unit vector a text or context: what is expected next.")
    milliseconds: float = Field(description="Time in the server.")


class DecodeRequest(Body):
    """Vectors to texts, with the means of a model, or of a corpus alone."""

    model: ModelName | None = Field(None, description="Decode with what this model was trained on.")
    corpus: str | None = Field(None, max_length=200, description="Or a corpus.", examples=["wiki@large"])
    vectors: Vectors = Field(
        description="Of norm 1; another norm is scaled to it. As many numbers as the encoder gives.",
        examples=[[[0.5, -0.5, 0.5, 0.5]]],
    )
    decoder: str | None = Field(None, max_length=200, description="One of the model's decoders; null for its own.")
    steps: int | None = Field(None, ge=0, le=MOST_STEPS, description="Upper bound on correction steps.")
    sources: list[list[str] | None] | None = Field(
        None, fail_fast=True, description="For each vector, texts that its text should continue."
    )


class DecodedText(Answer):
    text: str
    passed: bool = Field(description="Whether it passed the quality checks.")
    reasons: list[str] = Field(description="Why not.")
    degraded: bool = Field(description="An extract, because no generated text passed.")
    steps: int = Field(description="Correction steps taken.")
    round_trip: float | None = Field(description="Cosine of the vector and the encoded text, -1..1.")
    row: int | None = Field(description="Stored chunk whose text it is.")
    document: str | None
    title: str | None


class DecodeAnswer(Answer):
    data: list[DecodedText]
    milliseconds: float = Field(description="Time in the server.")


class SearchRequest(Body):
    """The nearest stored chunks to texts or vectors."""

    model: ModelName | None = Field(None, description="Search what this model was trained on.")
    corpus: str | None = Field(None, max_length=200, description="Or a corpus.", examples=["wiki@large"])
    texts: Texts | None = Field(None, description="Encoded as the corpus was.", examples=[["A river in Siberia."]])
    vectors: Vectors | None = Field(None, description="Of any norm but 0; D as the corpus.")
    k: int = Field(5, ge=1, le=MOST_NEIGHBOURS, description="Neighbours, at most.")


class Hit(Answer):
    row: int
    similarity: float = Field(description="Inner product: the cosine of unit vectors.")
    text: str
    document: str
    title: str
    position: int = Field(description="Of the chunk in its document, from 0.")


class IndexInfo(Answer):
    kind: str = Field(description="`exact`, or `faiss` above a size.", examples=["exact"])
    size: int = Field(description="Vectors.", examples=[47820])
    recall: float | None = Field(description="recall@16 against exact search, 0..1; null where it was not measured.")


class SearchAnswer(Answer):
    data: list[list[Hit]] = Field(description="For each text or vector, best first.")
    index: IndexInfo = Field(description="What was searched.")
    milliseconds: float = Field(description="Time in the server.")


class RerankRequest(Body):
    """The request of Cohere's, Jina's and vLLM's clients: which document comes next after a text."""

    model: ModelName | None = Field(None, description="May be left out where a single model is served.")
    query: str | None = Field(
        None,
        description="The text so far; it is cut into chunks as the model's corpus was.",
        examples=["The sun rose over the hills. Birds began to sing."],
    )
    context: Texts | None = Field(
        None,
        description="Instead of `query`: its sentences, oldest first, each a chunk as it is.",
        examples=[["The sun rose over the hills.", "Birds began to sing."]],
    )
    documents: Documents = Field(
        description="What may come next: texts, or objects with a `text`. Each is encoded whole, as one chunk.",
        examples=[["A bell rang in the village.", "Interest rates fell again."]],
    )
    among: Among = Field(
        "either",
        description="Where the documents are from: `document`, the same text, whose sentences the model's query tells "
        "apart; `anywhere`, and the topic ranks them by what they are about; `either`, where that is not known, and "
        "both do.",
    )
    top_n: int | None = Field(None, ge=0, description="Results, at most; null or 0 for all.")
    return_documents: bool = Field(True, description="Give each document back beside its score.")
    max_chunks_per_doc: int | None = Field(None, ge=1, description="Any: a document is one chunk.")
    max_tokens_per_doc: int | None = Field(
        None, ge=1, description="Any: a document is read as far as its encoder reads."
    )
    priority: int | None = Field(None, description="Accepted and not used.")
    user: str | None = Field(None, description="Accepted and not used.")


class RawScore(Answer):
    score: float = Field(
        description="Product of the model's query, or topic, and the document's vector; among `either` less what tells "
        "against its being of this text at all."
    )


class RerankResult(Answer):
    index: int = Field(description="Place of the document in the request, from 0.")
    relevance_score: float = Field(
        description="0..1, the probability that this document comes next if one of them does; all add up to 1."
    )
    document: Document | None = Field(None, exclude_if=_is_none, description="As it was sent; left out if not wanted.")
    nextvec: RawScore


class RankingInfo(Answer):
    ranked_by: str = Field(
        description="`query`, `point` for a model that has no query of its own, `topic` among `anywhere`, and `query "
        "and topic` or `point and topic` among `either`."
    )
    among: Among = Field(description="Where the documents were said to be from.")
    temperature: float | None = Field(
        description="Of the probabilities, fitted on validation documents; null where none was: they are those at 1, "
        "and their order alone means something."
    )
    own: int = Field(description="Chunks of the context that were used, the last ones.")
    left_out: int = Field(description="Chunks before them, beyond what the model looks at.")
    familiarity: dict[str, Any] | None = Field(
        description="How near the corpus is to the context (`nearest`), beside what is usual (`usual`, seldom below "
        "`least`), and whether it is `known`; null where the corpus has too few held-out documents to say."
    )
    milliseconds: float = Field(description="Time in the server.")


class RerankAnswer(Answer):
    id: str
    object: Literal["list"] = "list"
    model: str
    usage: Usage
    results: list[RerankResult] = Field(description="The likeliest first.")
    nextvec: RankingInfo


class Health(Answer):
    status: Literal["ok", "loading", "stopping", "faulty"]
    models: int = Field(description="Models that answer.")
    faults: list[str] = []
