"""Captures as a page sends them: the capture file, written a second time so that tests do not believe the program."""
import json
import struct

MAGIC = b"BFCAPT1\n"


def write(frames, nonce=None, gap_ms=100, shown=(), client=None, more=None):
    """A capture file of JPEG frames, one every `gap_ms`."""
    header = {"frames": [{"bytes": len(frame), "ms": i * gap_ms} for i, frame in enumerate(frames)],
              "shown": [{"what": what, "ms": ms} for what, ms in shown], **(more or {})}
    if nonce:
        header["nonce"] = nonce
    if client is not None:
        header["client"] = client
    text = json.dumps(header).encode()
    return MAGIC + struct.pack("<I", len(text)) + text + b"".join(frames)


def read(data):
    """The header of a capture file and its frames."""
    size = struct.unpack("<I", data[8:12])[0]
    header, at, frames = json.loads(data[12:12 + size]), 12 + size, []
    for frame in header["frames"]:
        frames.append(data[at:at + frame["bytes"]])
        at += frame["bytes"]
    return header, frames
