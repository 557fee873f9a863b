"""The generator PCG64 in plain Python, for installations without numpy: the same draws, number for number.

M. E. O'Neill, PCG: A family of simple fast space-efficient statistically good algorithms for random number generation,
2014 (XSL-RR, 128 bits of state); seeded as numpy's `SeedSequence` does, and ranges by D. Lemire, Fast random integer
generation in an interval, 2019. A run's result must not depend on whether numpy is installed.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

_FACTOR = 0x2360ED051FC65DA44385DF649FCCF645
_M128, _M64, _M32 = (1 << 128) - 1, (1 << 64) - 1, (1 << 32) - 1


class Pcg64:
    """Draws from `seed`, a whole number of at least 0 or several. Each method goes on where the last one stopped."""

    def __init__(self, seed: int | Sequence[int]) -> None:
        low, high, inc_low, inc_high = _spread([seed] if isinstance(seed, int) else seed)
        self._step = ((inc_low << 64 | inc_high) << 1 | 1) & _M128
        state = (self._step + (low << 64 | high)) & _M128
        self._state = (state * _FACTOR + self._step) & _M128
        self._words = self._generate()

    def _generate(self) -> Iterator[int]:
        """32 bits at a time, the lower half of 64 first."""
        state, step = self._state, self._step
        while True:
            state = (state * _FACTOR + step) & _M128
            turn = state >> 122
            word = (state >> 64 ^ state) & _M64
            word = word >> turn | word << (64 - turn) & _M64
            yield word & _M32
            yield word >> 32

    def below(self, limit: int, count: int) -> list[int]:
        """`count` whole numbers from 0 to `limit` − 1, `limit` at most 2³² − 1."""
        if limit == 1:
            return [0] * count
        words, refused = self._words, (1 << 32) % limit
        found: list[int] = []
        add = found.append
        for word in words:
            product = word * limit
            if product & _M32 >= refused:
                add(product >> 32)
                if len(found) == count:
                    break
        return found

    def bytes(self, count: int) -> bytes:
        """`count` bytes."""
        words = self._words
        drawn = [next(words).to_bytes(4, "little") for _ in range(-(-count // 4))]
        return b"".join(drawn)[:count]

    def shuffle(self, values: Sequence[float]) -> list[float]:
        """`values` in a random order."""
        found, words = list(values), self._words
        for last in range(len(found) - 1, 0, -1):
            mask = (1 << last.bit_length()) - 1
            other = next(word & mask for word in words if word & mask <= last)
            found[last], found[other] = found[other], found[last]
        return found


def _spread(seed: Sequence[int]) -> list[int]:
    """Four words of 64 bits in which every bit of `seed` counts."""
    entropy = [word for number in seed for word in _split(number)]
    constant = 0x43B0D7E5

    def mix_in(value: int) -> int:
        nonlocal constant
        value ^= constant
        constant = constant * 0x931E8875 & _M32
        value = value * constant & _M32
        return value ^ value >> 16

    def join(one: int, other: int) -> int:
        found = (0xCA01F9DD * one - 0x4973F715 * other) & _M32
        return found ^ found >> 16

    pool = [mix_in(entropy[place] if place < len(entropy) else 0) for place in range(4)]
    for source in range(4):
        for target in range(4):
            if source != target:
                pool[target] = join(pool[target], mix_in(pool[source]))
    for word in entropy[4:]:
        for target in range(4):
            pool[target] = join(pool[target], mix_in(word))
    constant, halves = 0x8B51F9DD, []
    for place in range(8):
        value = pool[place % 4] ^ constant
        constant = constant * 0x58F38DED & _M32
        value = value * constant & _M32
        halves.append(value ^ value >> 16)
    return [halves[place] | halves[place + 1] << 32 for place in range(0, 8, 2)]


def _split(number: int) -> list[int]:
    found = [number & _M32]
    while number := number >> 32:
        found.append(number & _M32)
    return found
