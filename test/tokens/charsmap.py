"""What PyPI tokenizers makes of texts with the normalizer that PyPI sentencepiece compiles (nmt_nfkc, that of XLM-R, T5 and their kin).

usage: python test/tokens/charsmap.py OUT.json [TEXT_FILE ...]
needs: PyPI tokenizers, sentencepiece, protobuf

OUT.json: the table, texts with their normal forms, and a Unigram tokenizer trained here with it (as XLM-R's tokenizer.json has its steps) with the
ids of the texts.
"""
import io
import json
import random
import sys

import sentencepiece
from sentencepiece import sentencepiece_model_pb2
from tokenizers import Regex, Tokenizer, models, normalizers, pre_tokenizers, trainers

out, *files = sys.argv[1:]
CODE_POINTS = [*range(1, 0xD800), *range(0xE000, 0x34000), *range(0xE0000, 0xE0200)]
# What makes graphemes of several code points: marks, joiners, Hangul, Indic scripts, flags, emoji, line ends.
JOINING = [
    *range(0x300, 0x370), 0x200D, 0xFE0F, 0x20E3, *range(0x1100, 0x1113), *range(0x1161, 0x1176), *range(0x11A8, 0x11C3), *range(0x900, 0x94E),
    *range(0xE00, 0xE4F), *range(0x1F1E6, 0x1F200), *range(0x1F466, 0x1F46A), *range(0x1F3FB, 0x1F400), 0x0D, 0x0A, 0x20, 0xFF9E, 0xFF9F, *range(0xFF76, 0xFF85),
    *range(0x61, 0x7B), 0xFB01, 0x2460, 0xBD, 0x3099, 0x304B, 0x600, 0x110BD,
]
WORDS = ["ferry", "harbour", "\uff26\uff35\uff2c\uff2c", "\ufb01ne", "\u2460\u2461", "caf\u00e9", "cafe\u0301", "\uff76\uff9e\uff77\uff9e", "\u00a0", "  ", "\u3000", "\u200b", "\u00bd"]


def compiled():
    model = io.BytesIO()
    text = ["the ferry leaves the northern pier at a quarter past six"] * 20
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter(text), model_writer=model, vocab_size=30, hard_vocab_limit=False, normalization_rule_name="nmt_nfkc", minloglevel=2
    )
    proto = sentencepiece_model_pb2.ModelProto()
    proto.ParseFromString(model.getvalue())
    return proto.normalizer_spec.precompiled_charsmap


def made_up(seed, count):
    choice = random.Random(seed)
    for _ in range(count):
        yield "".join(chr(choice.choice(JOINING)) for _ in range(choice.randrange(1, 24)))
        yield " ".join(choice.choice(WORDS) for _ in range(choice.randrange(1, 12)))


def unigram(table, texts):
    tokenizer = Tokenizer(models.Unigram())
    tokenizer.normalizer = normalizers.Sequence([normalizers.Precompiled(table), normalizers.Replace(Regex(" {2,}"), " ")])
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace(replacement="\u2581", prepend_scheme="always")
    trainer = trainers.UnigramTrainer(vocab_size=2000, special_tokens=["<s>", "<pad>", "</s>", "<unk>"], unk_token="<unk>", show_progress=False)
    tokenizer.train_from_iterator(texts, trainer)
    return tokenizer


table = compiled()
texts = ["".join(f"a{chr(point)}b {chr(point)} " for point in CODE_POINTS[at : at + 64]) for at in range(0, len(CODE_POINTS), 64)]
texts += [*made_up(1, 3000), ""]
for path in files:
    texts += [line for line in open(path, encoding="utf-8", newline="").read().split("\n") if line]
# Of few characters, so that a small vocabulary holds them all.
tokenizer = unigram(table, [text for text in texts if max(map(ord, text), default=0) < 0x180])
normalizer = normalizers.Precompiled(table)
json.dump(
    {
        "charsmap": json.loads(tokenizer.to_str())["normalizer"]["normalizers"][0]["precompiled_charsmap"],
        "texts": texts,
        "normalized": [normalizer.normalize_str(text) for text in texts],
        "tokenizer": json.loads(tokenizer.to_str()),
        "ids": [tokenizer.encode(text, add_special_tokens=False).ids for text in texts],
    },
    open(out, "w", encoding="utf-8"),
)
