"""Rendered values worked out by hand from the standard's formulas."""

import io
import math

import numpy as np
import pytest
from PIL import Image

from curation.formats.decoded import VoiLut, Window
from curation.rendering import (
    RENDERING_VERSION,
    choose_frames,
    content_address,
    default_window,
    describe_rendering,
    render_frame,
    thumbnail_png,
    with_box,
)


def grey(samples: list[int], window: Window | None, **options: object) -> object:
    array = np.array([samples], dtype=np.int16)
    arguments = {"photometric": "MONOCHROME2", "window": window, **options}
    return render_frame(array, **arguments)[0, :, 0].tolist()  # type: ignore[arg-type]


def test_linear_window() -> None:
    # PS3.3 C.11.2.1.2.1, note 2: c=2048, w=4096 is ((x - 2047.5) / 4095 + 0.5) * 255
    expected = [math.floor(((x - 2047.5) / 4095 + 0.5) * 255 + 0.5) for x in (0, 1000, 2048, 4095)]
    assert grey([-5, 0, 1000, 2048, 4095, 5000], Window(2048, 4096)) == [0, *expected, 255]


def test_a_linear_window_of_width_one_is_a_threshold() -> None:
    assert grey([99, 100, 101], Window(100, 1)) == [0, 255, 255]


def test_linear_exact_and_sigmoid() -> None:
    assert grey([0, 50, 100], Window(50, 100, function="LINEAR_EXACT")) == [0, 128, 255]
    expected = [math.floor(255 / (1 + math.exp(-4 * (x - 50) / 100)) + 0.5) for x in (0, 50, 100)]
    assert grey([0, 50, 100], Window(50, 100, function="SIGMOID")) == expected
    assert grey([-32768, 32767], Window(0, 1, function="SIGMOID")) == [0, 255]


def test_rescale_comes_before_the_window() -> None:
    assert grey([974, 1024, 1074], Window(0, 100, function="LINEAR_EXACT"), slope=1.0, intercept=-1024.0) == [
        0,
        128,
        255,
    ]
    assert grey([0, 10, 20], None, slope=-1.0) == [255, 128, 0]


def test_monochrome1_is_turned_over() -> None:
    assert grey([0, 100], None, photometric="MONOCHROME1") == [255, 0]


def test_without_a_window_from_least_to_greatest() -> None:
    assert grey([-100, 0, 100], None) == [0, 128, 255]
    assert grey([7, 7], None) == [128, 128]


def test_table() -> None:
    table = VoiLut(first=10, bits=8, explanation="", values=(0, 100, 255))
    assert grey([0, 10, 11, 12, 99], None, voi_lut=table) == [0, 0, 100, 255, 255]
    assert grey([0, 100], Window(50, 100, function="LINEAR_EXACT"), voi_lut=table) == [0, 255]


def test_eight_bit_grey_through_its_full_window_is_itself() -> None:
    ramp = np.arange(256, dtype=np.uint8)[np.newaxis]
    assert (render_frame(ramp, photometric="MONOCHROME2", window=Window(128, 256))[..., 0] == ramp).all()


def test_wide_samples_are_rendered_without_a_table() -> None:
    wide = np.array([[0, 2**31, 2**32 - 1]], dtype=np.uint32)
    assert render_frame(wide, photometric="MONOCHROME2")[0, :, 0].tolist() == [0, 128, 255]


def test_colour_is_shown_as_it_is() -> None:
    colour = np.arange(24, dtype=np.uint8).reshape(2, 4, 3)
    assert (render_frame(colour, photometric="RGB") == colour).all()
    assert (render_frame(colour.astype(np.uint16) << 8, photometric="RGB") == colour).all()
    assert default_window(colour, windows=(Window(1, 2),)) is None


