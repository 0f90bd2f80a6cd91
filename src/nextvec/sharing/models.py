"""`nextvec push`: a model's bundle on the hub, with a card that says what it is worth and what may be done with it."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from nextvec.adoption import CONFIG, FILES, WEIGHTS
from nextvec.encoders.licence import is_non_commercial
from nextvec.errors import IntegrityError
from nextvec.evaluation.evaluation import Evaluation, read_evaluations
from nextvec.hub import Pushed, push_repository, require_hub
from nextvec.mirror import fetch, fetch_folder
from nextvec.models.bundle import read_config
from nextvec.records import append_beside, read_json, read_lines
from nextvec.records.names import CARD, EVALUATIONS, PUSHED
from nextvec.sharing.cards import Rights, front_matter, made_with, public_reference, split_card, table
from nextvec.store.generation import HUB
from nextvec.workspace import Workspace

SHOWN = ("cosine", "skill", "mrr[document]", "mrr[ahead]", "bits_gained[document]", "log_density", "energy_score")
"""Figures of an evaluation that a card shows, where they were measured."""

_PUSHED_BEFORE = re.compile(r"^## (?:On held-out documents|Licence)$", re.MULTILINE)
"""Where a card goes on that came from the hub."""


def push_model(
    workspace: Workspace, identity: str, name: str, *, licence: str | None = None, public: bool = False
) -> Pushed:
    """Commit a finished model, network, baseline or inverter, to the repository `name`, which is made if need be.

    licence: as the hub writes it, such as `apache-2.0`; that of the encoder's weights stands before it, where it
    forbids more. public: of a repository that is made.
    Raises NotFoundError without such a model, and where it went while it was pushed, which is then not recorded;
    IntegrityError when it is not complete, what `push_repository` raises.
    """
    require_hub()
    folder = workspace.model(identity)
    read_config(folder)
    config = _without_folders(read_json(folder / CONFIG))
    corpus = _corpus_on_hub(workspace, config)
    if corpus is not None:
        config = {**config, "corpus": {**config["corpus"], HUB: corpus}}
    fetch_folder(folder)
    files: dict[str, Path | bytes] = {each: folder / each for each in FILES if (folder / each).exists()}
    if WEIGHTS not in files:
        raise IntegrityError(f"{folder / WEIGHTS} is missing; the model is not complete")
    local, usage = (folder / CARD).read_text("utf-8"), _usage(config, name, corpus)
    rights = model_rights(local, identity, config, licence)
    rights.tell(identity)
    card = model_card(local, identity, config, _evaluations(folder), rights, usage)
    files |= {CARD: card.encode(), CONFIG: (json.dumps(config, indent=2, ensure_ascii=False) + "\n").encode()}
    done = push_repository(name, "model", files, public=public, message=f"nextvec push {identity}")
    append_beside(folder / PUSHED, push_line(done))
    return done


def push_line(done: Pushed) -> dict[str, Any]:
    """One more line of where it was pushed to."""
    return {**asdict(done), "at": datetime.now(UTC).isoformat(timespec="seconds")}


def model_rights(local: str, identity: str, config: Mapping[str, Any], licence: str | None) -> Rights:
    """`licence`: what whoever pushes it says, instead of its card so far, `local`, unless that forbids more."""
    said = split_card(local, f"the card of {identity}")[0].get("license")
    so_far = said if isinstance(said, str) else ""
    encoder = config.get("encoder") or {}
    if encoder.get("licence"):
        return made_with(encoder["name"], encoder["licence"], licence)
    weights = so_far if is_non_commercial(so_far) else ""
    return Rights(given=licence or so_far or None, weights=weights, made_by="Weights of the model")


def model_card(
    local: str,
    identity: str,
    config: Mapping[str, Any],
    evaluations: Sequence[Evaluation],
    rights: Rights,
    usage: Sequence[str],
) -> str:
    """The card of the workspace with the licence, the figures on held-out documents, and how it is used."""
    head, body = split_card(local, f"the card of {identity}")
    lines = [
        "", *(["## On held-out documents", ""] if evaluations else []),
        *(line for each in evaluations for line in _figures(each)),
        "## Licence", "", *rights.lines(config.get("corpus", {}).get("licences", [])),
        "## Use it", "", *(f"    {line}".rstrip() for line in usage), "",
        "Weights are safetensors, and checked against config.json and a recorded answer when they are loaded.", "",
    ]  # fmt: skip
    return (
        front_matter({**head, **rights.values()})
        + "\n"
        + _PUSHED_BEFORE.split(body)[0].rstrip()
        + "\n"
        + "\n".join(lines)
    )


def _corpus_on_hub(workspace: Workspace, config: Mapping[str, Any]) -> str | None:
    """`hf:NAME@REV` of the newest push of its corpus."""
    if (corpus := config.get("corpus", {}).get("name")) is None:
        return None
    path = workspace.corpus(corpus).with_suffix(f".{PUSHED}")
    fetch(path)
    pushed = read_lines(path)
    return f"hf:{pushed[-1]['name']}@{pushed[-1]['revision']}" if pushed else None


def _usage(config: Mapping[str, Any], name: str, corpus: str | None) -> list[str]:
    """`corpus`: where on the hub that is, as far as is known."""
    fetching = [f"nextvec corpus import {corpus} --corpus {config['corpus']['name']}"] if corpus else []
    if config["kind"] == "inverter":
        return [*fetching, f"nextvec decode VECTORS.npy CORPUS --decoder inverter:hf:{name}"]
    return [
        *fetching,
        f'nextvec complete "Some text. And some more." --model hf:{name}',
        "",
        "import nextvec",
        f'nextvec.Model.from_pretrained("hf:{name}").predict(vectors)',
    ]


def _evaluations(folder: Path) -> list[Evaluation]:
    """The newest on each test set."""
    return list({each.fingerprint: each for each in read_evaluations(folder / EVALUATIONS)}.values())


def _figures(evaluation: Evaluation) -> Iterator[str]:
    targets = int(evaluation.targets.sum())
    yield f"{evaluation.documents:,} documents of {evaluation.corpus}, {targets:,} targets, 95 % intervals:"
    yield ""
    if evaluation.leakage:
        yield from (f"**{evaluation.leakage}**", "")
    rows = []
    for figure in (each for each in SHOWN if each in evaluation.columns):
        found, chance = evaluation.interval(figure), evaluation.chance(figure)
        rows.append(
            (
                figure,
                f"{found.estimate:.4f}",
                found.ends(".4f", " .. "),
                "" if chance is None else f"{chance:.4f}",
            )
        )
    yield from table(("figure", "estimate", "interval", "chance"), rows)


def _without_folders(config: dict[str, Any]) -> dict[str, Any]:
    """Nor the defaults that it was made with, which may name some; what they came to is in the rest of it."""
    kept = {key: value for key, value in config.items() if key != "defaults"}
    encoder = config.get("encoder")
    if not encoder:
        return kept
    return {**kept, "encoder": {**encoder, "reference": public_reference(encoder.get("reference", ""))}}
