"""`postgresql://HOST/DATABASE?table=TABLE`, rows of PostgreSQL: a document, or one piece of one, in each."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from nextvec.corpus.document import Document, Unusable
from nextvec.corpus.sources import options_of, register_source
from nextvec.corpus.sources.rows import ROWS_LEAVE, Columns, Row, documents_from_rows
from nextvec.errors import DataError, StorageError, UsageError
from nextvec.postgres import Address, columns_of, connected, find_address, identifier, require_table, split_uri

if TYPE_CHECKING:
    import psycopg
    from psycopg.sql import Composed, Identifier

BATCH_ROWS = 256
PAUSES = (1.0, 2.0, 4.0, 8.0, 15.0, 30.0)
"""Seconds before each attempt to reach a server again that went away."""
FORM = "postgresql://[HOST[:PORT]]/DATABASE?table=TABLE"
AGAIN = "What was stored stays; run the same command again to continue"


class PostgresOptions(Columns):
    """One of `table` (or SCHEMA.TABLE) and `query`, a SELECT; `vector` is for `nextvec corpus import`."""

    table: str | None = None
    query: str | None = None
    vector: str | None = None

    def require_table(self, address: Address) -> str:
        """The table, to be written. Raises UsageError for a query."""
        if self.table is None:
            raise UsageError(f"{address}: what is written is a table: expected ?table=NAME")
        return self.table

    @property
    def relation(self) -> Identifier | Composed:
        """What stands after FROM."""
        from psycopg.sql import SQL

        if self.table is not None:
            return identifier(self.table)
        return SQL("({}) AS found").format(SQL(str(self.query).strip().rstrip(";")))


@register_source("postgres", form=FORM, options=PostgresOptions, extra="postgres", leaves=ROWS_LEAVE)
@register_source("postgresql", form=FORM, options=PostgresOptions, extra="postgres", leaves=ROWS_LEAVE)
class PostgresSource:
    """Columns are found by common names or given as options; one for the document's id is needed.

    Rows are read in order of id, position and text, so that a run that continues another meets the same documents, with
    a cursor of the server in one read-only transaction that sees a single state of the table. Where the server goes
    away meanwhile and comes back within a minute, the rows that were given are read again, compared, and reading goes
    on. Any other option is one of libpq's connection (`host`, `sslmode`, ...).

    Raises MissingDependencyError, UsageError for a URI or an option that is none; `documents` raises StorageError when
    the server does not answer, refuses or goes away for good, NotFoundError for an unknown table, UsageError for a
    column, DataError when the rows have changed while the server was away.
    """

    def __init__(self, argument: str, options: Mapping[str, Any], name: str) -> None:
        self._address, own = find_address(argument, options)
        self._options = parse_options(own, self._address)
        if self._options.vector:
            raise UsageError(
                f"{self._address}: vectors that exist already are taken by nextvec corpus import, not encoded: "
                "leave out vector="
            )

    def documents(self) -> Iterator[Document | Unusable]:
        return documents_from_rows(self._rows(), self._options, self._name)

    @property
    def _name(self) -> str:
        """The same from whatever host and as whatever user it is read."""
        return f"postgresql:{self._address.shown.rpartition('/')[2]}/{self._options.table or 'query'}"

    def _rows(self) -> Iterator[Row]:
        given, before = _Given(), 0
        while True:
            try:
                for values in given.beyond(self._read(), self._name):
                    yield Row(f"{self._name}:{given.count}", values)
                return
            except StorageError:
                if given.count == before or not comes_back(self._address):
                    raise
                before = given.count

    def _read(self) -> Iterator[dict[str, Any]]:
        with connected(self._address, advice=AGAIN) as server:
            read_only(server)
            if self._options.table:
                require_table(server, self._options.table, self._address)
            columns = self._options.present(columns_of(server, self._options.relation))
            self._require_id(columns)
            yield from rows_in_order(server, self._options, columns)

    def _require_id(self, columns: Sequence[str]) -> None:
        if not self._options.id and not set(self._options.names("id")) & set(columns):
            raise UsageError(
                f"{self._name} has no column for the document's id: looked for {', '.join(self._options.names('id'))}; "
                f"has {', '.join(columns)}. Name it: id=COLUMN"
            )


def open_address(uri: str) -> tuple[Address, PostgresOptions]:
    """The data base of a whole URI, and what of it is meant. Raises UsageError, as the source does."""
    _, argument, query = split_uri(uri)
    address, own = find_address(argument, options_of(uri, query))
    return address, parse_options(own, address)


def parse_options(options: Mapping[str, Any], address: Address) -> PostgresOptions:
    """Raises UsageError unless they name one table or query."""
    chosen = PostgresOptions.parse(options, owner=str(address))
    if (chosen.table is None) == (chosen.query is None):
        raise UsageError(f"{address}: expected one of ?table=NAME and ?query=SELECT ..., what to read")
    return chosen


class _Given:
    """The rows that were given: how many, and what they were."""

    def __init__(self) -> None:
        self.count = 0
        self._content = b""

    def beyond(self, rows: Iterable[dict[str, Any]], name: str) -> Iterator[dict[str, Any]]:
        """Those of `rows` that come after them. Raises DataError when they do not begin with them any more."""
        known, number, state = self.count, 0, hashlib.blake2b(digest_size=16)
        for number, values in enumerate(rows, start=1):
            state.update(repr(list(values.values())).encode(errors="surrogatepass"))
            if number == known and state.digest() != self._content:
                raise DataError(f"{name}: its rows have changed while the server was away. {AGAIN}")
            if number > known:
                self.count, self._content = number, state.digest()
                yield values
        if number < known:
            raise DataError(f"{name}: rows are gone that were there before the server was away. {AGAIN}")


def comes_back(address: Address) -> bool:
    """Whether a server that went away answers within the pauses."""
    for pause in PAUSES:
        time.sleep(pause)
        try:
            with connected(address, advice=AGAIN):
                return True
        except StorageError:
            continue
    return False


def read_only(connection: psycopg.Connection) -> None:
    """Nothing can be written, all is seen as it is now, and encoding may take its time between two batches."""
    from psycopg import IsolationLevel

    connection.read_only = True
    connection.isolation_level = IsolationLevel.REPEATABLE_READ
    connection.execute("SET idle_in_transaction_session_timeout = 0")


def rows_in_order(
    connection: psycopg.Connection, options: PostgresOptions, columns: Sequence[str], *, binary: bool = False
) -> Iterator[dict[str, Any]]:
    """Rows by column, in order of document, position and text; memory holds a batch of them.

    binary: as the server has the values, which is much faster for vectors; a numeric is a Decimal then."""
    from psycopg.rows import dict_row
    from psycopg.sql import SQL, Identifier
    from psycopg.types.numeric import FloatLoader

    order = [name for part in ("id", "position", "text") if (name := _column(options, columns, part))]
    query = SQL("SELECT {} FROM {} ORDER BY {}").format(
        SQL(", ").join(map(Identifier, columns)), options.relation, SQL(", ").join(map(Identifier, order))
    )
    connection.adapters.register_loader("numeric", FloatLoader)
    connection.execute("SET LOCAL cursor_tuple_fraction = 1")  # all rows are wanted, not the first ones soon
    with connection.cursor("nextvec", row_factory=dict_row) as cursor:
        cursor.itersize = BATCH_ROWS
        yield from cursor.execute(query, binary=binary)


def _column(options: PostgresOptions, columns: Sequence[str], part: str) -> str | None:
    """Of a table, the one that a part of a document is found in; None for a part within a structure."""
    return next((name for name in options.names(part) if name in columns), None)
