"""Text that is not sequential: what a coherence check must refuse. Every set is a list of documents of chunks.

Loaded by path (`runpy.run_path`), by the tests here and by benchmarks/coherence.py.
"""

from __future__ import annotations

import random
from itertools import chain as joined
from itertools import pairwise

Documents = list[list[str]]

NARROWER = {
    "entity": "physical entity, abstraction",
    "physical entity": "object, substance, process",
    "object": "living thing, artifact, geological formation",
    "living thing": "organism",
    "organism": "animal, plant, fungus, person",
    "animal": "vertebrate, invertebrate",
    "vertebrate": "mammal, bird, reptile, fish, amphibian",
    "mammal": "carnivore, ungulate, rodent, primate",
    "carnivore": "canine, feline, bear",
    "canine": "dog, wolf, fox, jackal, coyote",
    "feline": "cat, lion, tiger, leopard, lynx",
    "bear": "brown bear, polar bear, panda",
    "ungulate": "horse, cow, deer, pig, sheep, goat",
    "rodent": "mouse, rat, squirrel, beaver, hamster",
    "primate": "monkey, gorilla, chimpanzee, lemur",
    "bird": "bird of prey, songbird, waterfowl",
    "bird of prey": "eagle, hawk, owl, falcon",
    "songbird": "sparrow, robin, finch, nightingale",
    "waterfowl": "duck, goose, swan",
    "reptile": "snake, lizard, turtle, crocodile",
    "snake": "cobra, python, viper",
    "fish": "salmon, tuna, shark, trout",
    "amphibian": "frog, toad, newt",
    "invertebrate": "insect, arachnid, mollusk",
    "insect": "bee, ant, butterfly, beetle",
    "arachnid": "spider, scorpion",
    "mollusk": "snail, squid, oyster",
    "plant": "tree, flower, grass",
    "tree": "conifer, deciduous tree",
    "conifer": "pine, spruce, fir",
    "deciduous tree": "oak, maple, birch, beech",
    "flower": "rose, tulip, daisy, orchid",
    "grass": "wheat, rice, bamboo",
    "fungus": "mushroom, yeast, mold",
    "person": "worker, artist",
    "worker": "carpenter, plumber, nurse",
    "artist": "painter, sculptor, musician",
    "artifact": "instrumentality, structure, clothing",
    "instrumentality": "vehicle, tool, furniture, musical instrument",
    "vehicle": "car, truck, bicycle, boat",
    "boat": "canoe, ferry, sailboat",
    "car": "sedan, convertible, taxi",
    "tool": "hammer, saw, screwdriver",
    "furniture": "chair, table, bed",
    "chair": "armchair, rocking chair, throne",
    "musical instrument": "piano, violin, flute, drum",
    "structure": "building, bridge, tower",
    "building": "house, church, hospital, school",
    "clothing": "shirt, trousers, hat, coat",
    "geological formation": "mountain, valley, cave",
    "substance": "food, chemical element, material",
    "food": "bread, cheese, fruit",
    "fruit": "apple, banana, cherry, lemon",
    "chemical element": "iron, gold, oxygen, carbon",
    "material": "wood, glass, plastic",
    "process": "natural process, chemical reaction",
    "natural process": "erosion, evaporation, photosynthesis",
    "chemical reaction": "oxidation, combustion, fermentation",
    "abstraction": "measure, communication, feeling",
    "measure": "unit of length, unit of time",
    "unit of length": "meter, mile, inch",
    "unit of time": "second, hour, year",
    "communication": "language, message",
    "language": "French, Latin, Hindi",
    "message": "letter, telegram, warning",
    "feeling": "joy, anger, fear",
}
"""Category: its direct sub-categories, after the upper levels of WordNet's noun hierarchy."""

PARENT = {child: parent for parent, children in NARROWER.items() for child in children.split(", ")}
LEAVES = [child for child in PARENT if child not in NARROWER][::2]
SAYINGS = (
    "{A} is a kind of {b}.",
    "{A} is {b_}.",
    "Every {a} is {b_}.",
    "{A} belongs to the category of {b}.",
    "{A} is classified as {b_}.",
    "The {a} is one type of {b}.",
)

