"""Golden pictures and captions of the scenes model: `python tests/models/make_scenes_golden.py`.

With tests/ and the repository on PYTHONPATH. Captions are PyTorch's; only pictures whose caption is
true are taken, so that a reader sees at once what each test says.
"""

import json
import random
import shutil
from pathlib import Path

import torch

from capexport.captioner import build_captioner
from capexport.captioner.search import beam_search
from capexport.checkpoint import read_checkpoint
from capexport.runtime import read_picture
from capexport.scenes import judge, random_scene
from capexport.scenes.picture import draw

MODEL = Path(__file__).parent.parent.parent / "models" / "scenes"
SEED, PICTURES = 2, 6


def main() -> None:
    captioner = build_captioner(read_checkpoint(MODEL))
    assert captioner.image is not None
    folder = MODEL / "golden"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    rng, golden = random.Random(SEED), []
    while len(golden) < PICTURES:
        scene = random_scene(rng)
        file = folder / f"{len(golden)}.png"
        draw(scene, rng.getrandbits(32)).save(file)
        pixels = torch.from_numpy(read_picture(file, captioner.image).pixels)
        best = beam_search(captioner, captioner.decoding.beam, pixels)[0]
        caption = captioner.vocabulary.text(best.tokens, captioner.decoding)
        if judge(caption, scene).is_true:
            golden.append({"picture": f"golden/{file.name}", "caption": caption})
        else:
            file.unlink()
    (MODEL / "golden.json").write_text(json.dumps(golden, indent=1) + "\n")


main()
