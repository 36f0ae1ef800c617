"""Peer: a hand-written Python loop around OpenVINO: the fp32 source in bf16, or embedkit's INT8 as a QDQ model.

embedkit's model takes no mask, so its batches are of equal length. Shapes stay dynamic, which lets one compiled model take every batch; the throughput hint keeps as many requests in flight as it asks for.
"""
import peer

FILES = {"bf16": "model.onnx", "int8": "model_qdq.onnx"}


def load(args):
    import numpy as np
    import openvino as ov

    core = ov.Core()
    model = core.read_model(f"{args.model}/onnx/{FILES[args.variant]}")
    model.reshape({i.any_name: [-1, -1] for i in model.inputs})
    settings = {"PERFORMANCE_HINT": "THROUGHPUT", "INFERENCE_NUM_THREADS": args.threads, "INFERENCE_PRECISION_HINT": "bf16"}
    compiled = core.compile_model(model, "CPU", settings)
    names = [i.any_name for i in compiled.inputs]
    queue = ov.AsyncInferQueue(compiled)

    def all_batches(batches):
        rows = [None] * len(batches)

        def done(request, index):
            out = request.get_output_tensor(0).data
            rows[index] = (out[:, 0] if out.ndim == 3 else out).astype(np.float32)

        queue.set_callback(done)
        for index, feeds in enumerate(batches):
            queue.start_async({name: feeds[name] for name in names}, index)
        queue.wait_all()
        return rows

    return peer.padded_batches(args, None, all_batches, equal_lengths="attention_mask" not in names)


peer.run("OpenVINO", ["openvino", "tokenizers", "numpy"], load)
