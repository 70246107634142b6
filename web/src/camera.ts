/** Opening a camera, saying in one word what went wrong, and noticing when it goes away. */

import {Problem} from './problem.ts';
import {h} from './view/dom.ts';

export interface Requested {
  width: number;
  height: number;
  frame_rate: number;
}

/** What is asked of the camera; it may give something else. */
export const REQUESTED: Requested = {width: 1280, height: 720, frame_rate: 30};

export interface CameraChoice {
  id: string;
  label: string;
}

export interface Camera {
  stream: MediaStream;
  track: MediaStreamTrack;
  deviceCount: number;
}

function pageForbids(): boolean {
  const policy = (document as unknown as {featurePolicy?: {allowsFeature(name: string): boolean}}).featurePolicy;
  return policy ? !policy.allowsFeature('camera') : false;
}

/** Whether style sheets can be made here, on which the look of the element rests; browsers from before 2023 cannot. */
export const canStyle = 'adoptedStyleSheets' in Document.prototype;

/** Throws when no camera can work here, whatever the person does. */
export function checkSurroundings(): void {
  if (!window.isSecureContext) throw new Problem('insecure_context', location.origin);
  if (!navigator.mediaDevices?.getUserMedia) throw new Problem('unsupported', 'no mediaDevices');
  if (!canStyle || !('showModal' in HTMLDialogElement.prototype)) throw new Problem('unsupported', 'too old a browser');
  if (pageForbids()) throw new Problem('blocked_by_page', 'the permissions policy forbids the camera');
}

/** Throws where the browser keeps what is drawn from the page, as protection against tracking may: the frames would be
 * noise. A little noise, which is what most such protection adds, does no harm. */
function checkPictures(): void {
  const size = 8;
  const noise = 16;
  const colours = [200, 90, 30];
  const context = h('canvas', {width: size, height: size}).getContext('2d');
  if (!context) throw new Problem('unsupported', 'no canvas');
  context.fillStyle = `rgb(${colours.join()})`;
  context.fillRect(0, 0, size, size);
  const {data} = context.getImageData(0, 0, size, size);
  const same = data.every((value, index) => Math.abs(value - (colours[index % 4] ?? 255)) <= noise);
  if (!same) throw new Problem('pictures_hidden', 'canvas data are not what was drawn');
}

async function permission(): Promise<PermissionStatus | null> {
  try {
    return await navigator.permissions.query({name: 'camera' as PermissionName});
  } catch {
    return null; // Not every browser tells.
  }
}

async function problemOfDenial(error: Error): Promise<Problem> {
  const state = (await permission())?.state;
  const dismissed = /dismiss/i.test(error.message) || (state === 'prompt' && !/system/i.test(error.message));
  return new Problem(dismissed ? 'dismissed' : 'denied', error.message);
}

/** Whether the page around forbids its frame the camera. Where that cannot be asked, the frame sees no camera. */
async function frameForbids(): Promise<boolean> {
  return window !== window.top && (await listCameras()).length === 0;
}

/** No DOMException in WebKit. */
function isOverconstrained(error: unknown): error is Error {
  return (error as Error | null)?.name === 'OverconstrainedError';
}

/** What a failed getUserMedia means. */
export async function problemOfCamera(error: unknown): Promise<Problem> {
  if (!(error instanceof DOMException) && !isOverconstrained(error)) return new Problem('camera_failed', String(error));
  switch (error.name) {
    case 'NotAllowedError':
    case 'PermissionDeniedError':
      return await frameForbids() ? new Problem('blocked_by_page', error.message) : problemOfDenial(error);
    case 'SecurityError':
      return new Problem('blocked_by_page', error.message);
    case 'NotFoundError':
    case 'DevicesNotFoundError':
    case 'OverconstrainedError': // Not even a camera of any kind: so WebKit says that there is none.
      return new Problem('no_camera', error.message);
    case 'NotReadableError':
    case 'TrackStartError':
    case 'AbortError':
      return new Problem('busy', error.message);
    default:
      return new Problem('camera_failed', `${error.name}: ${error.message}`);
  }
}

/** Opens the chosen camera, or the one that faces the person. Throws Problem. */
export async function openCamera(deviceId: string | null): Promise<Camera> {
  checkSurroundings();
  checkPictures();
  const size = {
    width: {ideal: REQUESTED.width}, height: {ideal: REQUESTED.height}, frameRate: {ideal: REQUESTED.frame_rate},
  };
  const which = deviceId ? {deviceId: {exact: deviceId}} : {facingMode: {ideal: 'user'}};
  let stream: MediaStream;
  try {
    stream = await navigator.mediaDevices.getUserMedia({audio: false, video: {...size, ...which}});
  } catch (error) {
    if (!isOverconstrained(error)) throw await problemOfCamera(error);
    try {
      stream = await navigator.mediaDevices.getUserMedia({audio: false, video: true});
    } catch (again) {
      throw await problemOfCamera(again);
    }
  }
  const track = stream.getVideoTracks()[0];
  if (!track) throw new Problem('no_camera', 'a stream without video');
  return {stream, track, deviceCount: (await listCameras()).length};
}

/** The cameras, once permission was given; labels are empty before. */
export async function listCameras(): Promise<CameraChoice[]> {
  try {
    const devices = await navigator.mediaDevices.enumerateDevices();
    return devices.filter((device) => device.kind === 'videoinput')
      .map((device) => ({id: device.deviceId, label: device.label}));
  } catch {
    return [];
  }
}

export function closeCamera(camera: Camera | null): void {
  camera?.stream.getTracks().forEach((track) => track.stop());
}

/** Calls back when the person gives the permission elsewhere, or plugs a camera in. Returns how to stop listening. */
export function whenItMayWork(code: string, then: () => void): () => void {
  const off = new AbortController();
  const again = (): void => {
    off.abort();
    then();
  };
  if (code === 'denied' || code === 'dismissed') {
    void permission().then((status) => {
      status?.addEventListener('change', () => status.state === 'granted' && again(), {signal: off.signal});
    });
  } else if (code === 'no_camera' || code === 'camera_lost') {
    navigator.mediaDevices?.addEventListener('devicechange', () => {
      void listCameras().then((found) => found.length > 0 && !off.signal.aborted && again());
    }, {signal: off.signal});
  }
  return () => off.abort();
}
