"""Small random captioners that transformers itself builds and saves: the oracle of this lineage."""

import json
import warnings
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

WORDS = ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", ".", ",", "'", "a", "##s", "##ing")
BOS, EOS, PAD, VOCABULARY, SIDE, PATCH = 2, 3, 0, 60, 24, 8
VISION = {
    "hidden_size": 12,
    "intermediate_size": 20,
    "num_hidden_layers": 2,
    "num_attention_heads": 3,
    "image_size": SIDE,
    "patch_size": PATCH,
}
TEXT = {
    "vocab_size": VOCABULARY,
    "hidden_size": 16,
    "intermediate_size": 28,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "max_position_embeddings": 32,
    "bos_token_id": BOS,
    "pad_token_id": PAD,
}
END_BIAS = 2.0
"""Lets some captions end before the limit, where the model has a bias for words."""
MEAN, STD = [0.48, 0.45, 0.40], [0.27, 0.26, 0.28]


def blip(seed: int = 0, **text: Any) -> Any:
    """BlipForConditionalGeneration."""
    from transformers import BlipConfig, BlipForConditionalGeneration

    text = {**TEXT, "eos_token_id": EOS, "sep_token_id": EOS, **text}
    config = BlipConfig(text_config=text, vision_config=VISION)
    return _louder(BlipForConditionalGeneration, config, seed)


def vit_gpt2(seed: int = 0, width: int = 16) -> Any:
    """VisionEncoderDecoderModel of ViT and of a GPT-2 of the given width."""
    from transformers import (
        GPT2Config,
        VisionEncoderDecoderConfig,
        VisionEncoderDecoderModel,
        ViTConfig,
    )

    decoder = GPT2Config(
        vocab_size=VOCABULARY,
        n_positions=32,
        n_embd=width,
        n_layer=2,
        n_head=2,
        bos_token_id=BOS,
        eos_token_id=EOS,
        add_cross_attention=True,
        is_decoder=True,
    )
    config = VisionEncoderDecoderConfig.from_encoder_decoder_configs(ViTConfig(**VISION), decoder)
    config.decoder_start_token_id, config.pad_token_id = BOS, PAD
    return _louder(VisionEncoderDecoderModel, config, seed)


def git(seed: int = 0) -> Any:
    """GitForCausalLM."""
    from transformers import GitConfig, GitForCausalLM

    return _louder(GitForCausalLM, GitConfig(vision_config=VISION, eos_token_id=EOS, **TEXT), seed)


BUILDERS = {"blip": blip, "vit_gpt2": vit_gpt2, "git": git}


def _louder(kind: Any, config: Any, seed: int) -> Any:
    """A model whose random weights are large enough for captions to differ between pictures."""
    torch.manual_seed(seed)
    model = kind(config).eval()
    with torch.no_grad():
        for name, weight in model.named_parameters():
            if weight.ndim > 1:
                weight.normal_(0, 0.8 if "embed" in name or "wpe" in name else 0.35)
            elif name.endswith("bias"):
                weight.normal_(0, 0.1)
            if name.endswith("bias") and len(weight) == VOCABULARY:
                weight[EOS] = END_BIAS
    return model


def generated(model: Any, picture: Tensor, beams: int, **settings: Any) -> list[int]:
    """Tokens that transformers' own `generate` makes, with the end token when there is one."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # its advice on settings is not ours to follow
        output = model.generate(pixel_values=pixel_values(picture), num_beams=beams, **settings)
    tokens: list[int] = output[0, 1:].tolist()
    return tokens[: tokens.index(EOS) + 1] if EOS in tokens else tokens


def save(model: Any, folder: Path) -> Path:
    """The folder as the hub has it: weights, configuration, tokenizer, preprocessor."""
    model.save_pretrained(folder)
    (folder / "vocab.txt").write_text("\n".join(pieces()) + "\n")
    write_preprocessor(folder, size={"height": SIDE, "width": SIDE}, resample=3)
    return folder


def write_preprocessor(folder: Path, **changes: Any) -> None:
    rule = {
        "do_resize": True,
        "do_rescale": True,
        "do_normalize": True,
        "rescale_factor": 1 / 255,
        "image_mean": MEAN,
        "image_std": STD,
    }
    (folder / "preprocessor_config.json").write_text(json.dumps({**rule, **changes}))


def pieces(size: int = VOCABULARY) -> list[str]:
    """A WordPiece vocabulary of `size` entries."""
    return [*WORDS, *(f"word{number}" for number in range(size - len(WORDS)))]


def pictures(count: int = 4, side: int = SIDE) -> Tensor:
    """Random pictures, uint8 [count, side, side, 3]."""
    generator = torch.Generator().manual_seed(5)
    coarse = torch.randint(0, 256, (count, 3, 4, 4), generator=generator).float()
    smooth = torch.nn.functional.interpolate(coarse, (side, side), mode="bilinear")
    return smooth.permute(0, 2, 3, 1).to(torch.uint8)


def pixel_values(picture: Tensor) -> Tensor:
    """What transformers' processor makes of a picture of the right size: [1, 3, side, side]."""
    scaled = picture.float() / 255
    return ((scaled - torch.tensor(MEAN)) / torch.tensor(STD)).permute(2, 0, 1)[None]
