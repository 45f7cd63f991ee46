"""`capexport prune`: a checkpoint and captioned images -> a sparse checkpoint."""

from pathlib import Path
from typing import Annotated, Literal

import typer

from capexport.cli.options import AsJson, Debug
from capexport.cli.output import percent, print_facts, print_json
from capexport.cli.progress import stages


def prune(
    checkpoint: Annotated[Path, typer.Argument(help="What `capexport export` takes.")],
    data: Annotated[
        Path,
        typer.Option("--data", help="Captions file of Karpathy, COCO or Flickr, or its folder."),
    ],
    out: Annotated[Path, typer.Option("--out", help="Folder to write the checkpoint to.")],
    method: Annotated[
        Literal["supermask", "gradual", "oneshot"], typer.Option("--method", help="What drops.")
    ] = "supermask",
    sparsity: Annotated[
        float, typer.Option("--sparsity", min=0, max=1, help="Share of zeros in all matrices.")
    ] = 0.9,
    scheme: Annotated[
        Literal["uniform", "blind", "distribution"],
        typer.Option("--scheme", help="Which weights compete, in gradual and oneshot."),
    ] = "uniform",
    encoder: Annotated[
        str | None, typer.Option("--encoder", help="Image encoder's weights: PATH, or NAME:PATH.")
    ] = None,
    features: Annotated[
        Path | None, typer.Option("--features", help="Features file of all images, instead.")
    ] = None,
    split: Annotated[str, typer.Option("--split", help="Images to train on; '': all.")] = "train",
    subset: Annotated[
        str, typer.Option("--set", help="Data set within a collection; default: all of them.")
    ] = "",
    epochs: Annotated[int, typer.Option("--epochs", min=1, help="Rounds over all images.")] = 8,
    batch: Annotated[int, typer.Option("--batch", min=1, help="Images a step.")] = 16,
    captions: Annotated[
        int, typer.Option("--captions", min=0, help="Of each image a step; 0: all.")
    ] = 0,
    learning_rate: Annotated[
        float, typer.Option("--learning-rate", min=1e-9, max=1.0, help="Highest.")
    ] = 8e-4,
    distillation: Annotated[
        float, typer.Option("--distillation", min=0, max=1, help="Share of the dense model's say.")
    ] = 0.0,
    seed: Annotated[
        int, typer.Option("--seed", min=0, max=2**31 - 1, help="Of batches, dropout and masks.")
    ] = 0,
    device: Annotated[Literal["cpu", "cuda"], typer.Option("--device", help="Train on.")] = "cpu",
    storage: Annotated[
        Literal["float32", "float16", "int8"],
        typer.Option("--storage", help="Matrices in the file; int8 is for those hardly pruned."),
    ] = "float32",
    force: Annotated[bool, typer.Option("--force", help="Replace an existing output.")] = False,
    as_json: AsJson = False,
    debug: Debug = False,
) -> None:
    """Prune a captioner of region or grid features while it is trained on.

    supermask learns which weights to keep (Tan, Chan and Chuah, 2021), gradual drops the smallest
    little by little, oneshot drops them first and then trains. The image encoder is not changed. A
    run that was interrupted goes on when the command is given again.

    Example:

      capexport prune checkpoint/ --data ucm/ --encoder mobilenet.npz --sparsity 0.9 --out sparse/
    """
    from capexport.prune.run import Target
    from capexport.prune.run import prune as run
    from capexport.prune.training import Plan

    plan = Plan(
        epochs=epochs,
        batch=batch,
        captions=captions,
        learning_rate=learning_rate,
        distillation=distillation,
        seed=seed,
    )
    with stages() as stage:
        result = run(
            checkpoint,
            data,
            out,
            Target(method, sparsity, scheme),
            plan,
            encoder=encoder,
            features=features,
            split=split,
            subset=subset,
            device=device,
            storage=storage,
            force=force,
            progress=stage,
        )
    statistics = result.statistics()
    written = {"storage": storage, "bytes": result.bytes_on_disk}
    if as_json:
        print_json({"out": str(out), "method": method, "epochs": epochs, **written, **statistics})
        return
    print_facts(
        [
            ("checkpoint", str(out)),
            ("parameters", f"{statistics['parameters']:,}"),
            ("non-zeros", f"{result.nnz:,} ({percent(statistics['sparsity'])} zeros)"),
            ("bytes", f"{result.bytes_on_disk:,} ({storage})"),
        ]
    )
