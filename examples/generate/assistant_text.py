"""What examples/assistant/text.c does, said again: words of a text, and the numbers that the nets take for it."""
import numpy as np

WIDTH = 2048
WORD = 64  # bytes of a word that count
LOWER = {code: code + 32 for code in [*range(0x41, 0x5B), *range(0xC0, 0xD7), *range(0xD8, 0xDF)]}


def words(text):
    """Letters in lower case; what has a digit, an address, a link and the end of a question each become one sign."""
    out = []
    for chunk in text.split():
        if "://" in chunk:
            out.append("<link>")
        elif "@" in chunk:
            out.append("<address>")
        else:
            out += parts(chunk)
        if "?" in chunk and out:
            out.append("<asked>")
    return out


def parts(chunk):
    out, word, has_digit = [], "", False
    for letter in chunk.translate(LOWER) + " ":
        if letter.isascii() and not letter.isalnum():
            if word:
                out.append("<number>" if has_digit else word)
            word, has_digit = "", False
        else:
            has_digit = has_digit or letter in "0123456789"
            if len((word + letter).encode()) <= WORD:
                word += letter
    return out


def fnv(data):
    value = 2166136261
    for byte in data:
        value = (value ^ byte) * 16777619 & 0xFFFFFFFF
    return value


def keys(text):
    """Words, pairs of words, and runs of three bytes within a word."""
    found = words(text)
    for i, word in enumerate(found):
        yield b"w" + word.encode()
        before = found[i - 1] if i else "^"
        yield b"p" + before.encode() + b" " + word.encode()
        edged = b"^" + word.encode() + b"$"
        for at in range(len(edged) - 2):
            yield b"t" + edged[at:at + 3]


def numbers(text):
    """Each bucket that a key falls into holds the same number, so that the length of the whole is 4."""
    row = np.zeros(WIDTH, np.float32)
    buckets = {fnv(key) % WIDTH for key in keys(text)}
    row[list(buckets)] = np.float32(4 / np.sqrt(max(len(buckets), 1)))
    return row
