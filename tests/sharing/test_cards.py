"""Which licence a card names: in its head and in words the same."""

from __future__ import annotations

import pytest

from nextvec.sharing.cards import NO_LICENCE, Rights, made_with
from nextvec.sharing.models import model_card, model_rights

NC = "CC-BY-NC-4.0"
SONAR = f"Vectors of sonar, {NC}: what is made of them is not for commercial use."


@pytest.mark.parametrize(
    ("given", "weights", "holds"),
    [
        (None, "", None),
        ("mit", "", "mit"),
        (None, NC, "cc-by-nc-4.0"),
        ("mit", NC, "cc-by-nc-4.0"),
        ("cc-by-4.0", NC, "cc-by-nc-4.0"),
        ("cc-by-nc-sa-4.0", NC, "cc-by-nc-sa-4.0"),
        ("mit", "Research-Only", "research-only"),
    ],
)
def test_the_stricter_one_holds_and_head_and_body_agree(given, weights, holds) -> None:
    rights = made_with("sonar", weights, given)
    assert rights.values() == ({"license": holds} if holds else {})
    body = "\n".join(rights.lines(["CC0"]))
    assert (f"Licence: {holds}." if holds else NO_LICENCE) in body
    assert (NO_LICENCE in body) == (holds is None)
    assert ("Vectors of sonar" in body) == bool(weights)
    assert "Licences of the documents, as their sources say: CC0." in body


def test_what_was_given_in_vain_is_told() -> None:
    assert f"{SONAR} mit, which was given with it, does not lift that." in made_with("sonar", NC, "mit").lines([])
    assert SONAR in made_with("sonar", NC, None).lines([])


@pytest.mark.parametrize(
    ("given", "weights", "told"),
    [(None, "", "No licence was given"), ("mit", "", ""), (None, NC, ""), ("mit", NC, "cc-by-nc-4.0, and not mit")],
)
def test_who_pushes_is_warned_of_what_the_card_does_not_say(given, weights, told, caplog) -> None:
    Rights(given=given, weights=weights, made_by="Vectors of sonar").tell("mine")
    assert told in caplog.text
    assert bool(caplog.records) == bool(told)


def local(licence: str) -> str:
    return f"---\nlibrary_name: nextvec\nlicense: {licence}\n---\n\n# m\n\ntext\n"


@pytest.mark.parametrize(
    ("so_far", "encoder", "given", "holds"),
    [
        ("cc-by-nc-4.0", {"name": "sonar", "licence": NC}, "mit", "cc-by-nc-4.0"),
        ("cc-by-nc-4.0", {}, "mit", "cc-by-nc-4.0"),
        ("apache-2.0", {"name": "minilm", "licence": ""}, None, "apache-2.0"),
        ("apache-2.0", {}, "mit", "mit"),
    ],
)
def test_the_licence_of_a_model_s_weights_is_not_replaced_by_a_laxer_one(so_far, encoder, given, holds) -> None:
    config = {"kind": "network", "encoder": encoder}
    rights = model_rights(local(so_far), "m", config, given)
    card = model_card(local(so_far), "m", config, [], rights, [])
    assert f'license: "{holds}"' in card
    assert f"Licence: {holds}." in card
    assert NO_LICENCE not in card


def test_a_card_that_came_from_the_hub_names_one_licence() -> None:
    config = {"kind": "network"}
    first = model_card(local("mit"), "m", config, [], Rights(given="mit"), [])
    again = model_card(first, "m", config, [], model_rights(first, "m", config, "apache-2.0"), [])
    assert again.count("## Licence") == again.count("## Use it") == 1
    assert "mit" not in again
    assert 'license: "apache-2.0"' in again
