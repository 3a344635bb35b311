"""The demo: what it loads, that it loads once, and that what its cases say is what their pictures show."""

from __future__ import annotations

import json
import stat
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from config.demo import fetal, grounding, thinking
from config.demo.benchmarks import PHANTOMS, DemoRefused, PhantomBenchmark, add_phantoms
from config.demo.models import DEMO, PLANTED, TAUGHT_LAYER, add_phantom_models
from config.demo.pictures import LABEL, SEED, SPLITS
from curation.formats.sources import NOTES
from curation.geometry import rasterize
from curation.models import AuditEvent, Benchmark, Case, Gold, ImageAsset, Membership, User
from curation.phantoms.ellipses import circumference_mm
from curation.phantoms.fetal_questions import ANSWERS, Task
from curation.phantoms.organs import KINDS, make_organ, make_organ_case
from inference.adapters.demo.architecture import SUPERVISED_LAYER
from inference.currency import headline_layer
from inference.enrolling import register_model
from inference.models import Enrolment, ModelVersion
from inference.targets import other_findings
from tests.curation.test_commands import run, run_json
from tests.factories import PASSWORD, make_benchmark

Rows = list[dict[str, Any]]


@pytest.fixture
def var(tmp_path: Path, settings: Any) -> Path:
    """A var folder of the test's own."""
    settings.VAR = type(settings.VAR)(tmp_path / "var")
    return tmp_path / "var"


@pytest.fixture
def without_torch(monkeypatch: pytest.MonkeyPatch) -> None:
    """Models that need torch have tests of their own."""
    monkeypatch.setattr("config.demo.models._tiny", lambda folder: None)
    monkeypatch.setattr("config.demo.models._demo", lambda name: None)


@pytest.fixture
def only_real_images(monkeypatch: pytest.MonkeyPatch) -> None:
    """For what does not concern the phantoms."""
    monkeypatch.setattr("config.management.commands.load_demo.PHANTOMS", ())


@pytest.fixture
def one_phantom(monkeypatch: pytest.MonkeyPatch) -> PhantomBenchmark:
    """The quickest of the phantom benchmarks instead of all."""
    monkeypatch.setattr("config.management.commands.load_demo.PHANTOMS", PHANTOMS[:1])
    return PHANTOMS[0]


def rows_of(write: Any, folder: Path) -> Rows:
    """Every row of both splits, with the folder that it lies in."""
    found: Rows = []
    for split in SPLITS:
        (folder / split).mkdir()
        write(folder / split, split)
        for file in sorted((folder / split).glob("*.jsonl")):
            lines = file.read_text(encoding="utf-8").splitlines()
            found += [{**json.loads(line), "_folder": folder / split, "_file": file.name} for line in lines]
    return found


def pixels(row: dict[str, Any], column: str = "image") -> np.ndarray:
    with Image.open(row["_folder"] / row[column]) as image:
        return np.asarray(image)


