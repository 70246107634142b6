#!/usr/bin/env python3
"""Writes files into a C table: rows of BF_WEB_FILE(path, type, tag, bytes, size, packed, packed_size), to be included
with that macro defined. `tag` is from the file's hash, `packed` the same bytes by gzip.

usage: tools/embed.py OUTPUT PATH FILE [PATH FILE ...]
"""
import gzip
import hashlib
import pathlib
import sys

TYPES = {".js": "text/javascript; charset=utf-8", ".css": "text/css; charset=utf-8",
         ".html": "text/html; charset=utf-8"}
COLUMNS = 100


def literal(data):
    """The bytes as C strings, one a line. Octal escapes have three digits, so no digit after one joins it."""
    pieces, line = [], ""
    for byte in data:
        char = chr(byte)
        line += "\\" + char if char in "\"\\?" else char if 32 <= byte < 127 else f"\\{byte:03o}"
        if len(line) >= COLUMNS:
            pieces.append(line)
            line = ""
    return "\n".join(f'    "{piece}"' for piece in [*pieces, line])


def main(output, *pairs):
    if not pairs or len(pairs) % 2:
        sys.exit(__doc__)
    rows = ["/* Made by tools/embed.py. */"]
    for path, name in zip(pairs[::2], pairs[1::2]):
        data = pathlib.Path(name).read_bytes()
        packed = gzip.compress(data, compresslevel=9, mtime=0)
        tag = hashlib.sha256(data).hexdigest()[:32]
        kind = TYPES[pathlib.Path(name).suffix]
        rows.append(f'BF_WEB_FILE("{path}", "{kind}", "{tag}",\n{literal(data)}, {len(data)},\n'
                    f'{literal(packed)}, {len(packed)})')
    pathlib.Path(output).write_text("\n".join(rows) + "\n", encoding="ascii")


if __name__ == "__main__":
    main(*sys.argv[1:])
