"""Silent on English of every kind, and on what nobody can tell; said of what is clearly something else."""

from __future__ import annotations

import gzip
import json
from itertools import islice
from pathlib import Path

import pytest

from nextvec.corpus.chunkers.foreign import ANOTHER_SCRIPT, other_language
from nextvec.corpus.chunkers.words import languages

DATA = Path(__file__).parents[4] / "shared" / "data"

TEXTS = {
    "de": (
        "Am 3. Mai fuhr er mit dem Zug nach München, z. B. um die alte Brücke zu sehen, die im Krieg zerstört "
        "und danach wieder aufgebaut wurde. Es war schon spät, und auf dem Platz vor dem Bahnhof standen nur "
        "noch wenige Leute. Wer von dort kam, der ging durch die Stadt und über den Fluss."
    ),
    "fr": (
        "Le train partait à sept heures du matin, et les voyageurs attendaient sur le quai depuis longtemps. "
        "Il faisait froid dans la gare, mais personne ne voulait rentrer chez soi avant de savoir si le pont "
        "était ouvert. On disait que les eaux avaient monté pendant la nuit et que le maire ne répondait "
        "plus."
    ),
    "es": (
        "El tren salía a las siete de la mañana y los viajeros esperaban en el andén desde hacía mucho "
        "tiempo. Hacía frío en la estación, pero nadie quería volver a su casa sin saber si el puente estaba "
        "abierto. Se decía que las aguas habían subido durante la noche y que el alcalde no respondía."
    ),
    "it": (
        "Il treno partiva alle sette del mattino e i viaggiatori aspettavano da molto tempo sul binario. "
        "Faceva freddo nella stazione, ma nessuno voleva tornare a casa senza sapere se il ponte era aperto. "
        "Si diceva che le acque erano salite durante la notte e che il sindaco non rispondeva più a nessuno."
    ),
    "ru": (
        "Поезд уходил в семь часов утра, и пассажиры давно ждали на платформе. На вокзале было холодно, но "
        "никто не хотел возвращаться домой, пока не станет известно, открыт ли мост. Говорили, что вода "
        "поднялась за ночь и что мэр уже никому не отвечает. Так они и стояли до вечера, а потом все ушли."
    ),
}
CHINESE = "火车早上七点开，旅客们在站台上等了很久。车站里很冷，可是没有人想回家，大家都想知道桥是不是开了。" * 3
ENGLISH = (
    "The train left at seven in the morning, and the passengers had been waiting on the platform for a long time. It "
    "was cold in the station, but nobody wanted to go home before they knew whether the bridge was open. It was said "
    "that the water had risen in the night, and that the mayor would not answer."
)


@pytest.mark.parametrize("language", TEXTS)
def test_another_language_is_told_by_its_words(language: str) -> None:
    assert other_language(TEXTS[language], "en") == language
    assert other_language(TEXTS[language], language) == ""
    assert other_language(ENGLISH, language) == "en"


@pytest.mark.parametrize("language", ["en", "de", "ru"])
def test_another_script_is_told_by_its_letters(language: str) -> None:
    assert other_language(CHINESE, language) == ANOTHER_SCRIPT


def test_it_is_silent_where_nobody_can_tell() -> None:
    for text in ("", "1 2 3", "Über Wasser und Land.", "x = f(y)\n" * 100, "Lorem ipsum dolor sit amet " * 40):
        assert other_language(text, "en") == ""
    for language in ("auto", "zh", "th", "simple"):
        assert other_language(ENGLISH, language) == other_language(CHINESE, language) == ""


def test_a_region_is_no_other_language() -> None:
    assert other_language(TEXTS["de"], "de-AT") == other_language(ENGLISH, "eng_Latn") == ""


def test_languages_that_share_their_words_are_one() -> None:
    assert {"da", "sv", "pl"} < set(languages())
    assert "no" not in languages()


@pytest.mark.skipif(not DATA.is_dir(), reason="the shared data are not here")
@pytest.mark.parametrize(
    "name",
    ["dialogues", "narratives", "nonfiction_classics", "papers", "recipes", "tech_docs", "textbooks", "wikipedia"],
)
def test_it_is_silent_on_english_of_every_kind(name: str) -> None:
    with gzip.open(DATA / f"{name}.jsonl.gz", "rt", encoding="utf-8") as lines:
        texts = [json.loads(line)["text"] for line in islice(lines, 250)]
    assert [text[:200] for text in texts if other_language(text, "en")] == []
