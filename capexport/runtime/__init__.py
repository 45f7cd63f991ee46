"""Bundle and pictures or features -> captions, with numpy and one interpreter; no torch."""

from capexport.runtime.backends import BACKENDS, RUNTIMES
from capexport.runtime.caption import Caption, caption, check_beam, forced_log_probs
from capexport.runtime.decode import Hypothesis, beam_search
from capexport.runtime.features import Features, read_features, save_features
from capexport.runtime.image import Picture, read_picture
from capexport.runtime.inputs import (
    Given,
    encoder_inputs,
    input_files,
    read_inputs,
    read_pictures,
)
from capexport.runtime.region_detector import RegionDetector, open_detector
from capexport.runtime.session import Session, check_inputs, open_session
from capexport.runtime.states import initial_states, next_states

__all__ = [
    "BACKENDS",
    "RUNTIMES",
    "Caption",
    "Features",
    "Given",
    "Hypothesis",
    "Picture",
    "RegionDetector",
    "Session",
    "beam_search",
    "caption",
    "check_beam",
    "check_inputs",
    "encoder_inputs",
    "forced_log_probs",
    "initial_states",
    "input_files",
    "next_states",
    "open_detector",
    "open_session",
    "read_features",
    "read_inputs",
    "read_picture",
    "read_pictures",
    "save_features",
]
