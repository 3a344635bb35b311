from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command, execute_from_command_line
from knox.auth import TokenAuthentication

from curation.images import store_image
from curation.intake import decode_untrusted
from curation.models import AuditEvent, Benchmark, Case, CaseFacts, Membership, User
from curation.protocols import checked_config
from tests.curation.sources import png, record, write_records
from tests.factories import PASSWORD, make_case


def run(*arguments: str, stdin: str = "") -> tuple[int, str]:
    """Exit code and stdout of a command, as a shell sees them."""
    stdout = io.StringIO()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("sys.stdin", io.StringIO(stdin))
        patch.setattr("sys.stdout", stdout)
        patch.setattr("sys.stderr", io.StringIO())
        # A process that ends closes its connections; here the test's transaction goes on.
        patch.setattr("django.core.management.base.connections.close_all", lambda: None)
        try:
            execute_from_command_line(["manage.py", *arguments])
        except SystemExit as end:
            return int(end.code or 0), stdout.getvalue()
    return 0, stdout.getvalue()


def run_json(*arguments: str, stdin: str = "") -> tuple[int, Any]:
    """Exit code and the one document on stdout."""
    code, text = run(*arguments, "--json", stdin=stdin)
    return code, json.loads(text)


class TestImport:
    def test_0_then_3_with_the_report_as_the_only_output(self, benchmark: Benchmark, tmp_path: Path) -> None:
        (tmp_path / "a.png").write_bytes(png(1))
        file = write_records(tmp_path, [record("one", "a.png")])
        assert run_json("import_cases", "thorax", str(file), "--format", "sightline") == (
            0,
            {"created": 1, "updated": 0, "unchanged": 0, "rejected": []},
        )
        write_records(tmp_path, [record("one", "a.png"), record("two", "gone.png")])
        code, report = run_json("import_cases", "thorax", str(file), "--format", "sightline")
        assert (code, report["unchanged"]) == (3, 1)
        (rejected,) = report["rejected"]
        assert set(rejected) == {"index", "id", "field", "reason"}
        assert (rejected["index"], rejected["id"], rejected["field"]) == (1, "two", "images[0].path")

    def test_options(self, benchmark: Benchmark, tmp_path: Path) -> None:
        (tmp_path / "a.png").write_bytes(png(1))
        file = write_records(tmp_path, [record("one", "a.png")])
        assert run("import_cases", "thorax", str(file), "--format", "sightline", "--dry-run")[0] == 0
        assert not Case.objects.exists()
        run("import_cases", "thorax", str(file), "--format", "sightline", "--split", "test")
        write_records(tmp_path, [record("one", "a.png", history="new")])
        assert run("import_cases", "thorax", str(file), "--format", "sightline")[0] == 3
        code, report = run_json("import_cases", "thorax", str(file), "--format", "sightline", "--update")
        assert (code, report["updated"]) == (0, 1)

    @pytest.mark.parametrize(
        ("arguments", "code"),
        [
            (("nowhere", ".", "--format", "images"), 1),
            (("thorax", "/gone", "--format", "images"), 1),
            (("thorax", ".", "--format", "excel"), 2),
            (("thorax", ".", "--format", "images", "--split", "x" * 33), 2),
            (("thorax",), 2),
        ],
    )
    def test_1_failed_and_2_usage(self, benchmark: Benchmark, arguments: tuple[str, ...], code: int) -> None:
        assert run("import_cases", *arguments) == (code, "")


class TestUsers:
    def test_a_user_with_a_role_and_password(self, benchmark: Benchmark) -> None:
        arguments = ("create_user", "rosa", "--role", "reader", "--benchmark", "thorax", "--password-stdin")
        code, told = run_json(*arguments, stdin=PASSWORD + "\n")
        assert (code, told["created"], told["benchmark"]) == (0, True, "thorax")
        user = User.objects.get(username="rosa")
        assert user.check_password(PASSWORD)
        assert user.roles_in(benchmark.pk) == {"reader"}
        assert AuditEvent.objects.filter(action="user.role_given").count() == 1
        assert PASSWORD not in json.dumps(list(AuditEvent.objects.values()), default=str)

    def test_a_second_role_keeps_the_password(self, benchmark: Benchmark) -> None:
        run("create_user", "rosa", "--role", "reader", "--password-stdin", stdin=PASSWORD)
        code, told = run_json("create_user", "rosa", "--role", "curator")
        assert (code, told["created"]) == (0, False)
        user = User.objects.get(username="rosa")
        assert user.check_password(PASSWORD)
        assert set(Membership.objects.filter(benchmark=None).values_list("role", flat=True)) == {"reader", "curator"}

    @pytest.mark.parametrize(
        ("arguments", "stdin", "code"),
        [
            (("rosa", "--role", "boss"), "", 2),
            (("rosa",), "", 2),
            (("rosa", "--role", "reader", "--password-stdin"), "", 2),
            (("rosa", "--role", "reader", "--password-stdin"), "short\n", 1),
            (("ro sa", "--role", "reader"), "", 1),
            (("rosa", "--role", "reader", "--benchmark", "gone"), "", 1),
        ],
    )
    def test_refusals_leave_no_user(self, db: None, arguments: tuple[str, ...], stdin: str, code: int) -> None:
        assert run("create_user", *arguments, stdin=stdin)[0] == code
        assert not User.objects.exists()

    def test_a_token_is_the_only_output_and_works(self, reader: User) -> None:
        code, text = run("token", "rosa")
        token = text.strip()
        assert (code, text) == (0, token + "\n")
        user, _ = TokenAuthentication().authenticate_credentials(token.encode())
        assert user == reader
        assert run("token", "nobody") == (1, "")


