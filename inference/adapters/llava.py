"""LLaVA-1.5 and its relatives (LLaVA-Med, HuatuoGPT-Vision) through transformers, with selected-row attention.

How a case is read. All images of the case stand in one prompt, in order; the model attends to all of them at once, each
image's map is its slice of the image tokens, and the share of attention that each image gets is returned. Attention is
taken under the question prompt and under the general prompt (inference.prompts), at the last input token, in every
layer, without generating. The answer is asked for with history and options; a case that is longer than the model's
context is refused with its length, never cut.

How an option is chosen. Where a case has options, the model's probabilities are a softmax over the options' log
likelihoods as continuations of the answer prompt (forced choice): of the option's letter, or with
`forced_choice=text` of its text as a mean over tokens, so that long options are not punished. `choice` is the most
probable option (None at an exact tie) and `text` is what the model writes by itself, greedily; the two are kept apart,
and `inference.metrics.answers.parse_choice(text, options)` reads the second where a benchmark wants that.

Settings: device (auto, cpu, cuda, cuda:0 ...), dtype (auto: float32 on a CPU, the checkpoint's own on a GPU),
max_new_tokens (32), forced_choice (letter or text). Weights are local safetensors; no code of the checkpoint is run.
"""

from __future__ import annotations

import copy
import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from transformers import AutoImageProcessor, AutoTokenizer, LlavaForConditionalGeneration

from inference import prompts
from inference.adapters.base import (
    AdapterCard,
    CaseInput,
    CaseOutput,
    ContextTooLong,
    MapArrays,
    RenderedImage,
    digest,
    image_shares,
    integer_setting,
    known_settings,
)
from inference.adapters.clip_geometry import transform_of
from inference.attention.capture import SELECTED_ROWS, capture_attention

DEFAULTS = {"device": "auto", "dtype": "auto", "max_new_tokens": "32", "forced_choice": "letter"}
DTYPES = {"float32": torch.float32, "bfloat16": torch.bfloat16, "float16": torch.float16}
FORCED_CHOICES = ("letter", "text")


@dataclass(frozen=True)
class _Prompt:
    """A prompt as tokens. `text` still has one image token an image, as the chat template wrote it."""

    text: str
    ids: torch.Tensor  # (1, tokens)
    image_columns: torch.Tensor  # (1, image tokens)


