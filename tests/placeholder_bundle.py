"""A bundle whose graph files are placeholders: enough for the verbs that do not run them."""

from pathlib import Path

from capexport.bundle import Bundle, Manifest, create_bundle
from capexport.spec.decoding import Decoding
from capexport.spec.image import ImageSpec
from capexport.spec.signature import (
    BEAMS,
    IMAGE,
    REGIONS,
    CaptionerSignature,
    StateSpec,
    TensorSpec,
)
from capexport.spec.vocabulary import Vocabulary

PIECES = ("<pad>", "<unk>", "<bos>", "<eos>", "a", "dog")
SUFFIXES = {"litert": "tflite", "onnxruntime": "onnx"}


def manifest(
    runtimes: tuple[str, ...] = ("litert", "onnxruntime"), image: ImageSpec | None = None
) -> Manifest:
    features = TensorSpec("att", (REGIONS, 4))
    return Manifest(
        architecture="up_down_lstm",
        lineage="sparse-image-captioning",
        signature=CaptionerSignature(
            inputs=(TensorSpec(IMAGE, image.shape, "uint8") if image else features,),
            memory=(TensorSpec("features", (REGIONS, 3)),),
            states=(StateSpec("h", (BEAMS, 3)),),
            vocabulary_size=len(PIECES),
        ),
        vocabulary=Vocabulary(PIECES),
        decoding=Decoding(bos=2, eos=3, pad=0, unk=1, max_length=5, beam=2),
        recipe={"encoder": "fp32", "decoder": "dynamic_wi8"},
        weights="dense",
        runtimes=runtimes,
        minimum_runtime=dict.fromkeys(runtimes, "1.0"),
        provenance={
            "capexport": "0.1.0",
            "weights_file": "model_best_pruned.pth",
            "bytes": 1000,
            "parameters": 120,
            "nnz": 12,
        },
        image=image,
    )


def write_bundle(
    out: Path,
    runtimes: tuple[str, ...] = ("litert", "onnxruntime"),
    *,
    image: ImageSpec | None = None,
    force: bool = False,
) -> Bundle:
    names = [f"{g}.{SUFFIXES[r]}" for r in runtimes for g in ("encoder", "decoder_step")]
    return create_bundle(
        out, manifest(runtimes, image), {name: name.encode() for name in names}, force=force
    )
