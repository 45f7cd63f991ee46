"""A detector folder + runtime -> a picture's regions, as captioners of features take them."""

from pathlib import Path

from capexport.bundle.detector_folder import DetectorFolder, open_detector_folder
from capexport.errors import InputError
from capexport.runtime.backends import backend
from capexport.runtime.features import Features
from capexport.runtime.graph_runner import GraphRunner
from capexport.runtime.image import Picture, read_picture
from capexport.runtime.regions import MOST_OVERLAP, MOST_REGIONS, choose_regions
from capexport.spec.signature import IMAGE


class RegionDetector:
    """The graph in one runtime, with suppression behind it."""

    def __init__(self, folder: DetectorFolder, graph: GraphRunner) -> None:
        self.image, self._graph = folder.image, graph

    def read(self, file: Path) -> Picture:
        """A picture file as the detector takes it; InputError when it is none."""
        return read_picture(file, self.image)

    def regions(
        self, picture: Picture, *, most: int = MOST_REGIONS, overlap: float = MOST_OVERLAP
    ) -> Features:
        """Boxes and features of at most `most` regions; see `choose_regions`."""
        found = self._graph.run({IMAGE: picture.pixels})
        return choose_regions(
            found["box"], found["score"], found["features"], most=most, overlap=overlap
        )


def open_detector(path: Path, runtime: str, threads: int = 1) -> RegionDetector:
    """The detector that `export_detector` wrote to `path`, in one of RUNTIMES.

    Raises:
        BundleError: no detector is there, a file was changed, or the graph does not open.
        InputError: it has no graph for that runtime.
        RuntimeMissingError: the runtime is not installed.
    """
    chosen, folder = backend(runtime), open_detector_folder(path)
    if runtime not in folder.graphs:
        raise InputError(
            f"the detector has no graph for {runtime}",
            where=str(path),
            hint=f"use {' or '.join(folder.graphs)}",
        )
    return RegionDetector(folder, chosen.open_graph(folder.graphs[runtime], threads, packed=False))
