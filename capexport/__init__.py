"""capexport: a pruned, quantized PyTorch image captioner as sparse int8 ONNX and TFLite files."""

__version__ = "0.1.0"
