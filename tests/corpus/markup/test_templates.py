# ruff: noqa: RUF001 (typographic dashes and signs are what is tested)
from __future__ import annotations

import pytest

from nextvec.corpus.markup.arguments import HOLE
from nextvec.corpus.markup.templates import render_template

WITHOUT_WORDS = ["convert|5", "convert|5|km|mi|disp=out", "val|5|km", "nts", "gaps", "railgauge|sg", "ordinal|x"]
WITH_MORE_THAN_IS_SAID = [
    *("convert|5|km|disp=unit", "convert|5|km|adj=mid|-long", "convert|5|km|to|6|mi", "frac|1|2|3|4", "US$|5|1990"),
    *("start date|1999|12|31|23|59", "circa|1|2|3", "chem|235|92|U", "BC|44", "nts|5|6", "USS|Hornet|CV-8|9"),
    *("lang-zh|t=x", "lang|de", "page|12", "year|1990", "dts|1999|5|3"),
]


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("convert|5|km|mi", "5 km"),
        ("convert|1,200|mi|km|0", "1,200 miles"),
        ("convert|1|mi", "1 mile"),
        ("convert|5|mi|km|adj=on", "5-mile"),
        ("convert|5|-|6|km2|abbr=on", "5–6 km²"),
        ("convert|5|ft|6|in|m", "5 feet 6 inches"),
        ("convert|10|ft|0", "10 feet"),
        ("lang|grc|ἀναρχία", "ἀναρχία"),
        ("lang-sq|Shqipëria", "Shqipëria"),
        ("Nowrap|so far", "so far"),
        ("nowrap|1=a=b", "a=b"),
        ("as of|2012|3", "As of March 2012"),
        ("as of|2012|lc=y", "as of 2012"),
        ("birth date|1905|2|3|df=y", "February 3, 1905"),
        ("birth date and age|1905|2|3", "February 3, 1905"),
        ("death date and age|1999|5|3|1905|2|3", "May 3, 1999"),
        ("start date and age|1999", "1999"),
        ("start date|1905", "1905"),
        ("frac|1|3|4", "1 3/4"),
        ("frac|2", "1/2"),
        ("val|6.24|e=18|u=m", "6.24×10¹⁸ m"),
        ("formatnum:3003", "3003"),
        ("nts|1,234", "1,234"),
        ("val|1.5|0.2|u=kg", "1.5±0.2 kg"),
        ("val|1.5|0.3|0.2|e=6|u=m|up=s", "(1.5+0.3−0.2)×10⁶ m/s"),
        ("val|5|-|8|u=m", "5–8 m"),
        ("val|1.2345(67)|e=-27|u=kg", "1.2345(67)×10⁻²⁷ kg"),
        ("gaps|1|234|567|u=m", "1234567 m"),
        ("convert|1.5|e6mi", "1.5 million miles"),
        ("convert|1+1/2|in|mm", "1 1/2 inches"),
        ("convert|60|and(-)|80|kg", "60 and 80 kg"),
        ("convert|10|x|20|x|30|cm", "10 × 20 × 30 cm"),
        ("convert|5|±|0.2|km", "5 ± 0.2 km"),
        ("cvt|6|ft", "6 ft"),
        ("convert|6|sqmi|abbr=on", "6 sq mi"),
        ("US$|1.5 million", "US$1.5 million"),
        ("GBP|500", "£500"),
        ("€", "€"),
        ("ordinal|11", "11th"),
        ("ordinal|22", "22nd"),
        ("10^|6", "10⁶"),
        ("height|ft=6|in=1", "6 ft 1 in"),
        ("railgauge|1435mm", "1435 mm"),
        ("nuclide2|uranium|235", "uranium-235"),
        ("sic|hose", "hose"),
        ("citation needed span|the text|date=May", "the text"),
        ("langx|fr|chat", "chat"),
        ("music|flat", "♭"),
        ("nbsp", " "),
        ("circa|1187", "c. 1187"),
        ("USS|Hornet", "USS Hornet"),
        ("Harvtxt|Smith|Jones|1999", "Smith and Jones (1999)"),
        ("USS|Hornet|CV-8", "USS Hornet (CV-8)"),
        ("USS|Hornet|CV-8|6", "USS Hornet"),
        ("USS|Hornet|CV-8|2", "Hornet"),
        ("chem|H|2|O", "H2O"),
        ("chem|SO|4|2-", "SO4²⁻"),
        ("val|1.23|(4)|e=5|u=m", "1.23(4)×10⁵ m"),
        ("convert|1.2e6|km|mi|1", "1.2×10⁶ km"),
        ("convert|26|mi|385|yd|km", "26 miles 385 yards"),
        ("nts|5|prefix=$", "$5"),
        ("reign|1200|1210", "r. 1200–1210"),
        ("floruit|1200", "fl. 1200"),
        ("circa|1187|1190|lk=yes", "c. 1187 – c. 1190"),
        ("as of|2012|alt=in spring", "in spring"),
        ("as of|2012|since=y|post=,", "Since 2012,"),
        ("sup|6", "<sup>6</sup>"),
        ("rtl-lang|ar|كتاب", "كتاب"),
        ("script|Arab|كتاب", "كتاب"),
        ("resize|80%|small", "small"),
        ("lang-zh|text=x", "x"),
        ("nihongo|Tokyo Tower|東京タワー|Tōkyō tawā", "Tokyo Tower (東京タワー, Tōkyō tawā)"),
        ("nihongo||本部|honbu", "本部, honbu"),
        ("ill|Foo (x)|de|Foo|lt=Foo", "Foo"),
        ("sort|05|five", "five"),
        ("sortname|John|Smith", "John Smith"),
        ("Template:nowrap|so far", "so far"),
        ("DEFAULTSORT:Foo", ""),
        ("quote|Be brief.|Author", "\n\nBe brief.\n\n"),
    ],
)
def test_templates_that_stand_for_words(content: str, words: str) -> None:
    assert render_template(content) == words


