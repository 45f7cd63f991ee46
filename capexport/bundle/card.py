"""Manifest -> card.md, the page that tells a person what is in the bundle."""

from collections.abc import Mapping

from capexport.bundle.manifest import Manifest


def card_text(manifest: Manifest, files: Mapping[str, bytes]) -> bytes:
    """The card in Markdown; `files` are the contents by name, for their sizes."""
    rule = manifest.decoding
    facts = {
        "Architecture": f"{manifest.architecture} ({manifest.lineage})",
        "Recipe": f"encoder {manifest.recipe['encoder']}, decoder {manifest.recipe['decoder']}",
        "Weights": manifest.weights,
        **_nonzeros(manifest),
        "Runtimes": ", ".join(_runtime(manifest, name) for name in manifest.runtimes),
        **_image(manifest),
        "Vocabulary": f"{len(manifest.vocabulary.pieces)} pieces",
        "Decoding": f"beam {rule.beam}, at most {rule.max_length} tokens",
        "Written by": f"capexport {manifest.provenance.get('capexport', '(version not recorded)')}",
    }
    sections = [
        f"# {manifest.architecture}: image captions",
        _table(("", ""), facts),
        "## Files",
        _table(("file", "bytes"), {name: f"{len(data):,}" for name, data in sorted(files.items())}),
        "`manifest.json` describes inputs, states and decoding; every file has its sha256 there.",
    ]
    return ("\n\n".join(sections) + "\n").encode("utf-8")


def _nonzeros(manifest: Manifest) -> dict[str, str]:
    """What the recipe left of the weights, where the exporter noted it."""
    graphs: Mapping[str, Mapping[str, int]] = manifest.provenance.get("graphs", {})
    counts = [
        f"{name} {count['nnz']:,}, {count['rounded_to_zero']:,} of them rounded to zero"
        for name, count in graphs.items()
    ]
    return {"Non-zero weights": "; ".join(counts)} if counts else {}


def _image(manifest: Manifest) -> dict[str, str]:
    if manifest.image is None:
        return {}
    encoder = manifest.provenance.get("image_encoder", {}).get("architecture", "any")
    return {"Input": f"pictures, {manifest.image.height} x {manifest.image.width}, for {encoder}"}


def _runtime(manifest: Manifest, name: str) -> str:
    minimum = manifest.minimum_runtime.get(name)
    return f"{name} {minimum} or later" if minimum else name


def _table(head: tuple[str, str], rows: Mapping[str, str]) -> str:
    lines = [head, ("---", "---"), *rows.items()]
    return "\n".join(f"| {left} | {right} |" for left, right in lines)
