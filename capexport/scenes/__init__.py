"""A seed -> pictures of coloured shapes with captions that are known to be true."""

from capexport.scenes.folder import read_scenes, write_scenes
from capexport.scenes.scene import Scene, Thing, random_scene
from capexport.scenes.truth import Verdict, judge

__all__ = ["Scene", "Thing", "Verdict", "judge", "random_scene", "read_scenes", "write_scenes"]
