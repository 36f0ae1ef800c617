"""Peer: PyPI sentence-transformers, torch backend, CPU, fp32, from the local folder."""
import peer


def load(args):
    import torch
    from sentence_transformers import SentenceTransformer

    torch.set_num_threads(args.threads)  # compute inside an operator
    torch.set_num_interop_threads(1)  # operators side by side: unused here
    model = SentenceTransformer(args.model, device="cpu", local_files_only=True)
    assert next(model.parameters()).dtype == torch.float32
    # encode() already sorts by length. The progress bar is off outside a terminal anyway.
    return lambda texts: model.encode(texts, batch_size=args.batch, show_progress_bar=False)


peer.run("sentence-transformers", ["sentence-transformers", "transformers", "torch", "tokenizers", "numpy"], load)
