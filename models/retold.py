"""Let a model retell a data set's training images: the captions that a sparse copy of it learns.

    python models/retold.py DATA BUNDLE OUT [--set SET] [--features FILE]

BUNDLE is the dense model, exported with `--recipe fp32`. Each training image of OUT has as many
captions as before, all of them what the bundle says of it; other images keep theirs, and no
picture is copied. A student of one teacher's words has fewer ways to say a thing than people have,
so it is surer of each word (Kim and Rush, "Sequence-Level Knowledge Distillation", EMNLP 2016).
"""

import argparse
import json
from pathlib import Path

from capexport.bundle import open_bundle
from capexport.evaluate.datasets import CaptionedImage, read_captions
from capexport.evaluate.quality import reading
from capexport.runtime import caption, open_session


def main() -> None:
    options = _options()
    images = [one for one in read_captions(options.data) if options.set in ("", one.subset)]
    bundle = open_bundle(options.bundle)
    session = open_session(bundle, bundle.manifest.runtimes[0])
    read = reading(bundle.manifest.image, options.features)
    pictures = options.data / "images"
    options.out.mkdir(parents=True)
    (options.out / "images").symlink_to(pictures.resolve(), target_is_directory=True)
    records = []
    for image in images:
        captions = list(image.captions)
        if image.split == "train":
            captions = [caption(session, read(image), 1).text] * len(captions)
        records.append(_record(image, pictures, captions))
    (options.out / "captions.json").write_text(json.dumps({"images": records}))
    print(f"{len(records)} images in {options.out}")


def _record(image: CaptionedImage, pictures: Path, captions: list[str]) -> dict[str, object]:
    name = str(image.file.relative_to(pictures))
    return {"set": image.subset, "split": image.split, "file": name, "captions": captions}


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("data", type=Path)
    parser.add_argument("bundle", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--set", default="")
    parser.add_argument("--features", type=Path)
    return parser.parse_args()


if __name__ == "__main__":
    main()
