"""`capexport prune`: a checkpoint and captioned images -> a sparse checkpoint."""

from pathlib import Path
from typing import Annotated, Any, Literal

import typer

from capexport.cli.options import AsJson, Debug
from capexport.cli.output import percent, print_facts, print_json
from capexport.cli.progress import stages
from capexport.errors import InputError


def prune(
    checkpoint: Annotated[Path, typer.Argument(help="What `capexport export` takes.")],
    data: Annotated[
        Path,
        typer.Option("--data", help="Captions file of Karpathy, COCO or Flickr, or its folder."),
    ],
    out: Annotated[
        Path | None, typer.Option("--out", help="Folder to write the checkpoint to.")
    ] = None,
    scope: Annotated[
        Literal["decoder", "encoder", "both"], typer.Option("--scope", help="What is pruned.")
    ] = "decoder",
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
    view: Annotated[
        list[Path] | None,
        typer.Option("--view", help="Features of the same images by another encoder; repeatable."),
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
    dropout: Annotated[
        float, typer.Option("--dropout", min=0, max=0.9, help="The sparser, the less.")
    ] = 0.5,
    average: Annotated[
        float,
        typer.Option("--average", min=0, max=0.4, help="Share of steps averaged at the end."),
    ] = 0.0,
    distillation: Annotated[
        float, typer.Option("--distillation", min=0, max=1, help="Share of the dense model's say.")
    ] = 0.0,
    seed: Annotated[
        int, typer.Option("--seed", min=0, max=2**31 - 1, help="Of batches, dropout and masks.")
    ] = 0,
    patience: Annotated[
        int,
        typer.Option("--patience", min=0, help="Stop after epochs without better loss; 0: never."),
    ] = 0,
    held_out: Annotated[
        str, typer.Option("--held-out", help="Split that patience judges by.")
    ] = "val",
    bfloat16: Annotated[
        bool, typer.Option("--bfloat16", help="Products of matrices in half the bits.")
    ] = False,
    device: Annotated[Literal["cpu", "cuda"], typer.Option("--device", help="Train on.")] = "cpu",
    encoder_out: Annotated[
        Path | None,
        typer.Option("--encoder-out", help="Pruned image encoder, .safetensors, as --encoder."),
    ] = None,
    encoder_sparsity: Annotated[
        float, typer.Option("--encoder-sparsity", min=0, max=1, help="Of its convolutions.")
    ] = 0.5,
    encoder_pictures: Annotated[
        int, typer.Option("--encoder-pictures", min=1, help="Pictures to fit it on.")
    ] = 64,
    storage: Annotated[
        Literal["float32", "float16", "int8"],
        typer.Option("--storage", help="Matrices in the file; int8 is for those hardly pruned."),
    ] = "float32",
    force: Annotated[bool, typer.Option("--force", help="Replace an existing output.")] = False,
    as_json: AsJson = False,
    debug: Debug = False,
) -> None:
    """Prune a captioner of region or grid features while it is trained on, or its image encoder.

    supermask learns which weights to keep (Tan, Chan and Chuah, 2021), gradual drops the smallest
    little by little, oneshot drops them first and then trains. A run that was interrupted goes on
    when the command is given again.

    --scope encoder prunes the 1x1 convolutions of the image encoder and fits the rest to what its
    dense self says of some pictures; captions are not read. --scope both does so after the decoder;
    if interrupted there, go on with --scope encoder.

    Example:

      capexport prune checkpoint/ --data ucm/ --encoder mobilenet.npz --sparsity 0.9 --out sparse/

      capexport prune checkpoint/ --data ucm/ --scope encoder --encoder mobilenet.npz
      --encoder-sparsity 0.6 --encoder-out sparse.safetensors --storage float16
    """
    _check_scope(scope, out, encoder, encoder_out)
    from capexport.checkpoint.image_encoder import check_encoder_target
    from capexport.evaluate.datasets import read_captions, select
    from capexport.prune.encoder import EncoderPlan, check_fits, counts, prune_encoder
    from capexport.prune.run import Target
    from capexport.prune.run import prune as run
    from capexport.prune.training import Plan

    if encoder is not None and encoder_out is not None:
        check_encoder_target(encoder_out, force=force)
        check_fits(encoder, checkpoint)
    document: dict[str, Any] = {"scope": scope, "storage": storage}
    facts: list[tuple[str, str]] = []
    with stages() as stage:
        if out is not None:
            plan = Plan(
                epochs=epochs,
                batch=batch,
                captions=captions,
                learning_rate=learning_rate,
                dropout=dropout,
                average=average,
                patience=patience,
                bfloat16=bfloat16,
                distillation=distillation,
                seed=seed,
            )
            result = run(
                checkpoint,
                data,
                out,
                Target(method, sparsity, scheme),
                plan,
                encoder=encoder,
                features=features,
                views=view or (),
                split=split,
                subset=subset,
                held_out=held_out,
                device=device,
                storage=storage,
                force=force,
                progress=stage,
            )
            document |= {"out": str(out), "method": method, "epochs": epochs}
            document |= {"bytes": result.bytes_on_disk, **result.statistics()}
            facts += _facts("checkpoint", document)
        if encoder is not None and encoder_out is not None:
            pruned = prune_encoder(
                encoder,
                select(read_captions(data), split, subset),
                encoder_out,
                EncoderPlan(encoder_sparsity, encoder_pictures),
                storage=storage,
                force=force,
                progress=stage,
            )
            document["encoder"] = {"out": str(encoder_out), **counts(pruned)}
            facts += _facts("image encoder", document["encoder"])
    if as_json:
        print_json(document)
    else:
        print_facts(facts)


def _facts(what: str, written: dict[str, Any]) -> list[tuple[str, str]]:
    return [
        (what, written["out"]),
        ("parameters", f"{written['parameters']:,}"),
        ("non-zeros", f"{written['nnz']:,} ({percent(written['sparsity'])} zeros)"),
        ("bytes", f"{written['bytes']:,}"),
    ]


def _check_scope(
    scope: str, out: Path | None, encoder: str | None, encoder_out: Path | None
) -> None:
    """Raise InputError unless the outputs given are those of the scope."""
    wanted = {"--out": scope != "encoder", "--encoder-out": scope != "decoder"}
    given = {"--out": out is not None, "--encoder-out": encoder_out is not None}
    for name, needed in wanted.items():
        if needed != given[name]:
            raise InputError(
                f"{name} is {'missing' if needed else 'not written'}",
                where=f"--scope {scope}",
                hint="--out is the checkpoint's folder, --encoder-out the image encoder's file",
            )
    if encoder_out is not None and encoder is None:
        raise InputError(
            "there is no image encoder to prune",
            where=f"--scope {scope}",
            hint="give its weights by --encoder",
        )
