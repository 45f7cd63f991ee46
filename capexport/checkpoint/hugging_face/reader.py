"""A folder that save_pretrained wrote into a Checkpoint."""

from typing import Any

from capexport.checkpoint.checkpoint import Checkpoint
from capexport.checkpoint.hugging_face.config import architecture_of, read_config, read_json
from capexport.checkpoint.hugging_face.decoding import read_decoding
from capexport.checkpoint.hugging_face.preprocessing import read_preprocessing
from capexport.checkpoint.hugging_face.ties import without_copies
from capexport.checkpoint.hugging_face.vocabulary import read_vocabulary
from capexport.checkpoint.hugging_face.weights import choose_weights, read_weights
from capexport.checkpoint.lineage import Reader
from capexport.checkpoint.source import CONFIG, Source
from capexport.checkpoint.tensors import require_finite
from capexport.checkpoint.torch_pruned import fold_masks
from capexport.errors import CheckpointError
from capexport.spec.decoding import Decoding

LINEAGE = "hugging-face"
GENERATION = "generation_config.json"


def recognises(source: Source) -> bool:
    """transformers' config.json names a model_type; no other trainer's does."""
    if source.size(CONFIG) is None:
        return False
    try:
        return "model_type" in read_json(source.read(CONFIG), source.where(CONFIG))
    except CheckpointError:  # damaged: the reader whose file it is will say so
        return False


def read(source: Source, weights_file: str | None) -> Checkpoint:
    """The checkpoint in `source`; `weights_file` names the weights when the user chose them."""
    where = source.where(CONFIG)
    raw = read_json(source.read(CONFIG), where)
    architecture = architecture_of(raw, where)
    config = read_config(raw, architecture, where)
    text = config["text"]
    positions = text.get("n_positions") or text["max_position_embeddings"]
    decoding = _decoding(source, raw, architecture, text["vocab_size"], positions)
    vocabulary = read_vocabulary(source, text["vocab_size"])
    image, config["pixels"] = read_preprocessing(source, config["vision"]["image_size"])
    weights_file = choose_weights(source, weights_file)
    tensors, bytes_on_disk = read_weights(source, weights_file)
    tensors = fold_masks(tensors, source.where(weights_file))
    require_finite(tensors, source.where(weights_file))
    return Checkpoint(
        path=source.path,
        weights_file=weights_file,
        lineage=LINEAGE,
        architecture=architecture,
        config=config,
        tensors=without_copies(tensors, architecture),
        vocabulary=vocabulary,
        decoding=decoding,
        bytes_on_disk=bytes_on_disk,
        sha256=dict(sorted(source.sha256.items())),
        image=image,
    )


def _decoding(
    source: Source, config: dict[str, Any], architecture: str, size: int, positions: int
) -> Decoding:
    """What `generate` would take: BLIP's looks into text_config alone and ends at sep_token_id.

    Without generation_config.json the settings stand in config.json, as in older versions.
    """
    if architecture == "blip":
        text = config.get("text_config", {})
        ids = {"bos_token_id": 30522, "pad_token_id": 0, "sep_token_id": 102, **text}
        ids["eos_token_id"] = ids["sep_token_id"]
        return read_decoding(ids, size, positions, f"{source.where(CONFIG)}: text_config")
    if source.size(GENERATION) is not None:
        where = source.where(GENERATION)
        return read_decoding(read_json(source.read(GENERATION), where), size, positions, where)
    decoder = config["decoder"] if architecture == "vit_gpt2" else {}
    settings = decoder | {key: value for key, value in config.items() if value is not None}
    return read_decoding(settings, size, positions, source.where(CONFIG))


READER = Reader(
    LINEAGE, f"{CONFIG} with model_type, model.safetensors, tokenizer.json", recognises, read
)
