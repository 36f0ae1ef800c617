"""Peer: PyPI fastembed, as its documentation adds a custom model, on our ONNX file.

Its own bge-small-en-v1.5 is another, quantised file, so the model is registered anew.
"""
import peer


def load(args):
    import numpy as np
    from fastembed import TextEmbedding
    from fastembed.common.model_description import ModelSource, PoolingType

    name = "peers/bge-small-en-v1.5"
    TextEmbedding.add_custom_model(
        model=name,
        pooling=PoolingType.CLS,
        normalization=True,
        sources=ModelSource(hf=name),  # required, unused: specific_model_path comes first
        dim=384,
        model_file="onnx/model.onnx",
    )
    # threads: ONNX Runtime's intra-op (and inter-op, unused when sequential) pool.
    model = TextEmbedding(name, specific_model_path=args.model, threads=args.threads)
    return lambda texts: np.stack(list(model.embed(texts, batch_size=args.batch)))


peer.run("fastembed (Python)", ["fastembed", "onnxruntime", "tokenizers", "numpy"], load)
