"""Writes src/tokens/bert-classes.ts: what the Rust tokenizers library makes of every non-ASCII code point.

usage: python test/golden/bert_classes.py TOKENIZER.json > src/tokens/bert-classes.ts
needs: PyPI tokenizers

Each code point is put between two letters, "a?b", and classed by the ids that come back: gone (strip), a token of its
own (isolated), or none of these. The Unicode tables in that library are older than those of Node, and Node's change with
its version, so asking the library is the only way to get the ids that the model was trained with.
"""
import sys

import tokenizers

tokenizer = tokenizers.Tokenizer.from_file(sys.argv[1])
ids = lambda text: tokenizer.encode(text, add_special_tokens=False).ids
JOINED, A, B = ids("ab"), ids("a"), ids("b")


def classify(code_point):
    got = ids("a" + chr(code_point) + "b")
    if got == JOINED:
        return "strip"
    if len(got) > 2 and got[:1] == A and got[-1:] == B:
        return "isolated"
    return None


def ranges(wanted):
    found = []
    for code_point in wanted:
        if found and found[-1][1] == code_point - 1:
            found[-1][1] = code_point
        else:
            found.append([code_point, code_point])
    return found


def lines(found, per_line=14):
    words = [f"{a:x}" if a == b else f"{a:x}-{b:x}" for a, b in found]
    rows = [" ".join(words[i : i + per_line]) for i in range(0, len(words), per_line)]
    return " +\n".join(f"  '{row} '" for row in rows)


classes = {"strip": [], "isolated": []}
for code_point in range(0x80, 0x110000):
    if 0xD800 <= code_point < 0xE000:
        continue
    kind = classify(code_point)
    if kind:
        classes[kind].append(code_point)

print("// Written by test/golden/bert_classes.py: do not edit.")
print(f"// The classes that PyPI tokenizers {tokenizers.__version__} gives to non-ASCII code points under a BERT normalizer.")
for name, members in classes.items():
    print(f"\n/** Hexadecimal ranges, blank-separated: {name}. */")
    print(f"export const {name.upper()} =\n{lines(ranges(members))};")
