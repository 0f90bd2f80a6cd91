"""Mistakes that are often made, and what nextvec answers: made on purpose in a small workspace, one after another.

`docs/generate.py` writes docs/mistakes.md from them; the tests hold every answer to naming its remedy.
"""

from __future__ import annotations

import contextlib
import io
import os
import random
import shlex
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from unittest.mock import patch

import nextvec

TOPICS = [
    topic.split()
    for topic in (
        "harbour boat sailor tide anchor rope",
        "storm cloud rain wind thunder hail",
        "garden rose bee hedge gardener spade",
        "kitchen bread oven flour baker salt",
        "school teacher lesson chalk pupil bell",
        "winter snow frost sledge fire coat",
        "railway engine station whistle guard track",
        "music violin singer drum concert choir",
    )
]
BETWEEN = ["the", "of", "was", "in", "and", "near", "with"]


@dataclass(frozen=True)
class Mistake:
    """`typed`: a command, or Python with `ws`, `model` and `vectors` at hand. `remedy`: what its answer must say.

    `before` makes what is wrong in the folder; `without` is a package that is not there.
    """

    title: str
    typed: str
    remedy: str
    before: Callable[[], object] | None = None
    without: str = ""

    @property
    def is_command(self) -> bool:
        return self.typed.startswith("nextvec ")


def noise() -> None:
    Path("picture.txt").write_bytes(b"\x89PNG\r\n\x1a\n" + bytes(range(128, 256)) * 8)


def latin() -> None:
    Path("letter.txt").write_text("Das Café ist seit gestern wieder geöffnet.", encoding="windows-1252")


def damage() -> None:
    """One byte of the weights, and its record is another one."""
    weights = Path("nextvec-workspace/models/gru-mine/model.safetensors")
    content = bytearray(weights.read_bytes())
    content[-1] ^= 255
    weights.write_bytes(content)


ARCHITECTURE = "nextvec train gru --corpus mine@small"
MISTAKES = {
    "Names": [
        Mistake("A corpus of another name", "nextvec corpus info mien", "Known: mine"),
        Mistake(
            "A tag that was never given", "nextvec train gru --corpus mine@smal", "has no tag 'smal'. Known: small"
        ),
        Mistake("A model of another name", 'nextvec complete "A text." --model gru-mien', "Did you mean 'gru-mine'?"),
        Mistake("An architecture of another name", "nextvec train gur --corpus mine", "Did you mean 'gru'?"),
        Mistake(
            "An encoder of another name",
            "nextvec corpus ingest texts/ --corpus new --encoder minilmm",
            "Did you mean 'minilm'?",
        ),
        Mistake("A name that is taken", f"{ARCHITECTURE} --name gru-mine", "Choose another --name"),
        Mistake(
            "A component under a name that is taken",
            'nextvec.register("metric", "cosine")(type("Mine", (), {}))',
            "Choose another name",
        ),
        Mistake(
            "An alias for what has not shown that it is good",
            "nextvec promote gru-mine --as production",
            "--force --reason",
        ),
        Mistake("An alias that stands for nothing", "nextvec rollback production", "List them: nextvec aliases"),
    ],
    "Text": [
        Mistake("No such file", "nextvec corpus ingest text/ --corpus new", "holds: "),
        Mistake(
            "Documents of one chunk each",
            "nextvec corpus ingest lines.jsonl --corpus new --chunker paragraph",
            "cut finer",
            lambda: Path("lines.jsonl").write_text('{"text": "One paragraph is here. It has two sentences."}\n' * 9),
        ),
        Mistake(
            "A kind of source that is not known",
            "nextvec corpus ingest wikpedia:dump.xml --corpus new",
            "Did you mean 'wikipedia'?",
        ),
        Mistake(
            "A file that is not text",
            "nextvec corpus ingest picture.txt --corpus new --encoder hashing:32",
            "recognise its text first",
            noise,
        ),
        Mistake(
            "A text in another encoding",
            "nextvec corpus ingest letter.txt --corpus new --encoder hashing:32",
            "Name the encoding that it has",
            latin,
        ),
        Mistake(
            "Too few documents",
            "nextvec train gru --corpus tiny --allow-unordered",
            "add documents, or create the corpus",
        ),
        Mistake("Text without an order", "nextvec train gru --corpus shuffled", "--allow-unordered"),
        Mistake(
            "What is judged was seen in training",
            "nextvec compare gru-mine --on tiny",
            "go on all the same with --allow-leakage",
        ),
        Mistake("Nothing to continue", 'nextvec complete "..." --model gru-mine', "give a few sentences"),
    ],
    "Vectors": [
        Mistake(
            "Vectors of two encoders",
            "nextvec corpus ingest texts/ --corpus mine --encoder hashing:64",
            "encode both with the same one",
        ),
        Mistake("Vectors of another size", "model.predict(vectors[:, :8])", "as encoder hashing makes them"),
        Mistake("Vectors that are not of norm 1", "model.predict(2 * vectors)", "expected vectors of norm 1"),
        Mistake("Vectors that are no numbers", 'model.predict(vectors * float("nan"))', "without NaN or infinity"),
        Mistake("A text where vectors are read", 'model.predict("A text.")', "encode the texts first"),
        Mistake("One text where a list is read", 'ws.encode("A text.", "hashing:32")', "Put it in a list"),
    ],
    "Options": [
        Mistake("An option that there is not", f"{ARCHITECTURE} --set widht=64", "Did you mean 'width'?"),
        Mistake("A value out of range", f"{ARCHITECTURE} --set dropout=2", "less than 1"),
        Mistake("A head that there is not", f"{ARCHITECTURE} --set predicts=mixtures", "Did you mean 'mixture'?"),
        Mistake(
            "Several continuations, all the same",
            'nextvec complete "A text." --model gru-mine --n 3',
            "add --temperature 1",
        ),
        Mistake("Drawing from a model that gives a mean", "model.sample(vectors)", "predicts=point,mixture"),
    ],
    "A predictor of your own": [
        Mistake("Judged on nothing", "ws.compare([lambda vectors: vectors[-1]])", "on='NAME@TAG'"),
        Mistake(
            "An answer of another shape",
            'ws.compare([lambda vectors: vectors[-1][:5]], on="mine")',
            "expected the next vector, (32,)",
        ),
        Mistake(
            "Looking ahead",
            'ws.compare([lambda vectors: vectors[::-1]], on="mine")',
            "depend on the first t alone",
        ),
        Mistake("Not in a list", "ws.compare(model)", "compare([...])"),
    ],
    "The machine": [
        Mistake(
            "An extra that is not installed", f"{ARCHITECTURE} --ray local", "pip install 'nextvec[ray]'", without="ray"
        ),
        Mistake(
            "A file where the workspace should be",
            "nextvec corpus ingest texts/ --corpus new --encoder hashing:32 --workspace texts/t00.txt",
            "--workspace PATH",
        ),
        Mistake("A bucket with one slash", "nextvec corpus list --workspace s3:/team", "expected s3://"),
        Mistake("An address that others can reach", "nextvec serve --host 0.0.0.0", "Set NEXTVEC_TOKEN"),
        Mistake("A model that is damaged", "model.predict(vectors)", "restore it or train again", damage),
    ],
}


