"""An fp32 .tflite -> a quantized one: to_int_tflite.py FP32 OUT RECIPE of ai_edge_quantizer."""

import sys

from ai_edge_quantizer import quantizer, recipe


def main() -> None:
    source, target, name = sys.argv[1:]
    job = quantizer.Quantizer(source)
    job.load_quantization_recipe(getattr(recipe, name)())
    job.quantize().export_model(target, overwrite=True)


if __name__ == "__main__":
    main()
