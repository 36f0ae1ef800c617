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
]