class LlavaAdapter:
    """One loaded LLaVA. Made by `load`."""

    family = "llava"

    def __init__(self, folder: Path, settings: Mapping[str, str]) -> None:
        known = known_settings(settings, DEFAULTS)
        self.max_new_tokens = integer_setting(known, "max_new_tokens", 1, 1024)
        self.forced_choice = known["forced_choice"]
        if self.forced_choice not in FORCED_CHOICES:
            raise ValueError(f"setting forced_choice={self.forced_choice} is none of {', '.join(FORCED_CHOICES)}")
        self.folder = folder
        self.device = _device(known["device"])
        self.dtype = _dtype(known["dtype"], self.device)
        offline: dict[str, Any] = {"local_files_only": True, "trust_remote_code": False}
        self.tokenizer = _untyped(AutoTokenizer).from_pretrained(folder, **offline)
        # The PIL backend needs no torchvision, and is the one whose geometry `transform_of` follows.
        self.image_processor = _untyped(AutoImageProcessor).from_pretrained(folder, backend="pil", **offline)
        self.model = self._with_weights(offline)
        self.model.to(self.device).eval()
        config = self.model.config
        self.image_token = str(self.tokenizer.convert_ids_to_tokens(config.image_token_id))
        self.patch_px = int(config.vision_config.patch_size)
        self.context = int(config.text_config.max_position_embeddings)
        self.chat_template = _chat_template(self.tokenizer, folder)

    def describe(self) -> AdapterCard:
        """The model's card; `sightline.json` in its folder may say that it is untrained."""
        is_trained, note = self._told()
        return AdapterCard(
            family=self.family,
            is_trained=is_trained,
            note=note,
            n_layers=int(self.model.config.text_config.num_hidden_layers),
            weights_digest=self._weights_digest,
            prompt_digest=prompts.prompt_digest(self.chat_template + self.tokenizer.backend_tokenizer.to_str()),
            decoding_digest=digest(
                {
                    "dtype": str(self.model.dtype),
                    "device": self.device.type,
                    "max_new_tokens": self.max_new_tokens,
                    "forced_choice": self.forced_choice,
                    "greedy": True,
                    "image_processor": json.loads(self.image_processor.to_json_string()),
                }
            ),
        )

    @torch.inference_mode()
    def predict(self, case: CaseInput) -> CaseOutput:
        """The model's answer, option probabilities and attention maps.

        Raises
        ------
        ContextTooLong
            If the case has more tokens than the model's context; names both numbers.
        ValueError
            If the image tokens are not what the grids of the images add up to.
        """
        pixels = self._pixels(case.images)
        grid = self._grid(pixels)
        counts = len(case.images), grid[0] * grid[1]
        answer = self._prompt(case, self._answer_prompt(case), counts)
        question = self._prompt(case, prompts.question_prompt(case.question), counts)
        general = self._prompt(case, prompts.general_prompt(), counts)
        maps, shares = self._maps(
            case.images, grid, self._attention(question, pixels, grid), self._attention(general, pixels, grid)
        )
        probabilities = self._probabilities(case.options, answer, pixels)
        return CaseOutput(
            text=self._written(answer, pixels),
            choice=_most_probable(probabilities),
            option_probabilities=probabilities,
            steps=(),
            maps=maps,
            image_share=shares,
        )

    def _with_weights(self, offline: dict[str, Any]) -> Any:
        """The model with its weights, wherever they come from."""
        return _untyped(LlavaForConditionalGeneration).from_pretrained(
            self.folder, use_safetensors=True, dtype=self.dtype, attn_implementation=SELECTED_ROWS, **offline
        )

    def _told(self) -> tuple[bool, str]:
        """Whether the weights are trained, and what a page must say about them."""
        return _told(self.folder)

    def _answer_prompt(self, case: CaseInput) -> str:
        return prompts.answer_prompt(case.question, case.options, case.history)

    def _pixels(self, images: tuple[RenderedImage, ...]) -> torch.Tensor | None:
        if not images:
            return None
        pictures = [Image.fromarray(image.pixels) for image in images]
        values = self.image_processor(images=pictures, return_tensors="pt")["pixel_values"]
        return torch.as_tensor(values).to(self.device, self.model.dtype)

    def _grid(self, pixels: torch.Tensor | None) -> tuple[int, int]:
        """(rows, columns) of the image tokens: every image of this family gives one grid of one size."""
        if pixels is None:
            return 0, 0
        return pixels.shape[2] // self.patch_px, pixels.shape[3] // self.patch_px

    def _prompt(self, case: CaseInput, text: str, counts: tuple[int, int]) -> _Prompt:
        images, tokens_each = counts
        clean = prompts.without_special(text, [*self.tokenizer.all_special_tokens, self.image_token])
        content = [{"type": "image"}] * images + [{"type": "text", "text": clean}]
        rendered = str(
            self.tokenizer.apply_chat_template(
                [{"role": "user", "content": content}],
                chat_template=self.chat_template,
                tokenize=False,
                add_generation_prompt=True,
            )
        )
        ids = self._ids(rendered, tokens_each)
        columns = (ids[0] == self.model.config.image_token_id).nonzero()[:, 0][None]
        if columns.shape[1] != images * tokens_each:
            raise ValueError(
                f"case {case.case_key}: {columns.shape[1]} image tokens in the prompt, "
                f"but {images} images of {tokens_each} cells"
            )
        longest = ids.shape[1] + self.max_new_tokens
        if longest > self.context:
            raise ContextTooLong(case.case_key, longest, columns.shape[1], self.context)
        return _Prompt(text=rendered, ids=ids, image_columns=columns)

    def _ids(self, rendered: str, tokens_each: int) -> torch.Tensor:
        expanded = rendered.replace(self.image_token, self.image_token * tokens_each)
        begins = self.tokenizer.bos_token is not None and expanded.startswith(self.tokenizer.bos_token)
        encoded = self.tokenizer(expanded, add_special_tokens=not begins, return_tensors="pt")
        return torch.as_tensor(encoded["input_ids"]).to(self.device)

    def _attention(self, prompt: _Prompt, pixels: torch.Tensor | None, grid: tuple[int, int]) -> NDArray[np.float32]:
        """Attention of the last input token, mean over heads: float32 (layers, images, rows, columns)."""
        if pixels is None:
            return np.zeros((0, 0, *grid), dtype=np.float32)
        with capture_attention([-1], prompt.image_columns) as capture:
            self.model(
                input_ids=prompt.ids,
                attention_mask=torch.ones_like(prompt.ids),
                pixel_values=pixels,
                logits_to_keep=1,
                use_cache=False,
            )
        rows = capture.stacked()[:, 0, 0]  # (layers, image tokens)
        return rows.float().cpu().numpy().reshape(len(rows), len(pixels), *grid)

    def _maps(
        self,
        images: tuple[RenderedImage, ...],
        grid: tuple[int, int],
        question: NDArray[np.float32],
        general: NDArray[np.float32],
    ) -> tuple[tuple[MapArrays, ...], dict[int, float]]:
        maps = tuple(
            MapArrays(
                image=image.number,
                frame=image.frame,
                question=np.ascontiguousarray(question[:, index]),
                general=np.ascontiguousarray(general[:, index]),
                transform=transform_of(self.image_processor, image.size, grid, self.patch_px),
            )
            for index, image in enumerate(images)
        )
        mass = [(one.image, float(one.question.mean(axis=0, dtype=np.float64).sum())) for one in maps]
        return maps, image_shares(mass)

    def _probabilities(
        self, options: Mapping[str, str] | None, prompt: _Prompt, pixels: torch.Tensor | None
    ) -> dict[str, float] | None:
        if not options:
            return None
        letters = sorted(options)
        endings = [self._continuation(prompt, self._ending(key, options[key])) for key in letters]
        run = self.model(
            input_ids=prompt.ids,
            attention_mask=torch.ones_like(prompt.ids),
            pixel_values=pixels,
            logits_to_keep=1,
            use_cache=True,
        )
        first = torch.log_softmax(run.logits[0, -1].double(), dim=-1)
        scores = []
        for ending in endings:
            parts = [first[ending[0]]]
            if len(ending) > 1:
                # A copy each: the model appends to the cache that it is given.
                rest = self.model(input_ids=ending[None, :-1], past_key_values=copy.deepcopy(run.past_key_values))
                log_p = torch.log_softmax(rest.logits[0].double(), dim=-1)
                parts += list(log_p.gather(1, ending[1:, None])[:, 0])
            scores.append(torch.stack(parts).mean())
        p = torch.softmax(torch.stack(scores), dim=0).tolist()
        return dict(zip(letters, p, strict=True))

    def _ending(self, letter: str, text: str) -> str:
        return letter if self.forced_choice == "letter" else text

    def _continuation(self, prompt: _Prompt, ending: str) -> torch.Tensor:
        """Tokens of an option as the model would go on writing it, (tokens,)."""
        clean = prompts.without_special(ending.strip(), [*self.tokenizer.all_special_tokens, self.image_token])
        blank = "" if prompt.text[-1:].isspace() else " "
        tail = prompt.text.rsplit(self.image_token, 1)[-1]  # image tokens are never merged with what follows
        plain = {"add_special_tokens": False, "return_tensors": "pt"}
        before = self.tokenizer(tail, **plain)["input_ids"][0]
        both = self.tokenizer(tail + blank + clean, **plain)["input_ids"][0]
        if not torch.equal(both[: len(before)], before) or len(both) == len(before):
            # The ending merged with the prompt's last token, or is empty: its own tokens, or the end of the text.
            both = self.tokenizer(clean or self.tokenizer.eos_token, **plain)["input_ids"][0]
            before = both[:0]
        return torch.as_tensor(both[len(before) :]).to(self.device)

    def _written(self, prompt: _Prompt, pixels: torch.Tensor | None) -> str:
        pad = self.tokenizer.pad_token_id
        images = {} if pixels is None else {"pixel_values": pixels}
        ids = self.model.generate(
            input_ids=prompt.ids,
            attention_mask=torch.ones_like(prompt.ids),
            **images,
            do_sample=False,
            temperature=None,
            top_p=None,
            top_k=None,
            num_beams=1,
            max_new_tokens=self.max_new_tokens,
            pad_token_id=self.tokenizer.eos_token_id if pad is None else pad,
        )
        return str(self.tokenizer.decode(ids[0, prompt.ids.shape[1] :], skip_special_tokens=True)).strip()

    @cached_property
    def _weights_digest(self) -> str:
        files = {}
        for path in sorted(self.folder.glob("*.safetensors")):
            with path.open("rb") as opened:
                files[path.name] = hashlib.file_digest(opened, "sha256").hexdigest()
        return digest(files)