@pytest.mark.django_db
@pytest.mark.usefixtures("without_torch")
class TestLoading:
    def test_it_loads_and_a_second_run_changes_nothing(self, var: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        code, first = run_json("load_demo")
        assert (code, first["benchmark"], first["cases"], first["models"]) == (0, "demo", 6, [PLANTED])
        loaded = [(one["benchmark"], one["cases"], one["models"]) for one in first["phantoms"]]
        assert loaded == [(made.slug, made.cases, []) for made in PHANTOMS]
        assert all(benchmark.is_demo for benchmark in Benchmark.objects.all())
        assert Case.objects.count() == 6 + sum(made.cases for made in PHANTOMS)
        assert not Case.objects.exclude(attribution__icontains="not clinically validated").exists()
        before = AuditEvent.objects.count()
        monkeypatch.setattr("curation.import_images.decode_untrusted", None)
        monkeypatch.setattr("config.demo.benchmarks.import_cases", None)
        assert run_json("load_demo") == (0, first)
        assert AuditEvent.objects.count() == before

    def test_its_users_have_random_passwords_and_a_role_everywhere(
        self, var: Path, one_phantom: PhantomBenchmark
    ) -> None:
        _, told = run_json("load_demo")
        file = var / "demo_logins.json"
        assert stat.S_IMODE(file.stat().st_mode) == 0o600
        assert json.loads(file.read_text()) == told["logins"]
        for name, word in told["logins"].items():
            user = User.objects.get(username=name)
            assert user.check_password(word)
            roles = dict(Membership.objects.filter(user=user).values_list("benchmark__slug", "role"))
            assert roles.keys() == {"demo", one_phantom.slug}
            assert set(roles.values()) == {name.split("_")[1]}
        assert User.objects.get(username="demo_admin").is_superuser

    def test_a_role_that_was_taken_away_stays_away(self, var: Path, only_real_images: None) -> None:
        run("load_demo")
        Membership.objects.filter(user__username="demo_reader").delete()
        run("load_demo")
        assert not Membership.objects.filter(user__username="demo_reader").exists()

    def test_what_its_real_images_say_stands_in_the_headers(self, var: Path, only_real_images: None) -> None:
        run("load_demo")

        def images(key: str) -> list[Any]:
            return [row.asset for row in Case.objects.get(key=key).images.select_related("asset")]

        assert [asset.frames > 1 for asset in images("demo-moving")] == [False, True, False]
        assert [asset.acquisition.get("BodyPartExamined") == "HEAD" for asset in images("demo-head")] == [0, 0, 1]
        sizes = [(asset.width, asset.height) for asset in images("demo-same-picture")]
        assert sizes == [(640, 480), (320, 240), (320, 240)]

    def test_somebodys_own_user_and_benchmark_are_left_alone(self, var: Path, only_real_images: None) -> None:
        own = User.objects.create_user("demo_admin", password=PASSWORD)
        code, told = run_json("load_demo")
        assert (code, told["logins"]["demo_admin"]) == (0, None)
        own.refresh_from_db()
        assert own.check_password(PASSWORD)
        assert not own.is_superuser
        Benchmark.objects.filter(slug="demo").update(is_demo=False)
        assert run("load_demo") == (1, "")


@pytest.mark.django_db
def test_somebodys_own_benchmark_of_a_phantoms_name_is_left_alone() -> None:
    make_benchmark(PHANTOMS[1].slug)
    with pytest.raises(DemoRefused, match="a benchmark 'phantom-thinking' that is not the demo's; it was left alone"):
        add_phantoms(PHANTOMS[1])
    assert not Case.objects.exists()


@pytest.mark.django_db
def test_three_models_of_one_family_read_the_phantoms_live(
    var: Path, one_phantom: PhantomBenchmark, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = []

    def registered(*, name: str, family: str, settings: dict[str, str]) -> tuple[ModelVersion, bool]:
        asked.append((name, family, settings["weights"], settings["headline_layer"]))
        return register_model(name=name, family="planted")

    monkeypatch.setattr("config.demo.models._tiny", lambda folder: None)
    monkeypatch.setattr("config.demo.models.register_model", registered)
    register_model(name=PLANTED, family="planted")
    _, told = run_json("load_demo")
    assert asked == [(name, "demo", weights, "2") for name, weights in DEMO.items()]
    assert [one["models"] for one in told["phantoms"]] == [list(DEMO)]
    enrolled = Enrolment.objects.filter(is_live=True).values_list("benchmark__slug", "model__name")
    assert set(enrolled) == {("demo", PLANTED), *((one_phantom.slug, name) for name in DEMO)}
    assert run_json("load_demo") == (0, told)
    assert len(asked) == len(DEMO)


@pytest.mark.django_db
def test_the_layer_that_speaks_for_the_models_is_the_one_they_were_taught() -> None:
    assert add_phantom_models(make_benchmark()) == list(DEMO)
    models = ModelVersion.objects.in_bulk(DEMO, field_name="name")
    assert {headline_layer(model) for model in models.values()} == {TAUGHT_LAYER} == {SUPERVISED_LAYER}
    assert {name: model.is_trained for name, model in models.items()} == {
        "demo-trained": True,
        "demo-random": False,
        "demo-share": True,
    }
    assert len({model.weights_digest for model in models.values()}) == len(DEMO)


@pytest.mark.django_db
@pytest.mark.parametrize("made", PHANTOMS, ids=lambda made: made.slug)
def test_each_goes_in_through_its_importer_without_a_warning(made: PhantomBenchmark) -> None:
    benchmark = add_phantoms(made)
    cases = list(benchmark.cases.prefetch_related("images"))
    assert benchmark.protocol.kind == made.kind
    assert "not clinically validated" in benchmark.description
    assert Counter(case.split for case in cases) == dict.fromkeys(SPLITS, made.cases // 2)
    assert not any(case.extra.get(NOTES, {}).get("warnings") for case in cases)
    assert {(case.licence, case.attribution) for case in cases} == {("CC0-1.0", LABEL)}
    assert all(case.question for case in cases)
    # A picture belongs to one split.
    shown = {
        split: {image.asset_id for case in cases if case.split == split for image in case.images.all()}
        for split in SPLITS
    }
    assert not shown["dev"] & shown["test"]
    assert sum(map(len, shown.values())) == ImageAsset.objects.count()


class TestGrounding:
    @pytest.fixture
    def rows(self, tmp_path: Path) -> Rows:
        return rows_of(grounding.write, tmp_path)

    def test_every_box_holds_the_lesion_that_the_question_names(self, rows: Rows) -> None:
        assert len(rows) == grounding.CASES
        for row in rows:
            organ = make_organ(SEED, int(row["image"][-8:-4]))
            lesion = organ.lesion(row["label"])
            assert lesion is not None
            assert row["bbox"] == [list(lesion.box)]
            assert row["label"] in row["question"]
            assert (pixels(row) == organ.image).all()
            assert not {"answer", "options", "gold"} & row.keys()

    def test_lesions_of_one_picture_take_turns(self, rows: Rows) -> None:
        by_picture: dict[str, list[str]] = {}
        for row in rows:
            by_picture.setdefault(row["image"], []).append(row["label"])
        assert len(by_picture) == 2 * grounding.PICTURES
        for picture, labels in by_picture.items():
            lesions = len(make_organ(SEED, int(picture[-8:-4])).lesions)
            assert len(set(labels)) == min(lesions, len(labels)) >= 2

    @pytest.mark.django_db
    def test_what_is_asked_of_one_lesion_is_the_null_of_another(self) -> None:
        benchmark = add_phantoms(PHANTOMS[0])
        for case in benchmark.cases.all()[:6]:
            gold = Gold.objects.get(case=case)
            assert gold.answer is None
            own = gold.rois.get().geometry
            others = [region.geometry for regions in other_findings(case)[1, 0] for region in regions]
            assert others
            assert any(other != own for other in others)


class TestThinking:
    @pytest.fixture
    def rows(self, tmp_path: Path) -> Rows:
        return rows_of(thinking.write, tmp_path)

    def test_one_option_is_true_of_the_pictures_and_four_are_not(self, rows: Rows) -> None:
        assert len(rows) == thinking.CASES
        for number, row in enumerate(rows):
            organs = make_organ_case(SEED, number, images=row["image_count"])
            there = {
                " ".join(filter(None, ("A", lesion.size, lesion.edge, lesion.kind)))
                for organ in organs
                for lesion in organ.lesions
            }
            assert len(set(row["options"].values())) == 5
            assert [letter for letter, text in row["options"].items() if text in there] == [row["correct_answer"]]
            assert row["options"][row["correct_answer"]] == row["correct_answer_text"]
            captions = [row[f"image_{at:02}_caption"] for at in range(1, len(organs) + 1)]
            assert all(any(text in caption for caption in captions) for text in there)
            assert all(caption in row["IMAGING_FINDINGS"] for caption in captions)
            for at, organ in enumerate(organs, 1):
                assert (pixels(row, f"image_{at:02}_path") == organ.image).all()

    def test_what_is_shown_gives_nothing_away(self, rows: Rows) -> None:
        for row in rows:
            for text in row["options"].values():
                assert text.lower() not in row["CLINICAL_HISTORY"].lower()

    def test_no_kind_is_a_good_guess(self) -> None:
        right: Counter[str] = Counter()
        wrong: Counter[str] = Counter()
        for number in range(400):
            organs = make_organ_case(SEED, number, images=2 + number % 3)
            options, answer = thinking._options(organs, np.random.default_rng(number))
            for letter, text in options.items():
                (right if letter == answer else wrong)[text.split()[-1]] += 1
        for kind in KINDS:
            assert abs(right[kind] / right.total() - wrong[kind] / wrong.total()) < 0.1

    def test_no_letter_is_a_good_guess(self, rows: Rows) -> None:
        letters = Counter(row["correct_answer"] for row in rows)
        assert letters.keys() == set(thinking.LETTERS)
        assert max(letters.values()) <= 0.4 * len(rows)


class TestFetal:
    @pytest.fixture
    def rows(self, tmp_path: Path) -> Rows:
        return rows_of(fetal.write, tmp_path)

    def test_all_five_tasks_are_asked_with_balanced_answers(self, rows: Rows) -> None:
        assert Counter(row["task"] for row in rows) == dict.fromkeys(Task, 2 * fetal.ITEMS)
        for task in Task:
            answers = Counter(row["answer_text"] for row in rows if row["task"] == task)
            assert answers.keys() == set(ANSWERS[task])
            assert max(answers.values()) - min(answers.values()) <= 1

    def test_a_box_holds_what_decides_the_question(self, rows: Rows) -> None:
        for row in rows:
            if row["box_xyxy"] is None:
                assert row["answer_text"] in ("other", "normal")
                assert row["evidence"] == []
                continue
            size = (row["image_height"], row["image_width"])
            box = rasterize("box", dict(zip(("x0", "y0", "x1", "y1"), row["box_xyxy"], strict=True)), size)
            for structure in row["evidence"]:
                assert not (rasterize("ellipse", structure["ellipse"], size) & ~box).any()

    def test_only_the_copy_has_the_red_box(self, rows: Rows) -> None:
        for row in rows:
            clean = pixels(row, "image_clean")
            assert clean.shape == (row["image_height"], row["image_width"])
            if row["task"] == Task.GROUNDING:
                red = (pixels(row) == (255, 32, 32)).all(axis=2)
                assert red.any()
                assert (pixels(row)[~red] == np.repeat(clean[:, :, None], 3, axis=2)[~red]).all()
            else:
                assert row["image"] == row["image_clean"]

    def test_a_head_carries_its_circumference_in_millimetres(self, rows: Rows) -> None:
        heads = [row for row in rows if row["head_circumference_mm"] is not None]
        assert heads
        measured = [row for row in heads if row["evidence"] and row["evidence"][0]["name"] == "skull"]
        assert measured
        for row in measured:
            spacing = (row["row_mm"], row["column_mm"])
            assert circumference_mm(row["evidence"][0]["ellipse"], spacing) == row["head_circumference_mm"]
