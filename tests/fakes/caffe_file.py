"""Files as Caffe writes them, by its format: BVLC/caffe, src/caffe/proto/caffe.proto."""

import struct

import numpy as np


def varint(value):
    groups = [value & 127]
    while value := value >> 7:
        groups.append(value & 127)
    return bytes([group | 128 for group in groups[:-1]] + groups[-1:])


def field(number, content):
    """A string, a message or packed numbers; or an integer."""
    if isinstance(content, int):
        return varint(number << 3) + varint(content)
    return varint(number << 3 | 2) + varint(len(content)) + content


def blob(array, old=False):
    packed = field(5, np.asarray(array, "<f4").tobytes())
    if old:  # four sides, and each number by itself
        sides = (1,) * (4 - array.ndim) + array.shape
        loose = b"".join(varint(5 << 3 | 5) + struct.pack("<f", value) for value in array.flatten())
        return b"".join(field(number, side) for number, side in enumerate(sides, start=1)) + loose
    return packed + field(7, field(1, b"".join(varint(side) for side in array.shape)))


def caffe_file(layers, old=False) -> bytes:
    """The bytes of a net whose layers have numpy arrays, in today's layout or that of 2014."""
    content = field(1, b"net")
    for name, arrays in layers.items():
        named, held = (field(4, name.encode()), 6) if old else (field(1, name.encode()) + field(2, b"Convolution"), 7)
        content += field(2 if old else 100, named + b"".join(field(held, blob(array, old)) for array in arrays))
    return content
