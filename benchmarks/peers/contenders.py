"""The table of contenders: one row of data each, from the file they open to who opens it."""

from dataclasses import dataclass

HERE = "capexport"
"""The environment that runs this program: no peer's own."""


@dataclass(frozen=True)
class Contender:
    """One form of the model in one runtime.

    Args:
        runtime, form: what the table calls it.
        runner: module in `runners/`.
        files: what the runner opens and the size counts, relative to the folder of models.
        environment: key of ENVIRONMENTS, or HERE.
        convert: script in `converters/` and its arguments, run in `environment` in the folder of
            models; nothing when `subject.py` wrote the file.
        converts_in: another environment for the conversion.
        kernels: product of `capexport.kernels.build` that the runtime loads.
    """

    runtime: str
    form: str
    runner: str
    files: tuple[str, ...]
    environment: str = HERE
    convert: tuple[str, ...] = ()
    converts_in: str | None = None
    kernels: str | None = None

    def __str__(self) -> str:
        return f"{self.runtime} {self.form}"


def _mnn(form: str, file: str, *options: str) -> Contender:
    return Contender("MNN", form, "mnn", (file,), "mnn", ("to_mnn.py", "step.onnx", file, *options))


def _executorch(form: str, file: str) -> Contender:
    convert = ("to_executorch.py", "step.pt2", "steps.npz", file, form)
    return Contender("ExecuTorch", form, "executorch", (file,), "executorch", convert)


def _quantized_litert(form: str, file: str, recipe: str) -> Contender:
    convert = ("to_int_tflite.py", "step.tflite", file, recipe)
    return Contender(
        "LiteRT", form, "litert", (file,), convert=convert, converts_in="ai-edge-quantizer"
    )


def _ours(runtime: str, weights: str) -> Contender:
    name, suffix = {"litert": ("LiteRT", "tflite"), "onnxruntime": ("ORT", "onnx")}[runtime]
    return Contender(
        f"capexport in {name}",
        f"int8, {weights}",
        runtime,
        (f"{weights}/decoder_step.{suffix}",),
        kernels=runtime if weights == "packed" else None,
    )


BASE = Contender("ORT", "fp32", "onnxruntime", ("step.onnx",))
"""What all ratios are relative to."""

WEIGHT_FORMS = ("dense", "stock-sparse", "packed")
"""Of our own bundles, all dynamic int8."""

W8 = ("--weightQuantBits", "8")
SYMMETRIC = ("--weightQuantAsymmetric=0",)
SPARSE = ("--detectSparseSpeedUp",)

CONTENDERS = (
    BASE,
    Contender(
        "ORT",
        "dynamic int8",
        "onnxruntime",
        ("int8.onnx",),
        convert=("to_int8_onnx.py", "step.onnx", "int8.onnx"),
    ),
    Contender("LiteRT", "fp32", "litert", ("step.tflite",)),
    _quantized_litert("dynamic int8", "int8.tflite", "dynamic_wi8_afp32"),
    _quantized_litert("dynamic int4", "int4.tflite", "dynamic_wi4_afp32"),
    _executorch("fp32", "fp32.pte"),
    _executorch("dynamic int8", "int8.pte"),
    Contender(
        "ncnn",
        "fp32",
        "ncnn",
        ("ncnn.param", "ncnn.bin"),
        "ncnn",
        ("to_ncnn.py", "step.pt", "ncnn.param", "ncnn.bin"),
    ),
    _mnn("fp32", "fp32.mnn"),
    _mnn("fp32, sparse storage", "fp32_sparse.mnn", *SPARSE),
    _mnn("w8, default", "w8.mnn", *W8),
    _mnn("w8 symmetric, sparse storage", "w8_sparse.mnn", *W8, *SYMMETRIC, *SPARSE),
    *(_ours(runtime, weights) for runtime in ("litert", "onnxruntime") for weights in WEIGHT_FORMS),
)
