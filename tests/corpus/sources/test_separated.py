"""CSV and TSV: as spreadsheets and pandas write them, damage told by its line, no text lost without a word."""

import codecs
import csv
import gzip

import pytest

from nextvec.corpus.document import Document, Unusable
from nextvec.corpus.sources import open_source
from nextvec.errors import UsageError

LONG = "The ferry to the island leaves at seven in the morning, and is back by noon with the post. "
OTHER = 'Nobody "there" knew, it was said,\nwhy the canal\r\nhad been opened to ships of every nation.'


@pytest.fixture
def read(tmp_path):
    def read(content, name="rows.csv", query=""):
        path = tmp_path / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return list(open_source(f"{path}{query}").documents())

    return read


@pytest.fixture
def written(tmp_path):
    """As the library writes rows; csv.writer ends them with CR LF."""

    def written(rows, **how):
        with (tmp_path / "written").open("w", encoding="utf-8", newline="") as file:
            csv.writer(file, **how).writerows(rows)
        return (tmp_path / "written").read_bytes()

    return written


def texts(items):
    assert all(isinstance(item, Document) for item in items), items
    return [item.text for item in items]


@pytest.mark.parametrize("separator", [",", ";", "\t", "|"])
def test_a_cell_is_whole_whatever_it_holds(read, written, separator):
    content = written([["id", "Body", "n"], [1, OTHER, 2], [2, LONG, 3]], delimiter=separator)
    first, second = read(content, "rows.tsv" if separator == "\t" else "rows.csv", "?text=Body")
    assert (first.id, second.id) == ("1", "2")
    assert first.text.split() == OTHER.split()
    assert second.text == LONG.strip()


def test_a_cell_may_be_longer_than_the_librarys_limit(read, written):
    (document,) = read(written([["text"], [LONG * 3000]]))
    assert len(document.text.split()) == len(LONG.split()) * 3000


@pytest.mark.parametrize("mark", ["utf-8-sig", "utf-16", "utf-8"])
def test_the_first_bytes_say_how_it_is_written(read, mark):
    (document,) = read(f'text\n"{LONG}Ça va, très bien."\n'.encode(mark))
    assert document.text.endswith("Ça va, très bien.")


def test_a_row_in_another_encoding_is_told_how_to_be_read(read):
    content = f"id,text\na,{LONG.replace(',', '')}\nb,Ça va: {LONG.replace(',', '')}\n".encode("cp1252")
    good, bad = read(content)
    assert (good.id, bad.id, bad.reason) == ("a", "rows.csv:3", "not UTF-8")
    assert "?encoding=windows-1252" in bad.detail
    assert texts(read(content, query="?encoding=windows-1252"))[1].startswith("Ça va")
    with pytest.raises(UsageError, match="unknown encoding 'klingon'"):
        read(content, query="?encoding=klingon")


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ("b,c,too many", "cells and columns do not match"),
        ("b", "cells and columns do not match"),
        ('b,"a "mark" inside"', "not CSV"),
    ],
)
def test_a_row_that_is_none_is_told_by_its_line_and_the_next_one_read(read, row, reason):
    before, bad, after = read(f'id,text\na,"{LONG}\n{LONG}"\n{row}\n\nc,"{LONG}"\n')
    assert (before.id, after.id) == ("a", "c")
    assert isinstance(bad, Unusable)
    assert (bad.id, bad.reason) == ("rows.csv:4", reason)


def test_a_quotation_mark_that_stays_open_is_told(read):
    *good, open_ended = read(f'id,text\na,"{LONG}"\nb,"{LONG}\nc,{LONG}\n')
    assert [item.id for item in good] == ["a"]
    assert (open_ended.id, open_ended.reason) == ("rows.csv:3", "not CSV")
    assert "unexpected end of data" in open_ended.detail


def test_pieces_are_put_in_order_by_the_number_of_their_position(read, written):
    rows = [["a", 10, "It is the last of them all, and the end."], ["a", 9, LONG], ["b", "", LONG]]
    first, second = read(written([["id", "position", "text"], *rows]))
    assert first.text.split("\n\n") == [LONG.strip(), rows[0][2]]
    assert second.id == "b"


def test_columns_that_are_not_there_or_there_twice(read, written):
    with pytest.raises(UsageError, match=r"unknown column 'body'\. Did you mean 'Body'"):
        read(written([["Body"], [LONG]]), query="?text=body")
    (doubled,) = read(written([["text", "text"], [LONG, LONG]]))
    assert doubled.reason == "a column is there twice"
    (missing,) = read(written([["Doc No.", "Body Text"], *[[number, LONG] for number in range(9)]]))
    assert (missing.id, missing.kind) == ("rows.csv", "skipped")
    assert missing.detail.endswith("has Doc No., Body Text. Name it: rows.csv?text=Body%20Text")


def test_without_names_of_columns_the_answer_stays_short(read, written):
    (failed,) = read(written([["1", LONG * 50], ["2", LONG * 50]]))
    assert failed.reason == "no column of text"
    assert len(failed.detail.partition("Name it")[0]) < 300


def test_tables_of_data_beside_texts_stop_nothing(tmp_path):
    """A folder may hold as many as it likes."""
    (tmp_path / "a.txt").write_text(LONG)
    for number in range(3):
        (tmp_path / f"{number}.csv").write_text("year,ships\n1869,486\n1870,765\n")
    kinds = [getattr(item, "kind", "text") for item in open_source(str(tmp_path)).documents()]
    assert sorted(kinds) == ["skipped"] * 3 + ["text"]


def test_it_may_be_packed_and_as_pandas_writes_it(read, tmp_path):
    pandas = pytest.importorskip("pandas")
    frame = pandas.DataFrame({"doc_id": ["x", "y"], "text": [OTHER, LONG], "year": [1869, None]})
    frame.to_csv(tmp_path / "frame.csv.gz")
    frame.to_parquet(tmp_path / "frame.parquet")
    packed = read((tmp_path / "frame.csv.gz").read_bytes(), "packed.csv.gz")
    assert texts(packed) == texts(list(open_source(f"{tmp_path}/frame.parquet").documents()))
    cut = gzip.compress(codecs.encode(f"text\n{LONG.replace(',', '')}\n" * 200, "utf-8"))[:-10]
    assert read(cut, "cut.csv.gz")[-1].reason == "cannot be read from here on"
