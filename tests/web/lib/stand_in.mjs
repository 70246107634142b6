/** A stand-in for the server: the page's files under the policy that the real one sends, and the two routes that a
 * device calls, answered as a test says. For states that the real server does not show at will. */

import {readFile} from 'node:fs/promises';
import http from 'node:http';
import path from 'node:path';

export const POLICY = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; " +
  "img-src 'self' data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; " +
  "require-trusted-types-for 'script'";
const TYPES = {'.js': 'text/javascript', '.css': 'text/css', '.html': 'text/html; charset=utf-8',
  '.jpg': 'image/jpeg'};
const NONCE = 'ab'.repeat(32);

export function plan(changes = {}) {
  return {
    nonce: NONCE, attempt: 1, duration_ms: 1200, steps: [{type: 'hold_still', from_ms: 0, until_ms: 1200}], flash: null,
    frames: {per_second: 8, width: 640, height: 480, jpeg_quality: 0.85, frames_max: 40}, bytes_max: 8_000_000,
    ...changes,
  };
}

export function activePlan(changes = {}) {
  return plan({
    duration_ms: 5500,
    steps: [
      {type: 'hold_still', from_ms: 0, until_ms: 700}, {type: 'turn_left', from_ms: 900, until_ms: 2200},
      {type: 'smile', from_ms: 2400, until_ms: 3400}, {type: 'hold_still', from_ms: 3500, until_ms: 5500},
    ],
    flash: {form: 'full', colours: ['#ff3030', '#30ff60', '#3060ff', '#ffffff'], from_ms: 3600, each_ms: 450},
    frames: {per_second: 10, width: 640, height: 480, jpeg_quality: 0.75, frames_max: 120}, ...changes,
  });
}

/** As long as the server's longest at normal pace. */
export function longPlan() {
  return activePlan({
    duration_ms: 12_000, frames: {per_second: 10, width: 640, height: 480, jpeg_quality: 0.75, frames_max: 140},
    steps: [{type: 'hold_still', from_ms: 0, until_ms: 1200}, {type: 'look_up', from_ms: 1500, until_ms: 11_000}],
  });
}

export function answer(word, changes = {}) {
  return {
    success: true, request_id: 's.1', answer: word, guidance: [], messages: [], attempts_left: 2, client_token: null,
    token_expires_at: null, plan: null, ...changes,
  };
}

async function bodyOf(request) {
  const pieces = [];
  for await (const piece of request) pieces.push(piece);
  return Buffer.concat(pieces);
}

/** `files`: folder by prefix of the path. `reply(request)` gets {target, headers, body} of each POST and gives
 * {status, json, headers}; everything that was posted is in `posts`. */
export class StandIn {
  posts = [];
  reply = (_request) => ({status: 200, json: answer('pass')});

  constructor(files, policy = POLICY) {
    this.files = files;
    this.policy = policy;
    this.server = http.createServer((request, response) => {
      this.#serve(request, response).catch(() => response.writeHead(500).end());
    });
  }

  async start(port = 0) {
    await new Promise((resolve) => this.server.listen(port, '127.0.0.1', resolve));
    this.port = this.server.address().port;
    this.url = `http://127.0.0.1:${this.port}`;
    return this;
  }

  stop() {
    this.server.closeAllConnections();
    this.server.close();
  }

  async #serve(request, response) {
    if (request.method === 'POST') {
      const post = {target: request.url, headers: request.headers, body: await bodyOf(request)};
      this.posts.push(post);
      const {status, json, headers = {}} = await this.reply(post);
      if (status === 0) return void request.socket.destroy();
      response.writeHead(status, {'Content-Type': 'application/json', ...headers});
      return void response.end(JSON.stringify(json));
    }
    const target = new URL(request.url, this.url).pathname;
    const prefix = Object.keys(this.files).find((name) => target.startsWith(name));
    if (!prefix) return void response.writeHead(404).end();
    const name = path.join(this.files[prefix], path.basename(target.slice(prefix.length) || 'index.html'));
    const data = await readFile(name).catch(() => null);
    if (!data) return void response.writeHead(404).end();
    const type = TYPES[path.extname(name)] ?? 'text/plain';
    response.writeHead(200, {'Content-Type': type, 'Content-Security-Policy': this.policy});
    response.end(data);
  }
}
