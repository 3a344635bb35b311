"""Families by name, weights only from where they may be, and no torch in the web process."""

import os
import subprocess
import sys

import pytest

from inference.registry import FAMILIES, check_source, load_adapter


def test_an_unknown_family_is_refused_with_the_known_ones():
    with pytest.raises(ValueError, match="'gpt'; known are demo, llava, planted"):
        load_adapter("gpt", "", "", {})


def test_an_adapter_is_loaded_once_for_each_set_of_arguments():
    first = load_adapter("planted", "", "", {"gain": "4", "p": "0.5"})
    assert load_adapter("planted", "", "", {"p": "0.5", "gain": "4"}) is first
    assert load_adapter("planted", "", "", {"gain": "4"}) is not first


def test_a_failed_load_is_tried_again():
    for _ in range(2):
        with pytest.raises(ValueError, match="gain=x"):
            load_adapter("planted", "", "", {"gain": "x"})


@pytest.mark.parametrize("name", sorted(FAMILIES))
def test_every_family_is_a_dotted_path_of_ours(name):
    assert FAMILIES[name].startswith("inference.adapters.")


def test_weights_are_read_below_an_allowed_root_only(tmp_path):
    root, outside = tmp_path / "models", tmp_path / "outside"
    (root / "good").mkdir(parents=True)
    outside.mkdir()
    assert check_source("good", [root]) == (root / "good").resolve()
    assert check_source(str(root / "good"), [outside, root]) == (root / "good").resolve()
    for refused in (str(outside), "../outside", "good/../../outside", "/"):
        with pytest.raises(ValueError, match="outside"):
            check_source(refused, [root])


def test_a_link_out_of_the_root_leads_nowhere(tmp_path):
    root, outside = tmp_path / "models", tmp_path / "outside"
    root.mkdir()
    outside.mkdir()
    (root / "link").symlink_to(outside, target_is_directory=True)
    (root / "inside").mkdir()
    (root / "alias").symlink_to(root / "inside", target_is_directory=True)
    with pytest.raises(ValueError, match="link lies outside"):
        check_source("link", [root])
    assert check_source("alias", [root]) == (root / "inside").resolve()


def test_a_root_that_is_a_link_is_followed(tmp_path):
    (tmp_path / "real" / "m").mkdir(parents=True)
    (tmp_path / "root").symlink_to(tmp_path / "real", target_is_directory=True)
    assert check_source("m", [tmp_path / "root"]) == (tmp_path / "real" / "m").resolve()


@pytest.mark.parametrize("source", ["", "a\0b"])
def test_a_source_that_is_no_path_is_refused(tmp_path, source):
    with pytest.raises(ValueError, match="needs the folder"):
        check_source(source, [tmp_path])


def test_a_hub_name_or_a_file_is_no_folder(tmp_path):
    (tmp_path / "file").write_text("x")
    for source in ("llava-hf/llava-1.5-7b-hf", "file"):
        with pytest.raises(ValueError, match="no folder"):
            check_source(source, [tmp_path])


def test_no_root_allows_nothing(tmp_path):
    with pytest.raises(ValueError, match="any allowed folder"):
        load_adapter("llava", str(tmp_path), "", {})


def test_the_web_process_loads_no_torch():
    program = (
        "import sys\n"
        "import inference.registry, inference.prompts, inference.adapters.base, inference.adapters.planted\n"
        "import inference.metrics.catalogue, inference.metrics.nulls, inference.metrics.answers\n"
        "inference.registry.load_adapter('planted', '', '', {})\n"
        "heavy = {'torch', 'transformers', 'django', 'celery', 'sklearn', 'scipy'} & set(sys.modules)\n"
        "sys.exit(f'loaded {sorted(heavy)}' if heavy else 0)\n"
    )
    environment = {key: value for key, value in os.environ.items() if not key.startswith("COV")}
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False, env=environment)
    assert done.returncode == 0, done.stderr
