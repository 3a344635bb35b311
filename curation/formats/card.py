"""The dataset card: README.md of an export, with the front matter that `datasets` and the Hub read."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import yaml

from curation.formats.hf import size_category

# The Hub's identifiers of licences that sources commonly name.
LICENCES = {
    "apache-2.0": "apache-2.0",
    "cc0-1.0": "cc0-1.0",
    "cc0": "cc0-1.0",
    "cc-by-4.0": "cc-by-4.0",
    "cc-by-sa-4.0": "cc-by-sa-4.0",
    "cc-by-nc-4.0": "cc-by-nc-4.0",
    "cc-by-nc-sa-4.0": "cc-by-nc-sa-4.0",
    "cc-by-nc-nd-4.0": "cc-by-nc-nd-4.0",
    "mit": "mit",
}
MOST_KEYS = 20


@dataclass(frozen=True)
class CardConfig:
    """One config of the data set: its rows, the splits that have any, and in a line what a row is."""

    name: str
    rows: int
    splits: Sequence[str]
    about: str


@dataclass(frozen=True)
class Credit:
    """Cases that share a source, a licence and an attribution."""

    source: str
    licence: str
    attribution: str
    keys: Sequence[str]


@dataclass(frozen=True)
class Card:
    """All that the card says."""

    title: str
    description: str
    names: Sequence[str]
    digest: str
    is_demo: bool
    counts: Mapping[str, int]
    protocol: Mapping[str, Any]
    rendering: str
    configs: Sequence[CardConfig]
    credits: Sequence[Credit]
    readers: int
    not_carried: Sequence[str] = field(default_factory=tuple)
    has_originals: bool = False


def licence_id(licences: Sequence[str]) -> str:
    """The Hub's identifier if every case has the same known licence; else "other", or "unknown" where none is named.

    Examples
    --------
    >>> licence_id(["CC BY 4.0", "CC BY 4.0"]), licence_id(["MIT", "CC0"]), licence_id([""])
    ('cc-by-4.0', 'other', 'unknown')
    """
    named = {licence.strip() for licence in licences}
    if named <= {""}:
        return "unknown"
    known = {LICENCES.get(re.sub(r"\s+", "-", name.casefold()), "other") for name in named}
    return known.pop() if len(known) == 1 else "other"


def plain(text: str) -> str:
    r"""Text from anywhere as one line of Markdown that is shown as it is: no markup, no HTML, no table breaks.

    Examples
    --------
    >>> print(plain("a|b <img src=x>\n[x](y)"))
    a\|b &lt;img src=x&gt; \[x\](y)
    """
    line = re.sub(r"\s+", " ", text).strip()
    line = line.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return re.sub(r"([\\`*_\[\]|#~!])", r"\\\1", line)


def front_matter(card: Card) -> str:
    """YAML between two lines of dashes."""
    configs = [
        {
            "config_name": config.name,
            "data_files": [
                {"split": split, "path": f"data/{config.name}/{split}-*.parquet"} for split in config.splits
            ],
            **({"default": True} if config.name == "cases" else {}),
        }
        for config in card.configs
        if config.splits
    ]
    matter = {
        "pretty_name": card.title,
        "license": licence_id([credit.licence for credit in card.credits]),
        "size_categories": [size_category(card.counts["cases"])],
        "task_categories": ["visual-question-answering"],
        "tags": [
            "medical",
            *(["expert-regions"] if card.counts["readings"] else []),
            *(["multi-image"] if card.counts["images"] > card.counts["cases"] else []),
        ],
        "configs": configs,
    }
    return f"---\n{yaml.safe_dump(matter, allow_unicode=True, sort_keys=False, width=10_000)}---\n"


def write_card(card: Card) -> str:
    """The whole README.md of an export."""
    parts = [_head(card), _load(card), _content(card), _protocol(card), _credits(card), _left_out(card)]
    return front_matter(card) + "\n" + "\n\n".join(part for part in parts if part) + "\n"


def _head(card: Card) -> str:
    lines = [f"# {plain(card.title)}", ""]
    if card.is_demo:
        lines += [
            (
                "> **Not clinically validated.** Demo content over public test images or synthetic phantoms. Its "
                "questions say only what a header, a lay eye or the drawing itself proves. Not for clinical use, "
                "training or any claim about a model."
            ),
            "",
        ]
    if card.description:
        lines += [plain(card.description), ""]
    names = ", ".join(f"**{plain(name)}**" for name in card.names)
    counts = ", ".join(f"{number:,} {what}" for what, number in card.counts.items())
    lines += [
        f"Snapshot {names or 'without a name'}: {counts}.",
        "",
        (
            f"Digest `{card.digest}`, which is the sha256 of `snapshot.json`. `manifest.json` lists every file with "
            "its sha256; `python manage.py verify DIR` compares them."
        ),
    ]
    return "\n".join(lines)


def _load(card: Card) -> str:
    splits = card.configs[0].splits
    split = splits[0] if splits else "test"
    return f"""## How to load

