"""What docs/decoding.md shows of docs/results/inverter.json, the report of an inverter (`nextvec train-inverter`)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from results import interval, table


def sections(record: dict[str, Any]) -> Iterator[str]:
    """Markdown: what comes back, the commands that make the inverter again, examples."""
    yield inverter_results(record)
    yield inverter_again(record)
    yield inverter_examples(record)


def inverter_results(record: dict[str, Any]) -> str:
    """The table of an inversion.json, on what it was measured, and what it does not show."""
    columns = ("", "steps", "cosine [95 %]", "token F1 [95 %]", "BLEU [95 %]", "exact", "perplexity", "ms")
    inverter = record["inverter"]
    runs = inverter_runs(inverter)
    return "\n\n".join(
        [
            "## What comes back",
            table(columns, [_inversion_row(row) for row in record["rows"]], right=set(columns[1:])),
            f"{record['chunks']} chunks of {record['documents']} test documents of {record['corpus']}, encoded with "
            f"{record['encoder']}; intervals by bootstrap over documents. `nearest` chooses among {record['bank']:,} "
            f"chunks of training documents. The inverter has {inverter['parameters']:,} parameters, most of them of "
            f"single tokens, and saw {sum(run['metrics']['tokens'] for run in runs):,} tokens in "
            f"{sum(run['metrics']['seconds'] for run in runs) / 60:.0f} minutes "
            f"({inverter.get('hardware') or 'a shared CPU'}){_learnt_on(runs)}. Cosine "
            "is of the text encoded again; "
            "token F1, BLEU (of single texts, 0 to 100) and exact match fold case and accents, as the encoder does; "
            "the perplexity of a word is under trigrams of other held-out documents, and folds them, too. "
            f"Milliseconds are for one text alone, with torch on {record['threads']} of its threads, at a load of "
            f"{record['load_average']}.",
            " ".join(_inversion_verdicts(record)),
        ]
    )


def inverter_runs(inverter: dict[str, Any]) -> list[dict[str, Any]]:
    """The runs that made it, each with its `inverter` (its name), `training` and `metrics`, the first one first."""
    before = inverter.get("start")
    return [*(inverter_runs(before) if before else ()), {"inverter": inverter.get("name"), **inverter}]


def _learnt_on(runs: list[dict[str, Any]]) -> str:
    return f", in {len(runs)} runs, each of which went on from the one before" if len(runs) > 1 else ""


def _inversion_row(row: dict[str, Any]) -> tuple[str, ...]:
    figures = row["figures"]
    time = "" if row["milliseconds"] is None else f"{row['milliseconds']:.0f}"
    shown = (interval(figures[name], form) for name, form in (("cosine", ".3f"), ("token_f1", ".3f"), ("bleu", ".1f")))
    perplexity = "" if row.get("perplexity") is None else f"{row['perplexity']:.0f}"
    return row["name"], str(row["steps"]), *shown, f"{figures['exact_match']['estimate']:.1%}", perplexity, time


def _inversion_verdicts(record: dict[str, Any]) -> Iterator[str]:
    """A sentence on each figure of the last row against `nearest`."""
    last = record["contrasts"][-1]["steps"]
    names = {"cosine": "cosine", "token_f1": "token F1", "bleu": "BLEU"}
    for contrast in record["contrasts"]:
        if contrast["steps"] == last:
            judged = contrast["verdict"]
            end = "cannot be told from nearest" if judged == "cannot tell" else f"is {judged} than nearest"
            yield f"After {last} steps the {names[contrast['figure']]} of {contrast['left']} {end}."


def inverter_again(record: dict[str, Any]) -> str:
    """The commands that make the measured inverter."""
    inverter = record["inverter"]
    commands = [
        f"nextvec train-inverter --workspace W --corpus {record['corpus']} --name {run['inverter']}"
        f"{_settings(run['training'], inverter['network'])}"
        for run in inverter_runs(inverter)
    ]
    part, them = "together" if "@with-" in record["corpus"] else "model", "\n".join(commands)
    return (
        "## The weights again\n\nThe weights are not in the repository. These commands make them (a bound in seconds "
        "gives other weights on another machine), the first one the corpus, with models of it:\n\n```\n"
        f"python benchmarks/quality.py --workspace W --only {part}\n"
        f"{them}\n```"
    )


def _settings(training: dict[str, Any], network: dict[str, Any]) -> str:
    """As options of the command, what is no default; sizes and tokens of one that learns on are given."""
    from nextvec.decoding.inverter.network import NetworkConfig
    from nextvec.training.inverter.learnt import DECIDES
    from nextvec.training.inverter.recipe import InverterRecipe

    on = str(training.get("start")).startswith("inverter:")
    given = {key: value for key, value in training.items() if key not in DECIDES} if on else {**network, **training}
    fields = {**({} if on else NetworkConfig.model_fields), **InverterRecipe.model_fields}
    changed = {key: given[key] for key, field in fields.items() if key in given and given[key] != field.default}
    shown = {key: f"{value:g}" if isinstance(value, int | float) else value for key, value in changed.items()}
    return "".join(f" --set {key}={value}" for key, value in shown.items() if key not in ("dim", "vocabulary"))


def inverter_examples(record: dict[str, Any]) -> str:
    blocks = []
    for example in record["examples"]:
        rows = [("the true text", "", example["truth"])]
        chosen = [example["decoded"][0], example["decoded"][1], example["decoded"][-1]]
        rows += [(f"{one['name']}, {one['steps']} steps", f"{one['cosine']:.3f}", one["text"]) for one in chosen]
        blocks.append(table(("", "cosine", "text"), rows, right={"cosine"}))
    return "\n\n".join(["## Examples", "Not chosen: spread evenly over the measured chunks.", *blocks])
