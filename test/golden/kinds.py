"""Writes test/golden/kinds.json: the ids that PyPI tokenizers gives with the small tokenizers of test/golden/families.

usage: python test/golden/kinds.py test/golden/families SHARED/data test/golden
needs: PyPI tokenizers

One tokenizer of each kind: WordPiece, byte-level BPE, Unigram. Our own texts are kept with all their ids; of code points (64 a
text, each between letters and alone), long texts and the shared corpora (every seventh text) the first six hexadecimal digits of
the SHA-256 of each text's ids, as decimal numbers joined by commas.
"""
import hashlib
import json
import platform
import sys

import tokenizers

families, data, out = sys.argv[1:]
KINDS = {"WordPiece": "bert", "BPE": "roberta", "Unigram": "gte"}
# Planes with assigned characters, without surrogates.
CODE_POINTS = [*range(0xD800), *range(0xE000, 0x34000), *range(0xE0000, 0xE0200)]
OWN = [
    "",
    " ",
    "   three blanks before, two  inside and one after ",
    "line\nends\r\nand\ttabs\n\n\n  and blanks",
    "it's we'll I'd they've you're I'm don't DON'T 'quoted'",
    "numbers 1234567 3.14 1,000 \u00bd x\u00b2 \u0664\u0665",
    "\u039f\u0394\u03a5\u03a3\u03a3\u0395\u03a5\u03a3 \u03ba\u03b1\u1f76 \u03a3\u039f\u03a6\u039f\u03a3",
    "CJK \u6f22\u5b57\u304b\u306a\u4ea4\u3058\u308a\u6587 \ud55c\uad6d\uc5b4 \uff26\uff35\uff2c\uff2c \uff76\uff9e",
    "emoji \U0001f469\u200d\U0001f469\u200d\U0001f467 \U0001f1ec\U0001f1f7 \u2615\ufe0f 1\ufe0f\u20e3",
    "soft\u00adhyphen no\u00a0break zero\u200bwidth joiner\u200d \ufeffmark \u2028line \u3000wide",
    "literal <s> and </s> and <mask> and [SEP] and [MASK] in a text <mask>",
    "\u2581already \u2581 a metaspace",
    "nul \x00 bell \x07 delete \x7f replacement \ufffd",
    "e\u0301 n\u0303 \u0130stanbul \u1e9e \ufb01 \u212b \u2126",
    "x" * 300,
]


def lines(path):
    return [line for line in open(f"{data}/{path}", encoding="utf-8", newline="").read().split("\n") if line]


def fields(path, *names):
    return [row[name] for row in map(json.loads, lines(path)) for name in names if row[name]]


def long_text(seed):
    """Some 30,000 characters of words and runs of blanks, by a generator that the test has as well."""
    parts = []
    for _ in range(3000):
        seed = (seed * 1103515245 + 12345) % 2**31
        parts.append(["ferry", "1000", "don't", "caf\u00e9", "\u6f22\u5b57", "x" * 40][seed % 97 % 6])
        parts.append([" ", " ", " ", "  ", "    ", "\n", "\n\n  ", "\t "][seed // 97 % 8])
    return "".join(parts)


# Every fourth text from the second half of plane 0 on: enough of each script.
blocks = [CODE_POINTS[at * 64 : at * 64 + 64] for at in range(len(CODE_POINTS) // 64) if at < 512 or at % 4 == 0]
corpora = {
    "code points": [" ".join(f"a{chr(c)}b {chr(c)}" for c in block) for block in blocks],
    "long": [long_text(seed) for seed in range(4)],
    "scifact/corpus.jsonl": fields("scifact/corpus.jsonl", "title", "text")[::7],
    "prose/calib-2080.txt": lines("prose/calib-2080.txt")[::7],
    "naughty-strings/blns.txt": lines("naughty-strings/blns.txt"),
}


def digest(ids):
    return hashlib.sha256(",".join(map(str, ids)).encode()).hexdigest()[:6]


golden = {"versions": {"python": platform.python_version(), "tokenizers": tokenizers.__version__}, "kinds": {}}
for kind, family in KINDS.items():
    path = f"{families}/{family}/tokenizer.json"
    tokenizer = tokenizers.Tokenizer.from_file(path)
    tokenizer.no_truncation()
    tokenizer.no_padding()
    golden["kinds"][kind] = {
        "family": family,
        "sha256": hashlib.sha256(open(path, "rb").read()).hexdigest(),
        "own": [{"text": text, "ids": tokenizer.encode(text).ids} for text in OWN],
        "corpora": {name: "".join(digest(one.ids) for one in tokenizer.encode_batch(texts)) for name, texts in corpora.items()},
    }
with open(f"{out}/kinds.json", "w") as file:
    file.write(json.dumps(golden) + "\n")
