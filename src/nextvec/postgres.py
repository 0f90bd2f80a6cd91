"""PostgreSQL by URI: where a data base is, connections to it, and errors that repeat no password.

Credentials are the business of libpq: they come from the URI, the environment (PGPASSWORD, PGSERVICE) or ~/.pgpass.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from nextvec.errors import DataError, MissingDependencyError, NotFoundError, StorageError, UsageError
from nextvec.storage import without_secrets

if TYPE_CHECKING:
    import psycopg
    from psycopg.sql import Composed, Identifier

SCHEMES = ("postgresql", "postgres")
EXAMPLE = "postgresql://HOST/DATABASE?table=TABLE"
_TABLES_SHOWN = 8
_TABLES = (
    "SELECT CASE table_schema WHEN 'public' THEN '' ELSE table_schema || '.' END || table_name "
    "FROM information_schema.tables WHERE table_schema NOT IN ('information_schema', 'pg_catalog') ORDER BY 1"
)


@dataclass(frozen=True, slots=True)
class Address:
    """Of a data base. `shown`, and so str(), has neither user nor password."""

    conninfo: str = field(repr=False)
    shown: str

    def __str__(self) -> str:
        return self.shown

    @property
    def password(self) -> str:
        """Of the URI; nothing where it holds none."""
        from psycopg.conninfo import conninfo_to_dict

        return str(conninfo_to_dict(self.conninfo).get("password") or "")


def is_database(reference: str) -> bool:
    """Whether it is the URI of a data base, and no file's path."""
    return reference.startswith(tuple(f"{scheme}:" for scheme in SCHEMES))


def split_uri(uri: str) -> tuple[str, str, str]:
    """Scheme, what is between its colon and a question mark, and what follows that."""
    body, _, query = uri.partition("?")
    scheme, _, argument = body.partition(":")
    return scheme, argument, query


def find_address(argument: str, options: Mapping[str, Any]) -> tuple[Address, dict[str, Any]]:
    """The data base at `//user@host:5432/name`, and those of the options that say nothing of the connection.

    Raises MissingDependencyError without psycopg, UsageError for what is no URI.
    """
    psycopg = _library()
    from psycopg.conninfo import conninfo_to_dict, make_conninfo

    require_encoded(f"postgresql:{argument}")
    keywords = {option.keyword.decode() for option in psycopg.pq.Conninfo.get_defaults()}
    own = {key: value for key, value in options.items() if key in keywords}
    try:
        parts = {**conninfo_to_dict(f"postgresql:{argument}"), **own}
        conninfo = make_conninfo(**parts)
    except psycopg.ProgrammingError:
        raise _malformed(f"postgresql:{argument}") from None
    port = f":{parts['port']}" if "port" in parts else ""
    shown = f"postgresql://{parts.get('host', '')}{port}/{parts.get('dbname', '')}"
    return Address(conninfo, shown), {key: value for key, value in options.items() if key not in own}


def require_encoded(uri: str) -> None:
    """Raises UsageError for a password that ends too early, and would be taken for a host or an option in part."""
    _, argument, query = split_uri(uri)
    user, _, place = argument.removeprefix("//").partition("@")
    if "@" in place + query.partition("=")[0] or (place and "/" in user):
        raise _malformed(uri)


def _malformed(uri: str) -> UsageError:
    return UsageError(f"{without_secrets(uri)}: expected {EXAMPLE}, %-encoded: in a password %40 for @, %2F for /")


@contextmanager
def connected(address: Address, *, advice: str) -> Iterator[psycopg.Connection]:
    """A connection, closed at the end; what is not committed by then is rolled back after an error.

    Raises StorageError, which ends with `advice`, when the server does not answer or goes away, DataError for all else
    that it says.
    """
    psycopg = _library()
    try:
        with _connection(address) as connection:
            yield connection
    except psycopg.OperationalError as error:
        raise StorageError(f"{address}: {_said(error, address)}. {advice}") from None
    except psycopg.Error as error:
        raise DataError(f"{address}: {_said(error, address)}") from None


def _connection(address: Address) -> psycopg.Connection:
    psycopg = _library()
    try:
        return psycopg.connect(address.conninfo, application_name="nextvec")
    except psycopg.Error as error:
        raise StorageError(f"cannot connect to {address}: {_said(error, address)}") from None


def _said(error: Exception, address: Address) -> str:
    """On one line, and without the password, wherever a server may repeat it."""
    text = " ".join(str(error).split()) or type(error).__name__
    return text.replace(address.password, "***") if address.password else text


def identifier(table: str) -> Identifier:
    """`table` or `schema.table`, quoted."""
    from psycopg.sql import Identifier

    return Identifier(*table.split("."))


def columns_of(connection: psycopg.Connection, relation: Identifier | Composed) -> list[str]:
    """Names of the columns of a table, or of a query in brackets with a name."""
    from psycopg.sql import SQL

    cursor = connection.execute(SQL("SELECT * FROM {} LIMIT 0").format(relation))
    return [column.name for column in cursor.description or ()]


def require_table(connection: psycopg.Connection, table: str, address: Address) -> None:
    """Raises NotFoundError that says which tables there are."""
    if not has_table(connection, table):
        known = [str(name) for (name,) in connection.execute(_TABLES)]
        shown = ", ".join(known[:_TABLES_SHOWN]) + (", ..." if len(known) > _TABLES_SHOWN else "")
        raise NotFoundError(f"{address} has no table '{table}'. It has: {shown or 'none'}.")


def has_table(connection: psycopg.Connection, table: str) -> bool:
    """Also for a view."""
    found = connection.execute("SELECT to_regclass(%s)", [identifier(table).as_string(connection)]).fetchone()
    return found is not None and found[0] is not None


def _library() -> Any:
    try:
        import psycopg
    except ImportError:
        raise MissingDependencyError.for_extra("psycopg", "postgres") from None
    return psycopg
