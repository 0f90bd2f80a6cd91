"""An inverter's card in the Hugging Face format, made of config.json and metrics.json alone."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from nextvec.store.generation import run_in_words


def card(identity: str, config: dict[str, Any], metrics: dict[str, Any]) -> str:
    """The text of a bundle's README.md: YAML front matter, then what it is, was made from, and scores."""
    encoder, network = config["encoder"], config["network"]
    lines = [
        "---",
        "library_name: nextvec",
        "pipeline_tag: text-generation",
        "tags: [latent-vector-model, embedding-inversion]",
        *([f"license: {encoder['licence'].lower()}"] if encoder.get("licence") else []),
        "---",
        "",
        f"# {identity}",
        "",
        f"Writes the text of a vector of {encoder['name']} ({network['dim']}-D, fingerprint "
        f"{config['encoder_fingerprint']}), and corrects it by encoding it again. Vectors of another encoder are "
        f"refused. {_letters(config)}",
        "",
        *([f"**{metrics['warning']}**", ""] if metrics.get("warning") else []),
        *_table("Model", [("trained parameters", f"{config['spec']['parameters']:,}"), *_sizes(network)]),
        *_table(
            "Made from",
            [
                *(row for part in ("corpus", "split", "training") for row in _rows(config, part)),
                *_runs_before(config),
                *_rows(config, "versions"),
            ],
        ),
        *_table("Figures", [(key, _figure(value)) for key, value in metrics.items() if isinstance(value, int | float)]),
        f"    nextvec decode VECTORS.npy CORPUS --decoder inverter:{identity}",
        "",
    ]
    return "\n".join(lines)


def _sizes(network: dict[str, Any]) -> list[tuple[str, Any]]:
    kind = (network.get("language_model") or {}).get("model_type", "none")
    return list({**network, "language_model": kind}.items())


def _letters(config: dict[str, Any]) -> str:
    if before := config.get("start"):
        return f"It has learnt on from the inverter {before['inverter']}. {_letters(before)}"
    if start := config["training"].get("start"):
        return f"Its layers and tokens began as those of the language model {start}, whose licence holds for it, too."
    if config["training"].get("byte_pairs"):
        return "It writes capitals and accents: its tokens were learnt on its training texts."
    return "It writes in small letters: its tokenizer folds case."


def _runs_before(config: dict[str, Any]) -> Iterator[tuple[str, Any]]:
    """What it learnt on from, one before the other."""
    if before := config.get("start"):
        yield "learnt on from", run_in_words(before)
        yield from _runs_before(before)


def _rows(config: dict[str, Any], part: str) -> Iterator[tuple[str, Any]]:
    for key, value in config.get(part, {}).items():
        yield f"{part} {key}", value


def _table(title: str, rows: list[tuple[str, Any]]) -> list[str]:
    return [f"## {title}", "", "| | |", "|---|---|", *(f"| {name} | {value} |" for name, value in rows), ""]


def _figure(value: float) -> str:
    return f"{value:.4f}" if isinstance(value, float) else f"{value:,}"
