/** The capture file (src/capture/file.h of the server): a header in JSON and JPEG frames behind it. */

export interface Frame {
  jpeg: Blob;
  ms: number;
}

export interface Shown {
  what: string;
  ms: number;
}

export interface Capture {
  nonce: string;
  frames: Frame[];
  shown: Shown[];
  client: object;
}

const MAGIC = 'BFCAPT1\n';
const SHOWN_MAX = 64;

function tenths(ms: number): number {
  return Math.round(ms * 10) / 10;
}

/** Times never fall; what was shown is in the order of time. */
export function captureFile(capture: Capture): Blob {
  const header = {
    nonce: capture.nonce,
    frames: capture.frames.map((frame) => ({bytes: frame.jpeg.size, ms: tenths(frame.ms)})),
    shown: capture.shown.slice(0, SHOWN_MAX).map(({what, ms}) => ({what, ms: tenths(ms)})),
    client: capture.client,
  };
  const text = new TextEncoder().encode(JSON.stringify(header));
  const head = new Uint8Array(MAGIC.length + 4);
  head.set(new TextEncoder().encode(MAGIC));
  new DataView(head.buffer).setUint32(MAGIC.length, text.length, true);
  return new Blob([head, text, ...capture.frames.map((frame) => frame.jpeg)], {type: 'application/octet-stream'});
}
