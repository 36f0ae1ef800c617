"""Writes one Hugging Face style folder that all four peers can load.

    make_folders.py SOURCE OUT     SOURCE holds model.onnx and tokenizer.json

The ONNX file and tokenizer.json are copied as they are; model.safetensors gets
the same fp32 weights under PyTorch's names.
"""
import json
import re
import shutil
import sys
from pathlib import Path

import numpy as np
import onnx
from onnx import numpy_helper
from safetensors.numpy import save_file

CONFIG = {
    "architectures": ["BertModel"],
    "model_type": "bert",
    "vocab_size": 30522,
    "hidden_size": 384,
    "num_hidden_layers": 12,
    "num_attention_heads": 12,
    "intermediate_size": 1536,
    "hidden_act": "gelu",
    "layer_norm_eps": 1e-12,
    "max_position_embeddings": 512,
    "type_vocab_size": 2,
    "hidden_dropout_prob": 0.1,
    "attention_probs_dropout_prob": 0.1,
    "position_embedding_type": "absolute",
    "pad_token_id": 0,
    "torch_dtype": "float32",
}
SPECIAL = {
    "unk_token": "[UNK]",
    "sep_token": "[SEP]",
    "pad_token": "[PAD]",
    "cls_token": "[CLS]",
    "mask_token": "[MASK]",
}


def torch_weights(onnx_file: Path) -> dict[str, np.ndarray]:
    graph = onnx.load(str(onnx_file)).graph
    initialisers = {i.name: numpy_helper.to_array(i) for i in graph.initializer}
    # The exporter kept the names of embeddings, biases and norms. A linear layer's
    # weight it transposed and left anonymous ("onnx::MatMul_1525"), but the MatMul
    # node that reads it is named by its place: /encoder/layer.0/.../query/MatMul.
    weights = {n: w for n, w in initialisers.items() if not n.startswith("onnx::")}
    for node in graph.node:
        if node.op_type == "MatMul" and node.input[1] in initialisers:
            place = re.fullmatch(r"/(encoder/.+)/MatMul", node.name).group(1)
            weights[place.replace("/", ".") + ".weight"] = initialisers[node.input[1]].T
    assert len(weights) == 5 + 12 * 16, len(weights)
    # BertModel also has a pooler, which torch runs though CLS pooling never reads it.
    # The ONNX file lacks it: zeros keep the work and avoid a "newly initialised" warning.
    weights["pooler.dense.weight"] = np.zeros((384, 384), np.float32)
    weights["pooler.dense.bias"] = np.zeros(384, np.float32)
    assert all(w.dtype == np.float32 for w in weights.values())
    return {n: np.ascontiguousarray(w) for n, w in weights.items()}


def main() -> None:
    source, out = Path(sys.argv[1]), Path(sys.argv[2])

    def write(name: str, value: object) -> None:
        path = out / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(value, indent=2) + "\n")

    write("config.json", CONFIG)
    write("special_tokens_map.json", SPECIAL)
    write("tokenizer_config.json", {
        "tokenizer_class": "BertTokenizer",
        "model_max_length": 512,
        "do_lower_case": True,
        "do_basic_tokenize": True,
        "tokenize_chinese_chars": True,
        "strip_accents": None,
        "clean_up_tokenization_spaces": True,
        **SPECIAL,
    })
    # sentence-transformers: transformer, then the CLS row, then unit length.
    write("modules.json", [
        {"idx": 0, "name": "0", "path": "", "type": "sentence_transformers.models.Transformer"},
        {"idx": 1, "name": "1", "path": "1_Pooling", "type": "sentence_transformers.models.Pooling"},
        {"idx": 2, "name": "2", "path": "2_Normalize", "type": "sentence_transformers.models.Normalize"},
    ])
    write("sentence_bert_config.json", {"max_seq_length": 512, "do_lower_case": True})
    write("1_Pooling/config.json", {
        "word_embedding_dimension": 384,
        "pooling_mode_cls_token": True,
        "pooling_mode_mean_tokens": False,
        "pooling_mode_max_tokens": False,
        "pooling_mode_mean_sqrt_len_tokens": False,
    })
    (out / "2_Normalize").mkdir(exist_ok=True)

    vocab = json.loads((source / "tokenizer.json").read_text())["model"]["vocab"]
    (out / "vocab.txt").write_text("".join(t + "\n" for t in sorted(vocab, key=vocab.get)))
    shutil.copyfile(source / "tokenizer.json", out / "tokenizer.json")
    (out / "onnx").mkdir(exist_ok=True)
    shutil.copyfile(source / "model.onnx", out / "onnx/model.onnx")
    save_file(torch_weights(source / "model.onnx"), out / "model.safetensors", {"format": "pt"})
    print(f"wrote {out}")


if __name__ == "__main__":
    main()
