"""Writes test/golden/families/<family>/: tiny seeded random models as sentence-transformers saves them, and what Python computes with them.

usage: python test/golden/families.py calibration/default.txt test/golden/families [family ...]
needs: PyPI sentence-transformers, transformers, tokenizers, torch

Every model has 2 to 4 layers of 32 channels and a tokenizer of about 300 tokens trained on the calibration text. Weights are
rounded to the type they are saved in before anything is computed, in float32.
golden.json: ids of texts, where their last hidden states lie in golden.f32 (little-endian float32; of the longest text three
tokens only), and texts with the vectors of SentenceTransformer.encode.
"""
import json
import pathlib
import platform
import shutil
import sys

import sentence_transformers
import tokenizers
import torch
import transformers
from sentence_transformers import SentenceTransformer
from sentence_transformers.base.modules import Dense, Normalize, Transformer
from sentence_transformers.sentence_transformer.modules import Pooling
from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers

corpus, out, *wanted = sys.argv[1:]
# Few characters, so that a small vocabulary holds them all.
LINES = [line for line in open(corpus, encoding="utf-8").read().split("\n") if line and max(map(ord, line)) < 0x180][:1500]
VOCABULARY = 300
LONGEST = 160
SIZES = dict(hidden_size=32, num_attention_heads=4, intermediate_size=48, num_hidden_layers=2)
TEXTS = [
    "A short one.",
    "The ferry leaves the northern pier at a quarter past six.",
    "How long may bread dough rest in a cold kitchen before it is baked?",
    "caf\u00e9 na\u00efve \u03a3\u03af\u03c3\u03c5\u03c6\u03bf\u03c2 \u6771\u4eac \U0001f600",
    "x",
    " ".join(LINES[:3])[:400],
]


def wordpiece(special=("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]")):
    tokenizer = Tokenizer(models.WordPiece(unk_token="[UNK]"))
    tokenizer.normalizer = normalizers.BertNormalizer(lowercase=True)
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    tokenizer.decoder = decoders.WordPiece()
    trainer = trainers.WordPieceTrainer(vocab_size=VOCABULARY, special_tokens=list(special), limit_alphabet=80)
    tokenizer.train_from_iterator(LINES, trainer)
    return around(tokenizer, "[CLS]", "[SEP]"), dict(pad_token="[PAD]", unk_token="[UNK]", cls_token="[CLS]", sep_token="[SEP]", mask_token="[MASK]")


def byte_level_bpe():
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=VOCABULARY + 100,
        special_tokens=["<s>", "<pad>", "</s>", "<unk>", "<mask>"],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
    )
    tokenizer.train_from_iterator(LINES, trainer)
    return around(tokenizer, "<s>", "</s>"), dict(pad_token="<pad>", unk_token="<unk>", cls_token="<s>", sep_token="</s>", mask_token="<mask>")


def unigram():
    tokenizer = Tokenizer(models.Unigram())
    tokenizer.normalizer = normalizers.Sequence([normalizers.NFKC(), normalizers.Replace(tokenizers.Regex(" {2,}"), " ")])
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace()
    tokenizer.decoder = decoders.Metaspace()
    trainer = trainers.UnigramTrainer(
        vocab_size=VOCABULARY, special_tokens=["<s>", "<pad>", "</s>", "<unk>", "<mask>"], unk_token="<unk>"
    )
    tokenizer.train_from_iterator(LINES, trainer)
    return around(tokenizer, "<s>", "</s>"), dict(pad_token="<pad>", unk_token="<unk>", cls_token="<s>", sep_token="</s>", mask_token="<mask>")


def around(tokenizer, first, last):
    ids = [(token, tokenizer.token_to_id(token)) for token in (first, last)]
    tokenizer.post_processor = processors.TemplateProcessing(single=f"{first} $A {last}", pair=f"{first} $A {last} $B {last}", special_tokens=ids)
    return tokenizer


HALF, BRAIN, FULL = torch.float16, torch.bfloat16, torch.float32
BERT = dict(vocab_size=VOCABULARY, max_position_embeddings=160)
PAD1 = dict(pad_token_id=1, bos_token_id=0, eos_token_id=2, layer_norm_eps=1e-5, max_position_embeddings=162)
FAMILIES = {
    "bert": dict(
        config=transformers.BertConfig(**SIZES, **BERT),
        tokenizer=wordpiece,
        dtype=HALF,
        modules=lambda: [Pooling(32, "cls"), Normalize()],
        prompts={"query": "search: ", "document": ""},
    ),
    "roberta": dict(
        config=transformers.RobertaConfig(**SIZES, vocab_size=VOCABULARY + 100, type_vocab_size=1, **PAD1),
        tokenizer=byte_level_bpe,
        dtype=HALF,
        modules=lambda: [Pooling(32, "mean"), Dense(32, 12, activation_function=torch.nn.Tanh()), Normalize()],
    ),
    "xlm-roberta": dict(
        config=transformers.XLMRobertaConfig(**SIZES, vocab_size=VOCABULARY, type_vocab_size=1, hidden_act="gelu_new", **PAD1),
        tokenizer=unigram,
        dtype=HALF,
        shard="30KB",
        modules=lambda: [Pooling(32, "mean"), Normalize()],
        prompts={"query": "query: ", "passage": "passage: "},
    ),
    "distilbert": dict(
        config=transformers.DistilBertConfig(dim=32, n_heads=4, hidden_dim=48, n_layers=2, **BERT),
        tokenizer=wordpiece,
        dtype=BRAIN,
        modules=lambda: [Pooling(32, "max")],
    ),
    "mpnet": dict(
        config=transformers.MPNetConfig(**SIZES, vocab_size=VOCABULARY, **{**PAD1, "max_position_embeddings": 164}),
        # MPNet takes id 1 for padding, whatever config.json says.
        tokenizer=lambda: wordpiece(("[CLS]", "[PAD]", "[SEP]", "[UNK]", "[MASK]")),
        dtype=HALF,
        modules=lambda: [Pooling(32, "mean"), Normalize()],
    ),
    "modernbert": dict(
        config=transformers.ModernBertConfig(
            **{**SIZES, "num_hidden_layers": 4},
            vocab_size=VOCABULARY + 100,
            max_position_embeddings=256,
            local_attention=16,
            pad_token_id=1,
            bos_token_id=0,
            eos_token_id=2,
            cls_token_id=0,
            sep_token_id=2,
        ),
        tokenizer=byte_level_bpe,
        dtype=HALF,
        modules=lambda: [Pooling(32, "weightedmean"), Normalize()],
    ),
    "nomic-bert": dict(
        config=transformers.NomicBertConfig(**SIZES, vocab_size=VOCABULARY, max_position_embeddings=256, matryoshka_dimensions=[16, 8]),
        tokenizer=wordpiece,
        dtype=HALF,
        modules=lambda: [Pooling(32, "mean"), Normalize()],
        prompts={"search_query": "search_query: ", "search_document": "search_document: "},
        default_prompt="search_document",
    ),
    "gte": dict(
        config=transformers.GteConfig(**SIZES, vocab_size=VOCABULARY, max_position_embeddings=256),
        tokenizer=unigram,
        dtype=FULL,
        modules=lambda: [
            Pooling(32, "lasttoken"),
            Dense(32, 24, bias=False, activation_function=torch.nn.Identity()),
            Dense(24, 8, bias=True, activation_function=torch.nn.ReLU()),
            Normalize(),
        ],
    ),
}


