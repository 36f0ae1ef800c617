"""Writes test/golden/tokens.json: the ids that PyPI tokenizers gives odd texts, every code point, and the shared corpora.

usage: python test/golden/tokens.py TOKENIZER.json SHARED/data test/golden
needs: PyPI tokenizers

Our own texts are kept with all their ids. Of the shared corpora only hashes are kept, never a text: of each text the first
six hexadecimal digits of the SHA-256 of its ids, so that a test can name the text that differs. Ids are hashed as decimal
numbers joined by commas. Empty lines and fields are left out; nothing is truncated.
"""
import hashlib
import json
import platform
import sys

import tokenizers

tokenizer_path, data, out = sys.argv[1:]
tokenizer = tokenizers.Tokenizer.from_file(tokenizer_path)
tokenizer.no_truncation()
tokenizer.no_padding()

OWN = [
    'An ordinary sentence, with punctuation: (brackets), dashes - and quotes "like these".',
    "\u039f\u0394\u03a5\u03a3\u03a3\u0395\u03a5\u03a3 \u03ba\u03b1\u1f76 \u03a3\u039f\u03a6\u039f\u03a3",
    "CJK extensions: \U00020000\U00020001x \U0002b740 \U0002b820 \U0002ceb0 \u4e3d \u6f22\u5b57\u304b\u306a\u4ea4\u3058\u308a\u6587 \ud55c\uad6d\uc5b4 \ud14d\uc2a4\ud2b8",
    "marks newer than Unicode 8: a\u08d3b a\u0c3cb a\U0001e944b a\u1ac0b",
    "punctuation newer than Unicode 8: a\u061db a\u2e52b a\U00011660b a\U000111c9b",
    "soft\xadhyphen no\xa0break zero\u200bwidth joiner\u200d \ufeffmark \u2028line",
    "accents: \xe9 e\u0301 \xf1 \xfc \xdf \u0130stanbul \u1e9e \ufb01 \xc5",
    "Arabic and Hebrew marks: \u0645\u064f\u062d\u064e\u0645\u064e\u0651\u062f \u05e9\u05b8\u05c1\u05dc\u05d5\u05b9\u05dd",
    "emoji: \U0001f469\u200d\U0001f469\u200d\U0001f467 \U0001f1ec\U0001f1f7 \u2615\ufe0f 1\ufe0f\u20e3",
    "literal [SEP] and [CLS] and [MASK] in a text",
    "x" * 99 + " " + "y" * 100 + " " + "z" * 101,
    "tabs\tand\r\nline ends\nand \x00 nul \x07 bell \ufffd replacement",
    "Currency \u20ac \xa3 \xa5 \u20b9, degrees 20 \xb0C, fractions \xbd, powers x\xb2, arrows \u2192, maths \u2260 \u2264 \u2211",
]

UTF8 = "utf8-tests/UTF-8_sequence_{0}/utf8_sequence_0-0x10ffff_assigned_printable{1}.txt"


def lines(path):
    text = open(f"{data}/{path}", encoding="utf-8", newline="").read()
    return [line for line in text.split("\n") if line]


def fields(path, *names):
    return [row[name] for row in map(json.loads, lines(path)) for name in names if row[name]]


def ids_of(texts):
    for start in range(0, len(texts), 1024):
        for encoding in tokenizer.encode_batch(texts[start : start + 1024]):
            yield encoding.ids


def joined(ids):
    return ",".join(map(str, ids))


def hashes(texts):
    digests = (hashlib.sha256(joined(ids).encode()).hexdigest()[:6] for ids in ids_of(texts))
    return {"texts": len(texts), "hashes": "".join(digests)}


def every_code_point():
    """SHA-256 over the ids of "aXb X", a line each, for every code point X that is no surrogate."""
    texts = [f"a{chr(c)}b {chr(c)}" for c in range(0x110000) if not 0xD800 <= c < 0xE000]
    digest = hashlib.sha256()
    for ids in ids_of(texts):
        digest.update(f"{joined(ids)}\n".encode())
    return digest.hexdigest()


corpora = {
    "scifact/corpus.jsonl": fields("scifact/corpus.jsonl", "title", "text"),
    "scifact/queries.jsonl": fields("scifact/queries.jsonl", "text"),
    "prose/calib-2080.txt": lines("prose/calib-2080.txt"),
    "prose/bench-10k.txt": lines("prose/bench-10k.txt"),
    "naughty-strings/blns.txt": lines("naughty-strings/blns.txt"),
    "utf8-tests/separated": lines(UTF8.format("separated", "")),
    "utf8-tests/unseparated": lines(UTF8.format("unseparated", "_unseparated")),
}
golden = {
    "versions": {"python": platform.python_version(), "tokenizers": tokenizers.__version__},
    "tokenizer_sha256": hashlib.sha256(open(tokenizer_path, "rb").read()).hexdigest(),
    "every_code_point_sha256": every_code_point(),
    "own": [{"text": text, "ids": ids} for text, ids in zip(OWN, ids_of(OWN))],
    "corpora": {name: hashes(texts) for name, texts in corpora.items()},
}
with open(f"{out}/tokens.json", "w") as file:
    file.write(json.dumps(golden, indent=1) + "\n")
