"""An fp32 .onnx -> onnxruntime's own dynamic int8, per channel: to_int8_onnx.py FP32 OUT."""

import sys

from onnxruntime.quantization import QuantType, quantize_dynamic


def main() -> None:
    source, target = sys.argv[1:]
    quantize_dynamic(source, target, weight_type=QuantType.QInt8, per_channel=True)


if __name__ == "__main__":
    main()
