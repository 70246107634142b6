/** What the tests use and no pinned package describes: Node.js, the built page, and what tests leave in the page. */
declare module 'node:*';
declare module '*/bonafide-capture.js';
declare const process: any;
declare const Buffer: any;
/** The element's own events carry what they tell. */
interface Event {
  detail?: any;
}
interface HTMLElementTagNameMap {
  'bonafide-capture': any;
}
interface Window {
  told: any[];
  violations: string[];
  complaints: string[];
  heard: string[];
  tracks: MediaStreamTrack[];
}
