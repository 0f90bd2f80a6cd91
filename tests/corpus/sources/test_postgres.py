from __future__ import annotations

import json
import sys
import tracemalloc

import pytest

from nextvec.corpus.document import Document, Unusable
from nextvec.corpus.sources import open_source
from nextvec.errors import DataError, MissingDependencyError, NotFoundError, StorageError, UsageError

TEXT = "A first sentence of some length. And a second one."


def found(reference: str, limit: int | None = None) -> list[Document | Unusable]:
    return list(open_source(reference, limit).documents())


def ids(reference: str, limit: int | None = None) -> list[str]:
    return [item.id for item in found(reference, limit)]


@pytest.fixture
def pieces(postgres):
    """Two documents of three pieces each, stored in no order, and other columns."""
    postgres.execute("CREATE TABLE pieces (doc_id int, position numeric, text text, title text, note bytea)")
    rows = [(doc, place, f"Piece {place} of the document {doc}.") for place in (3, 1, 2) for doc in (10, 9)]
    postgres.execute("INSERT INTO pieces VALUES (%s, %s, %s, 'T', 'never read')", rows)
    return postgres


def test_rows_are_grouped_to_documents_in_order(pieces) -> None:
    nine, ten = found(pieces.uri("table=pieces"))
    assert nine == Document(
        id="9",
        title="T",
        text="\n\n".join(f"Piece {place} of the document 9." for place in (1, 2, 3)),
        source=f"postgresql:{pieces.name}/pieces",
        licence="unknown",
    )
    assert ten.id == "10"


def test_columns_can_be_named(postgres) -> None:
    postgres.execute('CREATE SCHEMA "Own"')
    postgres.execute('CREATE TABLE "Own".stories ("Key" uuid, body jsonb, url text, id int)')
    key = "0b2d1b52-7f4c-4a70-8e35-0d1c9f1f5a11"
    postgres.execute('INSERT INTO "Own".stories VALUES (%s, %s, %s, 5)', [(key, json.dumps({"de": TEXT}), "http://x")])
    [document] = found(postgres.uri("table=Own.stories&id=Key&text=body.de"))
    assert (document.id, document.text, document.source) == (key, TEXT, "http://x")


def test_a_query_may_join_and_choose(pieces) -> None:
    query = "SELECT p.doc_id %2B 1 AS id, position, p.text || ' It goes on.' AS text FROM pieces p WHERE doc_id > 9;"
    [document] = found(pieces.uri(f"query={query}"))
    assert document.id == "11"
    assert document.source == f"postgresql:{pieces.name}/query"
    assert document.text.startswith("Piece 1 of the document 10. It goes on.\n\nPiece 2")
    assert ids(pieces.uri(f"query={query.replace('%2B', '+')}")) == ["11"]


def test_other_options_are_those_of_the_connection(pieces, monkeypatch) -> None:
    monkeypatch.setenv("PGHOST", pieces.host)
    monkeypatch.setenv("PGUSER", "postgres")
    assert ids(f"postgres:///{pieces.name}?table=pieces&connect_timeout=5") == ["9", "10"]


def test_a_limit_ends_the_reading(pieces) -> None:
    assert ids(pieces.uri("table=pieces"), limit=1) == ["9"]
    idle = "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'nextvec' AND state != 'idle'"
    assert pieces.execute(idle) == [(0,)]


def test_nothing_can_be_written(pieces) -> None:
    pieces.execute("CREATE FUNCTION clear() RETURNS int AS 'DELETE FROM pieces; SELECT 1' LANGUAGE sql")
    with pytest.raises(DataError, match="read-only transaction"):
        found(pieces.uri("query=SELECT clear() AS id, 'a text' AS text"))


def test_all_of_it_is_of_one_moment(pieces) -> None:
    items = open_source(pieces.uri("table=pieces")).documents()
    next(items)
    pieces.execute("DELETE FROM pieces")
    assert [item.id for item in items] == ["10"]


def test_what_a_row_lacks_fails_alone(postgres) -> None:
    postgres.execute("CREATE TABLE t (id text, text text)")
    rows = [("a", TEXT), ("a", TEXT + " A third."), ("b", None), ("c", "short"), (None, TEXT)]
    postgres.execute("INSERT INTO t VALUES (%s, %s)", rows)
    first, twice, empty, short, nameless = found(postgres.uri("table=t"))
    assert isinstance(first, Document)
    assert twice.message.startswith("its id was given to an earlier document")
    assert (empty.reason, short.reason, nameless.id) == ("empty", "too short", f"postgresql:{postgres.name}/t:5")


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ("", UsageError, "expected one of .table=NAME and .query=SELECT"),
        ("table=pieces&query=SELECT 1", UsageError, "expected one of"),
        ("tabel=pieces", UsageError, "Did you mean 'table'"),
        ("table=pieces&vector=v", UsageError, "nextvec corpus import"),
        ("table=peices", NotFoundError, r"has no table 'peices'\. It has: pieces\."),
        ("table=pieces&text=txt", UsageError, "unknown column 'txt'. Did you mean 'text'"),
        ("query=SELECT text FROM pieces", UsageError, "no column for the document's id: looked for doc_id"),
        ("query=SELECT txt FROM pieces", DataError, 'column "txt" does not exist'),
        ("table=pieces&port=1", StorageError, "cannot connect to postgresql://"),
        ("table", UsageError, "after '.' expected key=value"),
    ],
)
def test_what_is_wrong_is_said_without_the_password(pieces, options: str, error: type, message: str) -> None:
    with pytest.raises(error, match=message) as caught:
        found(pieces.uri(options))
    assert pieces.password not in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("reference", ["{}%zz@h/d?table=t", "{}@[::1/d?table=t"])
def test_what_is_no_uri_is_not_repeated(reference: str) -> None:
    for scheme in ("postgresql", "postgers"):
        with pytest.raises(UsageError) as caught:
            open_source(f"{scheme}://me:{reference.format('hush')}")
        assert "hush" not in str(caught.value)


@pytest.mark.parametrize("password", ["hush@er", "er@hush@er", "hush/er", "hush?er", "er@hush?er"])
def test_a_password_that_is_not_encoded_is_refused_and_not_repeated(password: str) -> None:
    with pytest.raises(UsageError, match=r"postgresql://\.\.\.@h.*%40 for @") as caught:
        open_source(f"postgresql://me:{password}@h/d?table=t")
    assert "hush" not in str(caught.value)
    assert "er@" not in str(caught.value)


def test_without_the_package(monkeypatch) -> None:
    monkeypatch.setitem(sys.modules, "psycopg", None)
    with pytest.raises(MissingDependencyError, match=r"nextvec\[postgres\]"):
        open_source("postgresql://h/d?table=t")


def test_memory_does_not_grow_with_the_table(postgres) -> None:
    rows = "SELECT i AS id, repeat('word ', 400) AS text FROM generate_series(1, {}) AS i"

    def peak(count: int) -> int:
        tracemalloc.start()
        assert sum(1 for _ in open_source(postgres.uri(f"query={rows.format(count)}")).documents()) == count
        largest = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return largest

    peak(10)
    assert peak(2_000) < peak(500) + 2_000_000
