"""The demo model's words: a byte-level BPE tokenizer learned on its own questions, and its chat template."""

from __future__ import annotations

from typing import Any

from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
from transformers import PreTrainedTokenizerFast

from curation.phantoms.fetal_questions import ANSWERS as FETAL_ANSWERS
from curation.phantoms.fetal_questions import Task, ask
from curation.phantoms.organs import KINDS, STYLES
from curation.phantoms.questions import ANSWERS, TEMPLATES
from inference.prompts import answer_prompt, general_prompt, question_prompt

SPECIAL = ("<pad>", "<s>", "</s>", "<image>")
PAD, BOS, EOS, IMAGE = range(len(SPECIAL))
CONTEXT = 4096
MIXED = "mixed"
"""The answer to the general prompt where the images of a case differ in style."""

CHAT_TEMPLATE = (
    "<s>{% for message in messages %}"
    "{% for part in message['content'] %}{% if part['type'] == 'image' %}<image>{% endif %}{% endfor %}"
    "\n{{ message['role'] | upper }}: "
    "{% for part in message['content'] %}{% if part['type'] == 'text' %}{{ part['text'] }}{% endif %}{% endfor %}"
    "{% endfor %}"
    "{% if add_generation_prompt %} ASSISTANT:{% endif %}"
)
"""Images first, whatever order they are given in: the question may then name a finding of any of them."""

_MOST_TOKENS = 1024
_FETAL_SEEDS = 20  # enough that every wording of every task occurs


def texts() -> list[str]:
    """Every text that the model is trained on, for the tokenizer: each word of them becomes one token."""
    plain = [template.format(kind=kind) for several in TEMPLATES.values() for template in several for kind in KINDS]
    plain += [ask(task, seed).question.text for task in Task for seed in range(_FETAL_SEEDS)]
    answers = [*(text for pair in ANSWERS.values() for text in pair), *STYLES, MIXED]
    answers += [str(text) for several in FETAL_ANSWERS.values() for text in several]
    prompts = [question_prompt(text) for text in plain]
    prompts += [general_prompt(), answer_prompt("", dict.fromkeys("ABCDE", "text"), "")]
    return [f"\nUSER: {text} ASSISTANT: {answer}" for text in prompts for answer in answers[:1]] + [
        f" {answer}\n {answer}" for answer in answers
    ]


def build_tokenizer() -> Any:
    """The tokenizer, the same each time; every text has tokens, none is unknown.

    Examples
    --------
    >>> len(build_tokenizer()(" spiculated")["input_ids"])
    1
    """
    core = Tokenizer(models.BPE())
    core.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    core.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=_MOST_TOKENS,
        min_frequency=1,
        special_tokens=list(SPECIAL),
        initial_alphabet=sorted(pre_tokenizers.ByteLevel.alphabet()),
        show_progress=False,
    )
    core.train_from_iterator(sorted(texts()), trainer)
    make: Any = PreTrainedTokenizerFast
    tokenizer = make(
        tokenizer_object=core,
        **dict(zip(("pad_token", "bos_token", "eos_token"), SPECIAL, strict=False)),
        extra_special_tokens={"image_token": SPECIAL[IMAGE]},
        padding_side="left",
        model_max_length=CONTEXT,
        clean_up_tokenization_spaces=False,
    )
    tokenizer.chat_template = CHAT_TEMPLATE
    return tokenizer


def prompt_ids(tokenizer: Any, text: str) -> list[int]:
    """Tokens of a prompt after its images, as the chat template and the tokenizer write them."""
    content = [{"type": "image"}, {"type": "text", "text": text}]
    rendered = tokenizer.apply_chat_template(
        [{"role": "user", "content": content}], tokenize=False, add_generation_prompt=True
    )
    ids = tokenizer(rendered, add_special_tokens=False)["input_ids"]
    return [int(one) for one in ids[ids.index(IMAGE) + 1 :]]


def answer_ids(tokenizer: Any, text: str) -> list[int]:
    """Tokens of an answer as the model writes it after a prompt, without the end of the text."""
    return [int(one) for one in tokenizer(f" {text}", add_special_tokens=False)["input_ids"]]
