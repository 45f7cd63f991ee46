"""Bundle and features -> captions, with numpy and one interpreter library; no torch, no writer."""

from capexport.runtime.backends import BACKENDS, RUNTIMES
from capexport.runtime.caption import Caption, caption, check_beam, forced_log_probs
from capexport.runtime.decode import Hypothesis, beam_search
from capexport.runtime.features import Features, read_features
from capexport.runtime.session import Session, check_inputs, encoder_inputs, open_session

__all__ = [
    "BACKENDS",
    "RUNTIMES",
    "Caption",
    "Features",
    "Hypothesis",
    "Session",
    "beam_search",
    "caption",
    "check_beam",
    "check_inputs",
    "encoder_inputs",
    "forced_log_probs",
    "open_session",
    "read_features",
]
