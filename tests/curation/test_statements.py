"""Statements sent as they stand: on Django's connection, prepared by PostgreSQL, counted like every other."""

from __future__ import annotations

import pytest
from django.db import IntegrityError, NotSupportedError, connection, transaction
from django.test.utils import CaptureQueriesContext
from psycopg.types.json import Jsonb

from curation.models import Benchmark, Case, Event, Protocol
from curation.statements import Columns, Statement
from tests.factories import make_benchmark

TITLE = Statement("SELECT title FROM curation_benchmark WHERE slug = %(slug)s")
RENAME = Statement("UPDATE curation_benchmark SET title = %(title)s WHERE slug = %(slug)s")


def prepared(part: str) -> int:
    """How many prepared statements of this connection hold these words."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM pg_prepared_statements WHERE statement LIKE %s", [f"%{part}%"])
        (count,) = cursor.fetchone()
        return int(count)


def test_rows_and_how_many_were_written(benchmark: Benchmark) -> None:
    assert TITLE.rows(slug="thorax") == [("Thorax",)]
    assert TITLE.row(slug="nothing") is None
    assert RENAME.run(slug="thorax", title="Chest") == 1
    assert RENAME.run(slug="nothing", title="Chest") == 0
    assert TITLE.row(slug="thorax") == ("Chest",)


def test_postgresql_prepares_what_is_sent_again(benchmark: Benchmark) -> None:
    for _ in range(4):
        TITLE.row(slug="thorax")
    assert prepared("SELECT title FROM curation_benchmark WHERE slug") == 1
    for _ in range(4):
        list(Benchmark.objects.filter(slug="thorax").values_list("title"))
    assert prepared('"curation_benchmark"."title"') == 0, "querysets are sent as Django binds them"


def test_values_are_values_whatever_they_hold(benchmark: Benchmark) -> None:
    hostile = "'; DROP TABLE curation_benchmark; -- %(slug)s %s"
    RENAME.run(slug="thorax", title=hostile)
    assert TITLE.row(slug="thorax") == (hostile,)


def test_it_is_counted_and_takes_part_in_the_transaction(benchmark: Benchmark) -> None:
    with CaptureQueriesContext(connection) as said, transaction.atomic():
        RENAME.run(slug="thorax", title="gone again")
        transaction.set_rollback(True)
    assert sum("UPDATE curation_benchmark" in query["sql"] for query in said.captured_queries) == 1
    assert TITLE.row(slug="thorax") == ("Thorax",)


def test_its_errors_are_djangos(benchmark: Benchmark) -> None:
    make_benchmark("abdomen")
    with pytest.raises(IntegrityError), transaction.atomic():
        Statement("UPDATE curation_benchmark SET slug = %(slug)s").run(slug="same")


def test_a_row_makes_its_object(benchmark: Benchmark, case: Case) -> None:
    for model, table, stored in ((Case, "curation_case", case), (Protocol, "curation_protocol", benchmark.protocol)):
        columns: Columns[Case | Protocol] = Columns(model, "x")
        values = Statement(f"SELECT {columns.sql} FROM {table} x WHERE id = %(id)s").row(id=stored.pk)
        assert values is not None
        made = columns.made(values)
        stored.refresh_from_db()
        assert made == stored
        assert not made._state.adding
        for field in model._meta.concrete_fields:
            assert getattr(made, field.attname) == getattr(stored, field.attname), field.attname


def test_json_that_is_null_is_none(benchmark: Benchmark) -> None:
    Event.objects.create(type="x", benchmark_id=benchmark.pk, least_role="reader", payload={"a": [1, None]})
    columns = Columns(Event, "e")
    (values,) = Statement(f"SELECT {columns.sql} FROM curation_event e").rows()
    assert columns.made(values).payload == {"a": [1, None]}
    assert Statement("SELECT %(given)s::jsonb").row(given=Jsonb({"a": "ü"})) == ('{"a": "ü"}',)
    assert columns.made([None if value == '{"a": [1, null]}' else value for value in values]).payload is None


def test_of_a_few_columns_the_others_are_asked_for_when_looked_at(case: Case) -> None:
    columns = Columns(Case, "c", only=("id", "key"))
    values = Statement(f"SELECT {columns.sql} FROM curation_case c").row()
    assert values is not None
    made = columns.made(values)
    with CaptureQueriesContext(connection) as said:
        assert made.key == case.key
        assert len(said) == 0
        assert made.question == case.question
        assert len(said) == 1


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("is_atomic", [False, True])
def test_a_column_whose_type_changed_is_read_again(is_atomic: bool) -> None:
    words = Statement("SELECT word FROM changing WHERE word = %(word)s")
    with connection.cursor() as cursor:
        cursor.execute("CREATE TEMPORARY TABLE changing AS SELECT 'seen'::varchar(5) AS word")
        for _ in range(3):
            assert words.row(word="seen") == ("seen",)
        assert prepared("FROM changing WHERE word =") == 1
        # Not as a statement of its own, after which the driver forgets by itself what this connection prepared: as if
        # another one had migrated.
        cursor.execute("DO $$ BEGIN ALTER TABLE changing ALTER COLUMN word TYPE varchar(9); END $$")
        if is_atomic:
            with pytest.raises(NotSupportedError), transaction.atomic():
                words.row(word="seen")
        for _ in range(3):
            assert words.row(word="seen") == ("seen",)
        assert prepared("FROM changing WHERE word =") == 1
        cursor.execute("DROP TABLE changing")