def randomise(module, seed):
    """Weights of both signs such that values stay near 1 and attention is far from even."""
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for name, parameter in sorted(module.named_parameters()):
            noise = torch.randn(parameter.shape, generator=generator)
            if parameter.dim() == 1:
                is_scale = "norm" in name.lower() and name.endswith("weight")
                parameter.copy_(1 + 0.2 * noise if is_scale else 0.1 * noise)
            else:
                parameter.copy_(noise * (1.5 / parameter.shape[-1] ** 0.5 if "embedding" not in name else 0.7))


def make(name, spec, seed):
    folder = pathlib.Path(out) / name
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    tokenizer, special = spec["tokenizer"]()
    base = folder / "base"
    model = transformers.AutoModel.from_config(spec["config"], attn_implementation="eager").eval()
    randomise(model, seed)
    model.to(spec["dtype"]).save_pretrained(base)
    fast = transformers.PreTrainedTokenizerFast(tokenizer_object=tokenizer, model_max_length=LONGEST, **special)
    fast.save_pretrained(base)
    # Read back: the tokenizer as saved may differ from the one that was built.
    tokenizer = Tokenizer.from_file(str(base / "tokenizer.json"))
    transformer = Transformer(str(base), model_kwargs={"dtype": torch.float32, "attn_implementation": "eager"})
    modules = spec["modules"]()
    for module in modules:
        randomise(module, seed + 50)
    prompts = dict(prompts=spec.get("prompts"), default_prompt_name=spec.get("default_prompt"))
    whole = SentenceTransformer(modules=[transformer, *modules], device="cpu", **prompts)
    # Whatever type the weights were loaded in, they are computed with in float32.
    whole.float().eval()
    golden = golden_of(whole, transformer, tokenizer, folder, seed)
    whole.save(str(folder), create_model_card=False)
    # Saved from float32: put back what was read.
    for path in [*folder.glob("*.safetensors"), *folder.glob("*.index.json")]:
        path.unlink()
    model.save_pretrained(folder, **({"max_shard_size": spec["shard"]} if "shard" in spec else {}))
    shutil.rmtree(base)
    (folder / "golden.json").write_text(compact(golden))


def compact(golden):
    """JSON with one text a line."""
    lists = {key: ",\n".join(json.dumps(one) for one in golden[key]) for key in ("states", "texts")}
    parts = [f'"versions": {json.dumps(golden["versions"])}', *(f'"{key}": [\n{text}\n]' for key, text in lists.items())]
    return "{\n" + ",\n".join(parts) + "\n}\n"


def golden_of(whole, transformer, tokenizer, folder, seed):
    generator = torch.Generator().manual_seed(seed + 100)
    values = []
    states = []
    vocabulary = tokenizer.get_vocab_size()
    with torch.no_grad():
        for length in (2, 9, 33, 150):
            ids = torch.randint(5, vocabulary, (1, length), generator=generator)
            hidden = transformer.model(input_ids=ids, attention_mask=torch.ones_like(ids)).last_hidden_state[0]
            tokens = list(range(length)) if length < 100 else [0, 74, 149]
            states.append({"ids": ids[0].tolist(), "tokens": tokens, "offset": sum(map(len, values))})
            values.append(hidden[tokens].flatten().numpy().astype("<f4"))
        vectors = whole.encode(TEXTS)
    tokenizer.enable_truncation(LONGEST)
    texts = [{"text": text, "ids": tokenizer.encode(text).ids, "vector": vector.tolist()} for text, vector in zip(TEXTS, vectors)]
    with open(folder / "golden.f32", "wb") as file:
        for one in values:
            file.write(one.tobytes())
    versions = {
        "python": platform.python_version(),
        "torch": torch.__version__,
        "transformers": transformers.__version__,
        "sentence_transformers": sentence_transformers.__version__,
        "tokenizers": tokenizers.__version__,
    }
    return {"versions": versions, "states": states, "texts": texts}


for seed, (name, spec) in enumerate(FAMILIES.items(), 1):
    if not wanted or name in wanted:
        make(name, spec, seed)