@cache
def answers() -> dict[str, str]:
    """What each of them is told, by title. The working folder and the environment are as they were afterwards."""
    with TemporaryDirectory() as folder, contextlib.chdir(folder), patch.dict(os.environ):
        os.environ.pop("NEXTVEC_WORKSPACE", None)
        os.environ.pop("NEXTVEC_TOKEN", None)
        _prepare()
        return {mistake.title: _answer(mistake) for group in MISTAKES.values() for mistake in group}


def _prepare() -> None:
    """A workspace with the corpora mine@small, shuffled (no order at all) and tiny, and the model gru-mine."""
    tales = [_tale(random.Random(number)) for number in range(60)]
    for folder, texts in (("texts", tales), ("few", tales[:3]), ("lists", [_facts(number) for number in range(40)])):
        Path(folder).mkdir()
        for number, text in enumerate(texts):
            Path(folder, f"t{number:02}.txt").write_text(text)
    ws = nextvec.open()
    for folder, name in (("texts", "mine"), ("few", "tiny"), ("lists", "shuffled")):
        ws.ingest(folder, name, encoder="hashing:32").tag("small")
    ws.train("gru", "mine@small", name="gru-mine", epochs=1, width=8, layers=1, anchor="mean")


def _tale(chance: random.Random) -> str:
    """Twelve sentences whose topic moves on now and then."""
    topic, sentences = chance.randrange(len(TOPICS)), []
    for _ in range(12):
        words = chance.choices(TOPICS[topic] + BETWEEN, k=chance.randint(8, 12))
        sentences.append(" ".join(words).capitalize() + ".")
        topic = (topic + chance.choice((0, 0, 1))) % len(TOPICS)
    return " ".join(sentences)


def _facts(number: int) -> str:
    return "".join(
        f"{TOPICS[(number * 5 + fact * 3) % 8][0]} number {(number * 7 + fact * 11) % 97}. " for fact in range(12)
    )


def _answer(mistake: Mistake) -> str:
    if mistake.before:
        mistake.before()
    missing = {mistake.without: None} if mistake.without else {}
    with patch.dict(sys.modules, missing):
        return _printed(mistake.typed) if mistake.is_command else _raised(mistake.typed)


def _printed(command: str) -> str:
    """The line that begins with nextvec: on the error stream."""
    from nextvec.cli.main import run

    told = io.StringIO()
    with (
        contextlib.redirect_stderr(told),
        contextlib.redirect_stdout(io.StringIO()),
        patch.object(sys, "argv", shlex.split(command)),
        contextlib.suppress(SystemExit),
    ):
        run()
    return "\n".join(_from_ours(told.getvalue().splitlines()))


def _from_ours(lines: list[str]) -> Iterator[str]:
    return (line for line in lines if line.startswith("nextvec: "))


def _raised(code: str) -> str:
    import numpy as np

    ws = nextvec.open()
    names: dict[str, Any] = {"__name__": "__main__", "nextvec": nextvec, "ws": ws, "model": ws.model("gru-mine")}
    names["vectors"] = ws.corpus("mine").snapshot.vectors[:6].astype(np.float32)
    try:
        exec(code, names)
    except nextvec.NextvecError as error:
        return f"{type(error).__name__}: {error}"
    return ""
