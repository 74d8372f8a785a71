"""Files as MXNet writes them, by its format: dmlc's `NDArray::Save` in apache/mxnet, src/ndarray/ndarray.cc."""

import struct

FLAGS = {"float32": 0, "float64": 1, "float16": 2}
OLDEST, MIDDLE, NEWEST = 0, 0xF993FAC8, 0xF993FAC9


def mxnet_file(arrays, version=OLDEST) -> bytes:
    """The bytes of a list of named numpy arrays, in one of MXNet's three layouts."""
    content = struct.pack("<QQQ", 0x112, 0, len(arrays))
    for array in arrays.values():
        if version != OLDEST:
            content += struct.pack("<I", version)
        if version == NEWEST:
            content += struct.pack("<i", 0)
        content += struct.pack(f"<I{array.ndim}{'I' if version == OLDEST else 'q'}", array.ndim, *array.shape)
        content += struct.pack("<iii", 1, 0, FLAGS[str(array.dtype)]) + array.tobytes()
    content += struct.pack("<Q", len(arrays))
    for name in arrays:
        content += struct.pack("<Q", len(name)) + name.encode()
    return content