COUNTRIES = """
France|Paris|euro|French|Seine|68
Japan|Tokyo|yen|Japanese|Sumida|125
Brazil|Brasilia|real|Portuguese|Amazon|214
Russia|Moscow|ruble|Russian|Volga|144
Spain|Madrid|euro|Spanish|Tagus|47
Turkey|Ankara|lira|Turkish|Kizilirmak|85
Canada|Ottawa|dollar|English|Mackenzie|39
Kenya|Nairobi|shilling|Swahili|Tana|54
Sweden|Stockholm|krona|Swedish|Torne|10
Greece|Athens|euro|Greek|Haliacmon|10
Iraq|Baghdad|dinar|Arabic|Tigris|43
Vietnam|Hanoi|dong|Vietnamese|Mekong|98
Argentina|Buenos Aires|peso|Spanish|Parana|46
Colombia|Bogota|peso|Spanish|Magdalena|51
Portugal|Lisbon|euro|Portuguese|Douro|10
"""
"""Country, capital, currency, language, river, millions of inhabitants."""

ELEMENTS = """
Hydrogen|H|1|a gas
Lithium|Li|3|a metal
Nitrogen|N|7|a gas
Sodium|Na|11|a metal
Aluminium|Al|13|a metal
Sulfur|S|16|a nonmetal
Calcium|Ca|20|a metal
Copper|Cu|29|a metal
Silver|Ag|47|a metal
Gold|Au|79|a metal
Lead|Pb|82|a metal
"""

ANIMALS = """
elephant|70|4|a herbivore|savanna
eagle|30|2|a carnivore|mountains
frog|10|4|a carnivore|ponds
octopus|3|8|a carnivore|oceans
penguin|20|2|a carnivore|ice shelves
bat|20|2|an insectivore|caves
wolf|13|4|a carnivore|forests
whale|80|0|a carnivore|oceans
"""

PEOPLE = """
Isaac Newton|physicist|1643|England|the law of gravitation
Charles Darwin|naturalist|1809|England|natural selection
Galileo Galilei|astronomer|1564|Italy|the moons of Jupiter
Niels Bohr|physicist|1885|Denmark|the model of the atom
Johannes Kepler|astronomer|1571|Germany|the laws of planetary motion
Rosalind Franklin|chemist|1920|England|images of DNA
Max Planck|physicist|1858|Germany|the quantum
James Watt|engineer|1736|Scotland|an efficient steam engine
"""

GLOSSARY = """
Abacus|a frame with beads that is used for counting
Abbey|a building where monks or nuns live and pray
Abdomen|the part of the body between the chest and the hips
Abrasion|the wearing away of a surface by rubbing
Absolute zero|the temperature at which atoms hold the least heat
Accent|a way of pronouncing words that is typical of a region
Acid|a substance that gives away protons in water
Acoustics|the science of sound and how it travels through rooms
Adobe|a brick of clay and straw dried in the sun
Aerosol|a suspension of fine droplets in a gas
Affidavit|a written statement made under oath
Alloy|a metal made by melting two or more metals together
Almanac|a yearly book of dates, tides and weather
Altitude|the height of a point above the level of the sea
Amnesty|a general pardon granted by a government
Amplitude|the largest distance of a wave from its resting line
Anaesthetic|a drug that removes the feeling of pain
Anchor|a heavy hook that keeps a ship in its place
Annuity|a fixed sum of money paid every year
Anthem|a solemn song of praise for a nation
Aorta|the main artery that leaves the heart
Aqueduct|a bridge that carries water across a valley
Archive|a place where old records are kept
Armistice|an agreement to stop fighting for a time
Asphalt|a dark mixture of stones and tar that covers roads
Asset|anything of value that a company owns
Axle|the rod on which a pair of wheels turns
Bail|money left with a court so that a prisoner may wait at home
Ballast|heavy material that steadies a ship
Barometer|an instrument that measures the pressure of the air
Basalt|a dark rock formed from cooled lava
Battery|a device that stores electrical energy
Bayonet|a blade fixed to the end of a rifle
Benchmark|a standard against which others are measured
Biopsy|the removal of tissue so that it can be examined
Bylaw|a rule made by a local council
Caisson|a watertight chamber used for building under water
Calorie|a unit of the energy in food
Canopy|the upper layer of leaves in a forest
Cartel|a group of firms that agree on prices
"""