@pytest.mark.parametrize(
    ("language", "content", "words"),
    [
        ("fr", "Unité|9,81|m||s|-2", "9,81 m·s⁻²"),
        ("fr", "nb|1234|habitants", "1234 habitants"),
        ("fr", "s-|XIX|e", "XIXe siècle"),
        ("fr", "unité|3|e=8|m||s|-1", "3×10⁸ m·s⁻¹"),
        ("fr", "unité|12|à=15|km", "12 à 15 km"),
        ("fr", "date|1|janvier|1900|en sport", "1 janvier 1900"),
        ("fr", "lien|langue=en|trad=Cat|fr=Chat|texte=le chat", "le chat"),
        ("de", "Bruch|1|2|3", HOLE),
        ("es", "siglo|XIX||s", "siglo XIX"),
        ("es", "siglo|V|a|s", HOLE),
        ("fr", "e", "e"),
        ("es", "unidad|5|km|2", "5 km²"),
        ("pt", "fmtn|1234|km", "1234 km"),
        ("it", "M|5|u=km", "5 km"),
        ("it", "cn|parole vere|data", "parole vere"),
        ("ru", "число|1234567", "1234567"),
        ("ru", "num|100|м", "100 м"),
        ("ru", "нп5|Цель|текст|en", "текст"),
        ("uk", "s|5 км", "5 км"),
        ("de", "Höhe|2962|DE-NN", "2962 m ü. NN"),
        ("de", "Höhe|312|DE-NHN|link=1", "312 m ü. NHN"),
        ("de", "Höhe|312|XX", "312 m"),
        ("ja", "仮リンク|猫|en|Cat", "猫"),
        ("ja", "要出典|date=x", ""),
        ("zh", "link-en|猫|Cat", "猫"),
        ("ko", "llang|en|cat", "cat"),
        ("de", "Unité|5|km", HOLE),
        ("de", "Kapitälchen|Goethe", "Goethe"),
        ("en", "w|nuclear weapon|nuclear weapons", "nuclear weapons"),
        ("fr", "sp-|XI|e|et|XII|e|s", "XIe et XIIe siècles"),
        ("fr", "-sp-|V|e|et|IV|e|s", "Ve et IVe siècles av. J.-C."),
        ("fr", "sp-|XI|e|XII|e", HOLE),
        ("fr", "Citation bloc|Être, c'est agir.", "\n\nÊtre, c'est agir.\n\n"),
        ("fr", "souverain|Louis XIV", "Louis XIV"),
        ("it", "converti|5|km|mi", "5 km"),
        ("it", "Passo biblico|Gv|3,16", "Gv 3,16"),
        ("ru", "флагификация|Россия", "Россия"),
        ("ja", "Snamei||Felis", "Felis"),
        ("zh", "tsl|en|Cat|猫", "猫"),
        ("ar", "وإو|تر=Cat|عر=قط|لغ=en", "قط"),
        ("he", "הערה|מקור", ""),
        ("pl", "cytat|Być.|Autor", "\n\nByć.\n\n"),
    ],
)
def test_templates_of_wikis_in_other_languages(language: str, content: str, words: str) -> None:
    assert render_template(content, language) == words


@pytest.mark.parametrize(
    "content", ["Citation needed|date=May", "clarify|how so?", "page", "IPA-en|x", "sfn|A|2000", "cite web", "who?"]
)
def test_silent_templates(content: str) -> None:
    assert render_template(content) == ""


@pytest.mark.parametrize(
    "content",
    [
        "inflation|US|5|1900",
        "unheard of|x",
        "",
        "frac",
        "convert",
        "val|",
        "Harvtxt",
        *WITHOUT_WORDS,
        *WITH_MORE_THAN_IS_SAID,
    ],
)
def test_anything_else_is_a_hole(content: str) -> None:
    assert HOLE in render_template(content)


def test_a_century_of_the_french_wiki_says_its_name() -> None:
    assert render_template("XXe siècle", "fr") == "XXe siècle"
    assert render_template("Ier siècle", "fr") == "Ier siècle"
