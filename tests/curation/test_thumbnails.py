"""Small pictures in lists."""

from __future__ import annotations

from django.urls import reverse

from curation.templatetags.sightline import thumbnails


def test_each_has_its_own_address_in_the_order_given() -> None:
    digests = ["ab" * 32, "0" * 64, "0123456789abcdef" * 4]
    told = thumbnails(digests)
    at = [told.index(f'<img src="{reverse("image-thumbnail", args=[digest])}" alt=""') for digest in digests]
    assert at == sorted(at)
    assert told.count("<img") == 3


def test_no_image_is_no_picture() -> None:
    assert thumbnails([]) == '<span class="mini"></span>'


def test_text_that_is_no_digest_stays_text() -> None:
    assert '<img src="/api/v1/images/&quot;&gt;&lt;b&gt;/thumbnail/"' in thumbnails(['"><b>'])
