"""Peer: PyPI sentence-transformers, torch backend, CPU, fp32 or bf16, from the local folder."""
import peer


def load(args):
    import torch
    from sentence_transformers import SentenceTransformer

    torch.set_num_threads(args.threads)  # compute inside an operator
    torch.set_num_interop_threads(1)  # operators side by side: unused here
    dtype = {"fp32": torch.float32, "bf16": torch.bfloat16}[args.variant]
    model = SentenceTransformer(args.model, device="cpu", local_files_only=True, model_kwargs={"dtype": dtype})
    assert next(model.parameters()).dtype == dtype
    # encode() already sorts by length. The progress bar is off outside a terminal anyway.
    # float(): NumPy has no bf16.
    encode = lambda texts: model.encode(texts, batch_size=args.batch, show_progress_bar=False, convert_to_tensor=True)  # noqa: E731
    return lambda texts: encode(texts).float().numpy()


peer.run("sentence-transformers", ["sentence-transformers", "transformers", "torch", "tokenizers", "numpy"], load)
