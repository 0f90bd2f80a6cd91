# ruff: noqa: RUF001 (text in other scripts is what is tested)
from __future__ import annotations

from pathlib import Path
from xml.sax.saxutils import escape

import pytest

from nextvec.corpus.document import Document, Unusable
from nextvec.corpus.prose import visible
from nextvec.corpus.sources import open_source

FILE, CATEGORY = "6", "14"


def dump(path: Path, language: str, namespaces: dict[str, str], *pages: tuple[str, str]) -> Path:
    names = "".join(f'<namespace key="{key}">{name}</namespace>' for key, name in {"0": "", **namespaces}.items())
    body = "".join(
        f"<page><title>{title}</title><ns>0</ns><id>{number}</id><revision><text>{escape(text)}</text></revision></page>"
        for number, (title, text) in enumerate(pages)
    )
    path.write_text(
        f'<mediawiki xml:lang="{language}"><siteinfo><dbname>{language}wiki</dbname>'
        f"<namespaces>{names}</namespaces></siteinfo>{body}</mediawiki>",
        "utf-8",
    )
    return path


def found(path: Path) -> list[Document | Unusable]:
    return list(open_source(f"wikipedia:{path}").documents())


ARTICLES = [
    ("de", "Datei", "Kategorie", "Bild", "Einzelnachweise", "Die Katze ist ein kleines Tier, z. B. im Haus."),
    ("fr", "Fichier", "Catégorie", "Image", "Notes et références", "Le chat est un petit animal : il dort !"),
    ("es", "Archivo", "Categoría", "Imagen", "Véase también", "El gato es un animal pequeño que duerme."),
    ("it", "File", "Categoria", "Immagine", "Collegamenti esterni", "Il gatto è un piccolo animale che dorme."),
    ("ru", "Файл", "Категория", "Изображение", "Примечания", "Кошка — это маленькое животное, которое много спит."),
    ("pl", "Plik", "Kategoria", "Grafika", "Linki zewnętrzne", "Kot jest małym zwierzęciem, które dużo śpi."),
    ("ja", "ファイル", "カテゴリ", "画像", "脚注", "猫は人と暮らす小さな動物である。よく眠る。"),
    ("zh", "File", "Category", "文件", "參考文獻", "猫是一种与人一起生活的小动物。它很爱睡觉。"),
    ("ko", "파일", "분류", "그림", "같이 보기", "고양이는 사람과 함께 사는 작은 동물이다."),
    ("ar", "ملف", "تصنيف", "صورة", "وصلات خارجية", "القط حيوان صغير يعيش مع الناس وينام كثيرا."),
    ("tr", "Dosya", "Kategori", "Resim", "Kaynakça", "Kedi insanlarla yaşayan küçük bir hayvandır ve uyur."),
    ("th", "ไฟล์", "หมวดหมู่", "ภาพ", "อ้างอิง", "แมวเป็นสัตว์ขนาดเล็กที่อาศัยอยู่กับคน"),
]


@pytest.mark.parametrize(("language", "file", "category", "alias", "back", "prose"), ARTICLES)
def test_an_article_in_another_language(
    tmp_path: Path, language: str, file: str, category: str, alias: str, back: str, prose: str
) -> None:
    text = (
        f"[[{file}:A.jpg|mini|{prose}]]\n{prose}[[{alias}:B.png|100px|{prose}]]<ref>{prose}</ref>\n\n"
        f"== {back} ==\n{prose}\n\n[[{category}:X]]\n[[en:Cat]]"
    )
    [document] = found(dump(tmp_path / "wiki.xml", language, {FILE: file, CATEGORY: category}, ("A", text)))
    assert isinstance(document, Document)
    assert document.text == prose
    assert visible(text) == visible(prose) + sum(document.left_out.values())
    assert set(document.left_out) == {"caption or file link", "reference", "heading", "back matter", "markup"}


