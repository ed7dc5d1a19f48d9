"""The Internet checksum, whole and incremental (RFC 1071, RFC 1624)."""

from __future__ import annotations


def ones_complement_sum(data: bytes | bytearray | memoryview) -> int:
    """Sum `data` as big-endian 16-bit words in one's complement; an odd tail is padded with zero.

    Returns 0 only when every word is zero, else 1..0xFFFF (RFC 1071 section 2).
    """
    total = int.from_bytes(data, "big")
    if len(data) & 1:
        total <<= 8
    # 2^16 is 1 modulo 0xFFFF, so the whole sum is one big-integer remainder.
    return total % 0xFFFF or (0xFFFF if total else 0)


def internet_checksum(data: bytes | bytearray | memoryview, initial: int = 0) -> int:
    """The checksum field (0..0xFFFF) over `data`, continuing the partial sum `initial`."""
    return fold(ones_complement_sum(data) + initial) ^ 0xFFFF


def pseudo_header_sum(source: bytes, destination: bytes, protocol: int, length: int) -> int:
    """The unfolded sum of the pseudo-header (RFC 9293 section 3.1, RFC 8200 section 8.1).

    `source` and `destination` are packed addresses of 4 or 16 bytes, `length` counts TCP header and data.
    """
    if len(source) == 4:
        # By far the most packets: in compiled code this takes a tenth of the time.
        words = (source[0] + source[2] << 8) + source[1] + source[3]
        return words + (destination[0] + destination[2] << 8) + destination[1] + destination[3] + protocol + length
    return ones_complement_sum(source + destination) + protocol + length


def fold(total: int) -> int:
    """Fold a non-negative sum of 16-bit words to 16 bits with end-around carry."""
    while total > 0xFFFF:
        total = (total & 0xFFFF) + (total >> 16)
    return total


def updated(checksum: int, old: bytes, new: bytes) -> int:
    """The checksum after `old` became `new`: HC' = ~(~HC + ~m + m') (RFC 1624 equation 3).

    Both have the same even length and start at an even offset of the summed data. A checksum
    that was wrong before stays wrong by the same amount.
    """
    inverted = bytes(byte ^ 0xFF for byte in old)
    return fold((checksum ^ 0xFFFF) + ones_complement_sum(inverted) + ones_complement_sum(new)) ^ 0xFFFF