class TestBenchmark:
    def test_with_a_config_file(self, db: None, tmp_path: Path) -> None:
        file = tmp_path / "protocol.json"
        file.write_text(json.dumps({"labels": [{"id": "nodule"}], "required": ["answer"], "overlap": 5}))
        code, told = run_json(
            "create_benchmark",
            "lungs",
            "--protocol",
            "free",
            "--config",
            str(file),
            "--title",
            "Lungs",
            "--overlap",
            "2",
        )
        assert (code, told["overlap"]) == (0, 2)
        made = Benchmark.objects.get(slug="lungs")
        expected = checked_config({"labels": [{"id": "nodule"}], "required": ["answer"], "overlap": 2}, kind="free")
        assert (made.title, made.protocol.config) == ("Lungs", expected)

    @pytest.mark.parametrize("kind", ["free", "medthinkvqa", "vgmed", "fetal_gauge", "care", "topic_findings"])
    def test_every_protocol_has_defaults(self, db: None, kind: str) -> None:
        assert run("create_benchmark", "b", "--protocol", kind)[0] == 0
        assert Benchmark.objects.get().protocol.kind == kind

    @pytest.mark.parametrize(
        ("text", "arguments", "code"),
        [
            ('{"labels": 1}', (), 1),
            ("{broken", (), 1),
            ("[]", (), 1),
            ("{}", ("--overlap", "0"), 2),
            ("{}", ("--protocol", "excel"), 2),
        ],
    )
    def test_refusals_leave_none(
        self, db: None, tmp_path: Path, text: str, arguments: tuple[str, ...], code: int
    ) -> None:
        file = tmp_path / "protocol.json"
        file.write_text(text)
        assert run("create_benchmark", "b", "--protocol", "free", "--config", str(file), *arguments) == (code, "")
        assert not Benchmark.objects.exists()

    def test_a_slug_is_taken_once(self, benchmark: Benchmark) -> None:
        assert run("create_benchmark", "thorax", "--protocol", "free")[0] == 1


class TestChecks:
    def test_facts_are_proved_and_mended(self, case: Case) -> None:
        CaseFacts.objects.all().delete()
        code, told = run_json("rebuild_facts", "--check")
        assert (code, len(told["different"]) > 0) == (1, True)
        assert run("rebuild_facts")[0] == 0
        assert run_json("rebuild_facts", "--check") == (0, {"cases": 1, "different": []})
        CaseFacts.objects.update(image_count=9)
        code, told = run_json("rebuild_facts", "--check")
        assert code == 1
        assert told["different"] == [{"case": str(case.pk), "field": "image_count", "stored": 9, "computed": 1}]

    def test_storage_is_proved(self, db: None, media: Path) -> None:
        asset = store_image(decode_untrusted(png(1), name="a.png"))
        assert run_json("verify_storage") == (0, {"images": 1, "faults": []})
        (media / asset.storage_name).write_bytes(b"x")
        code, told = run_json("verify_storage")
        assert (code, [fault["name"] for fault in told["faults"]]) == (1, [asset.storage_name])


def test_errors_carry_their_exit_code(db: None) -> None:
    with pytest.raises(CommandError) as raised:
        call_command("token", "nobody")
    assert raised.value.returncode == 1


def test_facts_of_a_case_nobody_read(case: Case) -> None:
    make_case(case.benchmark, "case2", images=3)
    run("rebuild_facts")
    assert list(CaseFacts.objects.order_by("case__position").values_list("image_count", "readings_submitted")) == [
        (1, 0),
        (3, 0),
    ]


class TestFailures:
    @pytest.mark.parametrize(
        ("arguments", "code", "said"),
        [
            (("freeze", "nowhere", "--name", "first"), 1, "no benchmark 'nowhere'"),
            (("create_benchmark", "fresh", "--protocol", "free", "--overlap", "0"), 2, "--overlap 0"),
            (("create_user", "a\udcff", "--role", "reader"), 2, "a\\udcff"),
            (("register_model", "m", "--family", "planted", "--set", "gain"), 2, "--set takes key=value"),
        ],
    )
    def test_with_json_a_failure_is_one_document_too(
        self, db: None, arguments: tuple[str, ...], code: int, said: str
    ) -> None:
        ended, told = run_json(*arguments)
        assert (ended, list(told)) == (code, ["error"])
        assert said in told["error"]

    def test_a_path_that_no_file_can_have_rejects_its_row_alone(self, benchmark: Benchmark, tmp_path: Path) -> None:
        (tmp_path / "a.png").write_bytes(png(1))
        file = tmp_path / "records.jsonl"
        rows = [record("lone", {"path": "\ud800.png"}), record("good", "a.png")]
        file.write_text("\n".join(json.dumps(row) for row in rows))
        code, report = run_json("import_cases", "thorax", str(file), "--format", "sightline")
        assert (code, report["created"]) == (3, 1)
        assert [(row["id"], row["field"]) for row in report["rejected"]] == [("lone", "images[0].path")]


def test_no_option_hides_one_that_manage_py_reads_itself(db: None) -> None:
    code, told = run_json("register_model", "control", "--family", "planted", "--set", "gain=2", "--set", "p=0.5")
    assert (code, told["is_new"], told["family"]) == (0, True, "planted")
