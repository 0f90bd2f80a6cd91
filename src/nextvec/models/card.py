"""Model cards in the Hugging Face format. Every word that varies comes from config.json and metrics.json."""

from __future__ import annotations

from typing import Any


def card(identity: str, config: dict[str, Any], metrics: dict[str, Any]) -> str:
    """The text of a bundle's README.md: YAML front matter, then what the model is, was made from, and scores."""
    spec, corpus, encoder = config["spec"], config.get("corpus", {}), config.get("encoder", {})
    lines = [
        "---",
        "library_name: nextvec",
        "pipeline_tag: feature-extraction",
        "tags: [latent-vector-model, next-vector-prediction, " + spec["name"] + "]",
        *front_matter_licence(encoder),
        "---",
        "",
        f"# {identity}",
        "",
        f"Predicts the next vector of a document from {_context(spec['context'])}; both are unit vectors of "
        f"{spec['dim']} numbers.",
        "",
        *_table("Model", _model_rows(spec, config.get("network") or {})),
        *_table("Made from", _origin_rows(config, corpus, encoder)),
        *_table("Figures", [(name, _figure(value)) for name, value in metrics.items() if _is_figure(value)]),
        "Use it only on vectors of the encoder above: the fingerprint is checked.",
        "",
        f"    nextvec evaluate {identity}",
        "",
    ]
    return "\n".join(lines)


def front_matter_licence(encoder: dict[str, Any]) -> list[str]:
    """A model that was made from vectors of weights under a licence that forbids something is under it as well."""
    return [f"license: {encoder['licence'].lower()}"] if encoder.get("licence") else []


def _model_rows(spec: dict[str, Any], network: dict[str, Any]) -> list[tuple[str, str]]:
    return [
        ("architecture", spec["name"]),
        ("anchor", spec["anchor"]),
        ("trained parameters", f"{spec['parameters']:,}"),
        ("numbers fitted in closed form", f"{spec['fitted']:,}"),
        ("options", _options(spec["options"])),
        *((f"head {name}", _options(options)) for name, options in network.get("head_options", {}).items()),
    ]


def _options(options: dict[str, Any]) -> str:
    return ", ".join(f"{key} {value}" for key, value in options.items() if value is not None) or "none"


def _origin_rows(config: dict[str, Any], corpus: dict[str, Any], encoder: dict[str, Any]) -> list[tuple[str, str]]:
    rows = [(f"corpus {key}", str(value)) for key, value in corpus.items()]
    rows += [("encoder", f"{encoder.get('name')} (fingerprint {config.get('encoder_fingerprint')})")] if encoder else []
    rows += [("licence of the encoder's weights", encoder["licence"])] if encoder.get("licence") else []
    rows += [(f"split {key}", str(value)) for key, value in config.get("split", {}).items()]
    rows += [(f"training {key}", str(value)) for key, value in config.get("training", {}).items()]
    return rows + [(f"version of {key}", str(value)) for key, value in config.get("versions", {}).items()]


def _table(title: str, rows: list[tuple[str, str]]) -> list[str]:
    if not rows:
        return []
    return [f"## {title}", "", "| | |", "|---|---|", *(f"| {name} | {value} |" for name, value in rows), ""]


def _context(context: int | None) -> str:
    return "all vectors so far" if context is None else f"the last {context} vectors"


def _is_figure(value: Any) -> bool:
    return isinstance(value, int | float | str)


def _figure(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return f"{value:.4f}" if isinstance(value, float) else str(value)