def test_default_window_order() -> None:
    samples = np.array([[0, 10]], dtype=np.int16)
    table = VoiLut(0, 8, "", (0, 255))
    assert default_window(samples, windows=(Window(1, 2), Window(3, 4)), voi_luts=(table,)) == Window(1, 2)
    assert default_window(samples, windows=(), voi_luts=(table,)) is None
    chosen = default_window(samples, windows=(), slope=2.0, intercept=-5.0)
    assert chosen is not None
    assert (chosen.centre, chosen.width) == (5.0, 20.0)


@pytest.mark.parametrize(
    ("window", "message"),
    [
        (Window(0, 0.5), "width of at least 1"),
        (Window(0, 0, function="SIGMOID"), "above 0"),
        (Window(0, -1, function="LINEAR_EXACT"), "above 0"),
        (Window(0, 10, function="CUBIC"), "unknown window function"),
    ],
)
def test_windows_that_mean_nothing_raise(window: Window, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        grey([0, 1], window)


def test_samples_that_do_not_fit_raise() -> None:
    with pytest.raises(ValueError, match="whole numbers"):
        render_frame(np.zeros((2, 2)), photometric="MONOCHROME2")
    with pytest.raises(ValueError, match="not MONOCHROME2"):
        render_frame(np.zeros((2, 2, 3), dtype=np.uint8), photometric="MONOCHROME2")
    with pytest.raises(ValueError, match="RGB samples"):
        render_frame(np.zeros((2, 2), dtype=np.uint8), photometric="RGB")


def test_frames_are_chosen_evenly() -> None:
    assert choose_frames(1) == [0]
    assert choose_frames(30) == [15]
    assert choose_frames(30, 3) == [5, 15, 25]
    assert choose_frames(3, 9) == [0, 1, 2]
    with pytest.raises(ValueError, match="at least 1"):
        choose_frames(0)


def test_address_changes_with_everything_that_changes_a_pixel() -> None:
    base = {"frame": 0, "photometric": "MONOCHROME2", "slope": 1.0, "intercept": 0.0, "window": Window(40, 400)}
    others = [
        base | {"frame": 1},
        base | {"slope": 2.0},
        base | {"window": Window(40, 401)},
        base | {"window": None, "voi_lut": VoiLut(0, 8, "", (0, 1))},
        base | {"window": None, "voi_lut": VoiLut(0, 8, "", (0, 2))},
    ]
    descriptions = [describe_rendering(**chosen) for chosen in [base, *others]]  # type: ignore[arg-type]
    addresses = {content_address("ab" * 32, description) for description in descriptions}
    assert len(addresses) == len(descriptions)
    assert content_address("cd" * 32, descriptions[0]) not in addresses
    assert descriptions[0]["version"] == RENDERING_VERSION
    named = base | {"window": Window(40, 400, explanation="BRAIN")}
    assert describe_rendering(**named) == descriptions[0]  # type: ignore[arg-type]


def test_thumbnail_keeps_its_shape_and_is_never_enlarged() -> None:
    def size(rows: int, columns: int) -> tuple[int, int]:
        data = thumbnail_png(np.zeros((rows, columns, 3), dtype=np.uint8), 100)
        with Image.open(io.BytesIO(data)) as image:
            return image.size

    assert size(200, 400) == (100, 50)
    assert size(20, 40) == (40, 20)


def test_a_box_is_framed_in_red_around_it_and_the_picture_kept() -> None:
    pixels = np.full((300, 400, 3), 90, np.uint8)
    framed = with_box(pixels, (50.5, 60, 100, 120.25))
    assert (framed[60:121, 50:100] == 90).all(), "what the box holds is seen"
    assert (framed[59, 48:102] == (255, 0, 0)).all()
    assert (framed[58:123, 101] == (255, 0, 0)).all()
    assert (framed[57] == 90).all()
    assert (framed[:, 102] == 90).all()
    assert (pixels == 90).all()


def test_a_box_as_large_as_the_image_is_framed_within() -> None:
    framed = with_box(np.zeros((30, 20, 3), np.uint8), (0, 0, 20, 30))
    red = framed[..., 0] == 255
    assert red[0].all()
    assert red[:, -1].all()
    assert not red[1:-1, 1:-1].any()