```python
from datasets import load_dataset

cases = load_dataset("DIR", "cases", split="{split}")
first = cases[0]["images"][0]  # a PIL image: the 8-bit rendering
```"""


def _content(card: Card) -> str:
    lines = ["## What is in it", "", "| config | rows | splits | a row is |", "|---|---:|---|---|"]
    lines += [
        f"| `{config.name}` | {config.rows:,} | {', '.join(config.splits) or 'no rows yet'} | {config.about} |"
        for config in card.configs
    ]
    lines += [
        "",
        f"Images are PNG of 8 bits, rendering version {plain(card.rendering)}: through the file's first window, else "
        "from the least to the greatest value; of a cine the middle frame. `image_info` says for each image which "
        "frame and window. Where a question speaks of a red rectangle (`question_box`), it is drawn into image 1, and "
        "`image_clean` has none. "
        + ("Stored bytes lie in `originals/`, named by sha256." if card.has_originals else ""),
        "",
        (
            "Coordinates are pixels of the upright stored image, (0, 0) at the top left corner; images of a case count "
            "from 1, frames from 0."
        ),
        "",
        (
            f"Readers: {card.readers}. A reader is a pseudonym that holds within this snapshot only. "
            "Agreement between readers is not part of this version."
        ),
    ]
    return "\n".join(line.rstrip() for line in lines)


def _protocol(card: Card) -> str:
    protocol = card.protocol
    labels = ", ".join(plain(str(label.get("name") or label.get("id"))) for label in protocol.get("labels", []))
    rows = {
        "kind": plain(str(protocol.get("kind", ""))),
        "labels": labels or "none",
        "kinds of step": plain(", ".join(protocol.get("step_kinds", []))),
        "required of a reading": plain(", ".join(protocol.get("required", []))) or "nothing",
        "readings wanted a case": str(protocol.get("overlap", "")),
        "blinding": plain(str(protocol.get("blinding", ""))),
    }
    table = "\n".join(f"| {name} | {value} |" for name, value in rows.items())
    return f"## Protocol\n\n| | |\n|---|---|\n{table}\n\nThe whole of it stands in `snapshot.json`."


def _credits(card: Card) -> str:
    lines = [
        "## Sources, licences and attributions",
        "",
        "| source | licence | attribution | cases |",
        "|---|---|---|---|",
    ]
    for credit in card.credits:
        keys = ", ".join(plain(key) for key in credit.keys[:MOST_KEYS])
        more = f" and {len(credit.keys) - MOST_KEYS:,} more" if len(credit.keys) > MOST_KEYS else ""
        cells = (plain(credit.source), plain(credit.licence), plain(credit.attribution), keys + more)
        lines.append(f"| {' | '.join(cell or '–' for cell in cells)} |")
    return "\n".join([*lines, "", "Each case has its own in the columns `source`, `licence` and `attribution`."])


def _left_out(card: Card) -> str:
    if not card.not_carried:
        return ""
    return "## Not carried\n\n" + "\n".join(f"- {plain(reason)}" for reason in card.not_carried)