def chain(word: str) -> list[str]:
    """From a word up to its most general category."""
    return [word, *chain(PARENT[word])] if word in PARENT else [word]


def chains_of_words() -> Documents:
    return [chain(leaf) for leaf in LEAVES]


def chains_of_arrows() -> Documents:
    """Three steps a chunk: "dog -> canine -> carnivore"."""
    steps = [zip(words, words[1:], words[2:], strict=False) for words in chains_of_words()]
    return [[" -> ".join(step) for step in document] for document in steps]


def chains_of_sentences() -> Documents:
    return [[_saying(SAYINGS[0], a, b) for a, b in pairwise(words)] for words in chains_of_words()]


def chains_in_varied_words() -> Documents:
    rng = random.Random(0)
    return [[_saying(rng.choice(SAYINGS), a, b) for a, b in pairwise(words)] for words in chains_of_words()]


def chains_in_one_document() -> Documents:
    """Five chains after one another."""
    words = random.Random(0).sample(chains_of_words(), len(LEAVES))
    return [list(joined(*words[i : i + 5])) for i in range(0, len(words), 5)]


def isolated_facts() -> Documents:
    facts = [fact for subject in _facts() for fact in subject]
    random.Random(0).shuffle(facts)
    return _documents_of(facts, 12)


def facts_by_subject() -> Documents:
    """Facts of one subject together: neighbours are close, and still nothing follows from anything."""
    subjects = _facts()
    random.Random(0).shuffle(subjects)
    return [list(joined(*subjects[i : i + 4])) for i in range(0, len(subjects), 4)]


def glossary() -> Documents:
    return _documents_of([f"{term}: {meaning}." for term, meaning in _rows(GLOSSARY)], 10)


def glossary_in_sentences() -> Documents:
    return _documents_of([f"{_article(term).capitalize()} is {meaning}." for term, meaning in _rows(GLOSSARY)], 10)


def _article(word: str) -> str:
    return ("an " if word[0].lower() in "aeiou" else "a ") + word


def _saying(saying: str, narrow: str, broad: str) -> str:
    text = saying.format(a=narrow, A=_article(narrow), b=broad, b_=_article(broad))
    return text[0].upper() + text[1:]


def _rows(table: str) -> list[list[str]]:
    return [line.split("|") for line in table.strip().splitlines()]


def _facts() -> Documents:
    """One list of facts a subject."""
    countries = [
        [
            f"The capital of {name} is {capital}.",
            f"The currency of {name} is the {currency}.",
            f"The official language of {name} is {language}.",
            f"The river {river} flows through {name}.",
            f"{name} has about {millions} million inhabitants.",
        ]
        for name, capital, currency, language, river, millions in _rows(COUNTRIES)
    ]
    elements = [
        [f"The symbol of {name.lower()} is {symbol}.", f"{name} has atomic number {number}.", f"{name} is {kind}."]
        for name, symbol, number, kind in _rows(ELEMENTS)
    ]
    animals = [
        [f"The {name} has {legs} legs.", f"The {name} lives about {years} years.", f"The {name} lives in {home}."]
        for name, years, legs, _, home in _rows(ANIMALS)
    ]
    people = [
        [f"{name} was a {work}.", f"{name} was born in {year}.", f"{name} came from {land}.", f"{name} found {what}."]
        for name, work, year, land, what in _rows(PEOPLE)
    ]
    return countries + elements + animals + people


def _documents_of(chunks: list[str], size: int) -> Documents:
    return [chunks[i : i + size] for i in range(0, len(chunks), size)]


SETS = {
    make.__name__.replace("_", " "): make
    for make in (
        chains_of_words,
        chains_of_arrows,
        chains_of_sentences,
        chains_in_varied_words,
        chains_in_one_document,
        isolated_facts,
        facts_by_subject,
        glossary,
        glossary_in_sentences,
    )
}
