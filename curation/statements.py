"""Statements of requests that must cost next to nothing: SQL as it stands, prepared once for each connection.

A queryset is built, compiled and bound anew at every call, and PostgreSQL parses and plans what arrives each time: of a
small query that is nine tenths of the cost. Only what every reader's every case takes (next, save, submit, the caller's
token and benchmark) and the rows of lists of cases are written this way; everything else is a queryset.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Generic, TypeVar

import psycopg
from django.db import NotSupportedError, connection, models

if TYPE_CHECKING:
    from collections.abc import Sequence

    from django.db.backends.utils import CursorWrapper

M = TypeVar("M", bound=models.Model)


class Columns(Generic[M]):
    """The columns of a model in a statement, and the object that a row of them makes.

    Named one by one, never as `*`: a column that a migration adds must not change what a prepared statement answers.
    """

    def __init__(self, model: type[M], alias: str, only: Sequence[str] = ()) -> None:
        """`only`: names of a few columns; the object asks the database for the others when they are looked at."""
        self.model = model
        fields = [field for field in model._meta.concrete_fields if not only or field.attname in only]
        self.names = tuple(field.attname for field in fields)
        self.sql = ", ".join(f'{alias}."{field.column}"' for field in fields)
        self.json = tuple(place for place, field in enumerate(fields) if isinstance(field, models.JSONField))

    def __len__(self) -> int:
        return len(self.names)

    def made(self, values: Sequence[Any]) -> M:
        """The object of a stored row, from the values of its columns."""
        row = list(values)
        for place in self.json:
            # Django's connections hand JSON on as text.
            row[place] = None if row[place] is None else json.loads(row[place])
        return self.model.from_db(connection.alias, self.names, row)


class Statement:
    """One SQL statement with values by name, `%(name)s`, that travel apart from it.

    Runs on Django's connection, in its transaction, and is counted and logged like every other statement.
    """

    def __init__(self, sql: str) -> None:
        self.sql = sql

    def rows(self, **given: Any) -> list[tuple[Any, ...]]:
        """Every row of the answer."""
        with self._cursor() as cursor:
            self._send(cursor, given)
            found: list[tuple[Any, ...]] = cursor.fetchall()
            return found

    def row(self, **given: Any) -> tuple[Any, ...] | None:
        """The first row of the answer, if there is one."""
        with self._cursor() as cursor:
            self._send(cursor, given)
            found: tuple[Any, ...] | None = cursor.fetchone()
            return found

    def run(self, **given: Any) -> int:
        """How many rows it wrote."""
        with self._cursor() as cursor:
            self._send(cursor, given)
            return int(cursor.rowcount)

    def _send(self, cursor: CursorWrapper, given: dict[str, Any]) -> None:
        try:
            cursor.execute(self.sql, given)
        except NotSupportedError:
            # A migration changed a column's type since this connection prepared the statement, and PostgreSQL refuses
            # it from then on. A transaction is lost, but its rollback forgets what was prepared.
            if connection.in_atomic_block:
                raise
            cursor.execute("DEALLOCATE ALL")
            cursor.execute(self.sql, given)

    def _cursor(self) -> CursorWrapper:
        connection.ensure_connection()
        with connection.wrap_database_errors:
            bare: Any = psycopg.Cursor(connection.connection)
        return connection.make_debug_cursor(bare) if connection.queries_logged else connection.make_cursor(bare)
