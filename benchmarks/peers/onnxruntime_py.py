"""Peer: a hand-written Python loop around onnxruntime, as its documentation runs a session: fp32, or its own dynamic INT8."""
import peer

FILES = {"fp32": "model.onnx", "int8": "model_quantized.onnx"}


def load(args):
    import onnxruntime as ort

    options = ort.SessionOptions()
    options.intra_op_num_threads = args.threads
    options.inter_op_num_threads = 1
    session = ort.InferenceSession(f"{args.model}/onnx/{FILES[args.variant]}", options, providers=["CPUExecutionProvider"])
    return peer.padded_batches(args, lambda feeds: session.run(None, feeds)[0][:, 0])


peer.run("onnxruntime", ["onnxruntime", "tokenizers", "numpy"], load)
