#!/usr/bin/env python3
"""Writes src/data/decimal_powers.def: powers of five for reading numbers (Lemire 2021)."""

MASK = (1 << 64) - 1


def power(q):
    """The 128 highest bits of 5^q; of a reciprocal, rounded up."""
    five = 5 ** abs(q)
    if q >= 0:
        shift = five.bit_length() - 128
        return five >> shift if shift > 0 else five << -shift
    bits = (five - 1).bit_length()
    if q >= -27:
        return (1 << (bits + 127)) // five + 1
    c = (1 << (2 * bits + 128)) // five + 1
    return c >> max(0, c.bit_length() - 128)


def main():
    print("/*\n * 5^-342 to 5^308, each as the 128 bits from its highest on, cut; below 5^0 the\n"
          " * reciprocal, rounded up (Lemire 2021, section 5). Made by tools/decimal_powers.py.\n */")
    items = ["POWER(0x%016x, 0x%016x)" % (c >> 64, c & MASK) for c in map(power, range(-342, 309))]
    for i in range(0, len(items), 2):
        print(" ".join(items[i:i + 2]))


main()