@pytest.mark.parametrize(
    ("language", "title", "text", "reason"),
    [
        ("de", "A", "#WEITERLEITUNG [[B]]", "redirect"),
        ("ru", "A", "#перенаправление [[B]]\n[[Категория:X]]", "redirect"),
        ("ja", "A", "#転送 [[B]]", "redirect"),
        ("xx", "A", "#WORDINNOTABLE [[B]]\n{{because}}", "redirect"),
        ("de", "Elbe (Begriffsklärung)", "", "disambiguation"),
        ("de", "Elbe", "* [[A]]\n{{Begriffsklärung}}", "disambiguation"),
        ("fr", "Elbe", "{{homonymie}}", "disambiguation"),
        ("ru", "Эльба", "{{неоднозначность}}", "disambiguation"),
        ("ja", "猫 (曖昧さ回避)", "", "disambiguation"),
        ("zh", "猫（消歧义）", "", "disambiguation"),
        ("es", "Gato", "{{desambiguación}}", "disambiguation"),
        ("ko", "A", "__DISAMBIG__", "disambiguation"),
        ("de", "Liste der Flüsse", "", "list"),
        ("ja", "川の一覧", "", "list"),
        ("zh", "河流列表", "", "list"),
        ("fr", "Liste des fleuves", "", "list"),
        ("ru", "Список рек", "Это список рек страны по длине.\n* [[Волга]]: 3530 км\n* [[Лена]]: 4400 км", "list"),
        ("de", "1. Mai", "", "list"),
        ("zh", "河", "長江是亞洲最長的河流。\n" + "* 一條很長的河流在這個地方流過\n" * 9, "list"),
    ],
)
def test_what_is_no_article_in_another_language(
    tmp_path: Path, language: str, title: str, text: str, reason: str
) -> None:
    [item] = found(dump(tmp_path / "wiki.xml", language, {}, (title, text)))
    assert item == Unusable(id=f"{language}wiki/0", reason=reason, kind="skipped", characters=visible(text))


@pytest.mark.parametrize(
    ("language", "text"),
    [
        ("ru", "{{значения}}\nКошка — это маленькое животное, которое много спит."),
        ("it", "{{nota disambigua|x}}\nIl gatto è un piccolo animale che dorme."),
        ("de", "{{Begriffsklärungshinweis}}\nDie Katze ist ein kleines Tier im Haus."),
        ("en", "#1 is what they call the [[cat]] that lives here.\nThe cat sat on the mat all day."),
    ],
)
def test_an_article_that_only_looks_like_something_else(tmp_path: Path, language: str, text: str) -> None:
    [document] = found(dump(tmp_path / "wiki.xml", language, {}, ("A", text)))
    assert isinstance(document, Document)


@pytest.mark.parametrize(
    ("language", "title", "prose"),
    [
        ("ru", "Список Шиндлера", "Это фильм о войне и людях, который вышел очень давно."),
        ("hu", "Schindler listája", "Ez egy régi film a háborúról és az emberekről."),
        ("fa", "فهرست شیندلر", "این یک فیلم قدیمی درباره جنگ و مردم است."),
        ("de", "2. Bundesliga", "Das ist die zweite Liga im Fußball der Männer."),
        ("es", "11 de Oro", "Es una banda que toca por las calles del pueblo."),
    ],
)
def test_a_title_like_that_of_a_list_or_a_day_is_no_proof(
    tmp_path: Path, language: str, title: str, prose: str
) -> None:
    [document] = found(dump(tmp_path / "wiki.xml", language, {}, (title, prose)))
    assert isinstance(document, Document)


def test_namespaces_of_the_dump_count_where_the_language_is_not_known(tmp_path: Path) -> None:
    text = "[[Obraz:A.jpg|thumb|A long caption of the picture of a cat.]]The cat sat on the mat.[[Druh:Cats]]"
    [document] = found(dump(tmp_path / "wiki.xml", "xx", {FILE: "Obraz", CATEGORY: "Druh"}, ("A", text)))
    assert isinstance(document, Document)
    assert document.text == "The cat sat on the mat."