def load(source: str, revision: str, settings: Mapping[str, str]) -> LlavaAdapter:
    """The LLaVA in a local folder of safetensors, tokenizer and processor.

    Parameters
    ----------
    source
        The folder; `registry.check_source` has already said that it may be read.
    revision
        Must be empty: a folder holds one revision, and its digest names it.
    settings
        As the module says.

    Raises
    ------
    ValueError
        If a revision is given, a setting is wrong, or the checkpoint has no chat template.
    OSError
        If the folder lacks a file, safetensors among them.
    """
    if revision:
        raise ValueError(f"a local folder has one revision, not {revision!r}; its weights digest names it")
    return LlavaAdapter(Path(source), settings)


def _most_probable(probabilities: Mapping[str, float] | None) -> str | None:
    if not probabilities:
        return None
    best = max(probabilities.values())
    letters = [letter for letter, p in probabilities.items() if p == best]
    return letters[0] if len(letters) == 1 else None


def _untyped(loader: object) -> Any:
    """Transformers' loaders as what they are to a type checker: they give one of many classes."""
    return loader


def _device(name: str) -> torch.device:
    if name == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    try:
        device = torch.device(name)
    except RuntimeError:
        raise ValueError(f"setting device={name} is no device") from None
    if device.type not in ("cpu", "cuda") or (device.type == "cuda" and not torch.cuda.is_available()):
        raise ValueError(f"setting device={name}: this machine has no such device")
    return device


def _dtype(name: str, device: torch.device) -> torch.dtype | str:
    if name == "auto":
        return torch.float32 if device.type == "cpu" else "auto"
    if name not in DTYPES:
        raise ValueError(f"setting dtype={name} is none of auto, {', '.join(DTYPES)}")
    return DTYPES[name]


def _chat_template(tokenizer: Any, folder: Path) -> str:
    if isinstance(tokenizer.chat_template, str):
        return tokenizer.chat_template
    older = folder / "chat_template.json"
    if older.is_file():
        return str(json.loads(older.read_text())["chat_template"])
    raise ValueError(f"the checkpoint in {folder.name} has no chat template")


def _told(folder: Path) -> tuple[bool, str]:
    path = folder / "sightline.json"
    if not path.is_file():
        return True, ""
    told = json.loads(path.read_text())
    if not isinstance(told, dict) or not isinstance(told.get("is_trained"), bool):
        raise ValueError(f"{path.name} must say is_trained as true or false, not {told!r}")
    return told["is_trained"], str(told.get("note", ""))
