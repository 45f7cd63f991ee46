"""Model files -> a step that can be timed: one module per runtime, imported by the worker only.

Each has VERSION and `Runner(files, output_names, kernels)` with `set(inputs by name)`, which writes
the inputs, `step()`, which is timed, and `outputs()`, arrays in the order of `output_names`.
Every runtime gets one thread. Inputs are written again before every step, as a decoder does.
"""
