"""`postgresql://HOST/DATABASE?table=TABLE`, rows of PostgreSQL: a document, or one piece of one, in each."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from nextvec.corpus.document import Document, Unusable
from nextvec.corpus.sources import options_of, register_source
from nextvec.corpus.sources.rows import ROWS_LEAVE, Columns, Row, documents_from_rows
from nextvec.errors import UsageError
from nextvec.postgres import Address, columns_of, connected, find_address, identifier, require_table, split_uri

if TYPE_CHECKING:
    import psycopg
    from psycopg.sql import Composed, Identifier

BATCH_ROWS = 256
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
    a cursor of the server in one read-only transaction that sees a single state of the table. Any other option is one
    of libpq's connection (`host`, `sslmode`, ...).

    Raises MissingDependencyError, UsageError for a URI or an option that is none; `documents` raises StorageError when
    the server does not answer, refuses or goes away, NotFoundError for an unknown table, UsageError for a column.
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
        with connected(self._address, advice=AGAIN) as server:
            read_only(server)
            if self._options.table:
                require_table(server, self._options.table, self._address)
            columns = self._options.present(columns_of(server, self._options.relation))
            self._require_id(columns)
            for number, values in enumerate(rows_in_order(server, self._options, columns), start=1):
                yield Row(f"{self._name}:{number}", values)

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
