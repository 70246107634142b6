#!/usr/bin/env python3
"""Writes what a browser takes for a camera (Y4M, 640 x 480) from a photo: the photo sways a little, with the noise of a
sensor, in the light and the place that a test wants. A head that moves as heads do is tools/simulate's.

usage: fake_camera.py OUTPUT PHOTO [light=1] [size=1] [noise=1.5] [sides=0] [seconds=1]

The photo is as high as the picture, before a plain wall; `light` makes it darker, `size` the person smaller, `sides`
the right half of the picture brighter than the left.
"""
import re
import subprocess
import sys

import numpy

WIDTH, HEIGHT, RATE = 640, 480, 15
WALL = numpy.array([126.0, 133, 138])
FADE = 0.12  # of the photo's side


def read_photo(path):
    """Pixels, by libjpeg's own program."""
    data = subprocess.run(["djpeg", "-pnm", path], check=True, stdout=subprocess.PIPE).stdout
    head = re.match(rb"P6\s+(\d+)\s+(\d+)\s+255\s", data)
    width, height = int(head.group(1)), int(head.group(2))
    return numpy.frombuffer(data, numpy.uint8, width * height * 3, head.end()).reshape(height, width, 3)


def sample(photo, left, top, step):
    """The camera's picture of a photo, bilinear; its edges fade into the wall behind."""
    x, y = left + step * numpy.arange(WIDTH), top + step * numpy.arange(HEIGHT)
    inside = [numpy.clip(numpy.minimum(at, size - 1 - at) / (FADE * size), 0, 1)
              for at, size in ((x, photo.shape[1]), (y, photo.shape[0]))]
    x, y = (numpy.clip(at, 0, size - 1.001) for at, size in ((x, photo.shape[1]), (y, photo.shape[0])))
    x0, y0 = x.astype(int), y.astype(int)
    fx, fy = (x - x0)[None, :, None], (y - y0)[:, None, None]
    rows = photo[y0][:, x0] * (1 - fx) + photo[y0][:, x0 + 1] * fx
    below = photo[y0 + 1][:, x0] * (1 - fx) + photo[y0 + 1][:, x0 + 1] * fx
    share = (inside[0][None, :] * inside[1][:, None])[..., None]
    return (rows * (1 - fy) + below * fy) * share + WALL * (1 - share)


def planes(rgb):
    """YCbCr 4:2:0 as bytes."""
    red, green, blue = rgb[..., 0], rgb[..., 1], rgb[..., 2]
    luma = 16 + 0.257 * red + 0.504 * green + 0.098 * blue
    chroma = [128 - 0.148 * red - 0.291 * green + 0.439 * blue, 128 + 0.439 * red - 0.368 * green - 0.071 * blue]
    small = [plane.reshape(HEIGHT // 2, 2, WIDTH // 2, 2).mean((1, 3)) for plane in chroma]
    return b"".join(numpy.clip(plane + 0.5, 0, 255).astype(numpy.uint8).tobytes() for plane in [luma, *small])


def write(output, photo, light=1.0, size=1.0, noise=1.5, sides=0.0, seconds=1.0):
    pixels = read_photo(photo)
    sensor = numpy.random.default_rng(1)
    lamp = light * (1 + sides * numpy.sign(numpy.arange(WIDTH) - WIDTH / 2))[None, :, None]
    step = pixels.shape[0] / HEIGHT / size
    frames = int(seconds * RATE)
    with open(output, "wb") as file:
        file.write(f"YUV4MPEG2 W{WIDTH} H{HEIGHT} F{RATE}:1 Ip A1:1 C420jpeg\n".encode())
        for frame in range(frames):
            turn = 2 * numpy.pi * frame / frames
            left = (pixels.shape[1] - step * WIDTH) / 2 + 2.5 * numpy.sin(turn)
            top = (pixels.shape[0] - step * HEIGHT) / 2 + 1.5 * numpy.sin(2 * turn)
            rgb = sample(pixels, left, top, step) * lamp + sensor.normal(0, noise, (HEIGHT, WIDTH, 3))
            file.write(b"FRAME\n" + planes(rgb))


if __name__ == "__main__":
    if len(sys.argv) < 3:
        sys.exit(__doc__)
    write(*sys.argv[1:3], **{name: float(value) for name, value in (word.split("=") for word in sys.argv[3:])})
