/** WebKitGTK, of Safari's family, driven by its own WebDriver (https://www.w3.org/TR/webdriver2/) on a display that
 * nobody sees. A page is one as playwright has it, as much of it as the tests of this browser use. */

import {spawn} from 'node:child_process';
import {mkdtemp, rm, writeFile} from 'node:fs/promises';
import net from 'node:net';
import os from 'node:os';
import path from 'node:path';

const KEYS = {Tab: '\uE004', Enter: '\uE007', Escape: '\uE00C'};
/** An iPhone's rules for videos: nothing plays by itself, and within the page only what says so. */
const FEATURES = '+RequiresUserGestureForMediaPlayback,+InlineMediaPlaybackRequiresPlaysInlineAttribute';
const WAIT_MS = 30_000;
const POLL_MS = 60;

const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

async function freePort() {
  const server = net.createServer();
  await new Promise((resolve) => server.listen(0, '127.0.0.1', () => resolve(undefined)));
  const {port} = server.address();
  await new Promise((resolve) => server.close(resolve));
  return port;
}

function end(program) {
  if (program.exitCode !== null || program.signalCode !== null) return undefined;
  return new Promise((resolve) => {
    program.once('exit', resolve);
    program.kill();
  });
}

/** Starts a display; its `name` goes to those who draw on it. Each browser has its own, and so the keyboard's focus. */
async function openDisplay() {
  const program = spawn('Xvfb', ['-displayfd', '3', '-screen', '0', '1400x1000x24', '-nolisten', 'tcp'],
    {stdio: ['ignore', 'ignore', 'ignore', 'pipe']});
  const name = await new Promise((resolve, reject) => {
    program.once('error', reject);
    program.once('exit', () => reject(new Error('Xvfb did not start')));
    program.stdio[3].once('data', (said) => resolve(`:${String(said).trim()}`));
  });
  return {name, close: () => end(program)};
}

class Locator {
  #page;
  #host;
  #inner;

  /** A selector whose first word is the element with the shadow in which the rest is looked for. */
  constructor(page, selector) {
    [, this.#host, this.#inner] = /^(\S+) (.*)$/.exec(selector);
    this.#page = page;
  }

  waitFor({timeout = WAIT_MS} = {}) {
    return this.#page.waitForFunction(([host, inner]) =>
      document.querySelector(host)?.shadowRoot?.querySelector(inner)?.getClientRects().length > 0,
    [this.#host, this.#inner], {timeout});
  }

  async click({timeout = WAIT_MS} = {}) {
    await this.waitFor({timeout});
    return this.#page.click([this.#host, this.#inner]);
  }

  async innerText() {
    await this.waitFor();
    return this.#page.evaluate(([host, inner]) =>
      document.querySelector(host).shadowRoot.querySelector(inner).innerText, [this.#host, this.#inner]);
  }
}

class Page {
  #tell;
  keyboard = {press: (key) => this.#press(key)};

  constructor(tell) {
    this.#tell = tell;
  }

  goto(url) {
    return this.#tell('POST', '/url', {url});
  }

  setViewportSize({width, height}) {
    return this.#tell('POST', '/window/rect', {x: 0, y: 0, width, height});
  }

  /** What a function gives in the page; it may be asynchronous. */
  async evaluate(work, value = null) {
    const {error, given} = await this.#tell('POST', '/execute/async', {
      script: `const [value, done] = arguments;
        new Promise((resolve) => resolve((${work})(value))).then((given) => done({given}), (error) =>
          done({error: String(error)}));`,
      args: [value],
    });
    if (error) throw new Error(error);
    return given;
  }

  async waitForFunction(work, value, {timeout = WAIT_MS} = {}) {
    for (const late = Date.now() + timeout; !await this.evaluate(work, value); await sleep(POLL_MS)) {
      if (Date.now() > late) throw new Error(`not within ${timeout / 1000} s: ${work} of ${JSON.stringify(value)}`);
    }
  }

  locator(selector) {
    return new Locator(this, selector);
  }

  async click([host, inner]) {
    const found = await this.#tell('POST', '/execute/sync', {
      script: 'return document.querySelector(arguments[0]).shadowRoot.querySelector(arguments[1])', args: [host, inner],
    });
    await this.#tell('POST', `/element/${Object.values(found)[0]}/click`, {});
  }

  #press(key) {
    const actions = ['keyDown', 'keyUp'].map((type) => ({type, value: KEYS[key]}));
    return this.#tell('POST', '/actions', {actions: [{type: 'key', id: 'keys', actions}]});
  }

  async screenshot({path: file}) {
    await writeFile(file, Buffer.from(await this.#tell('GET', '/screenshot'), 'base64'));
  }
}

/** Tries until the driver listens. */
async function first(work) {
  for (const late = Date.now() + WAIT_MS; ; await sleep(POLL_MS)) {
    try {
      return await work();
    } catch (error) {
      if (error.cause?.code !== 'ECONNREFUSED' || Date.now() > late) throw error;
    }
  }
}

/** A browser with one page; `camera`: whether there are the browser's cameras for tests; `proxy`: who answers for every
 * host but this one. */
export async function launchWebKit({camera = true, dark = false, proxy = ''} = {}) {
  const home = await mkdtemp(path.join(os.tmpdir(), 'bonafide-webkit-'));
  const display = await openDisplay();
  const port = await freePort();
  const driver = spawn('WebKitWebDriver', [`--port=${port}`], {
    stdio: 'ignore',
    env: {...process.env, DISPLAY: display.name, HOME: home, LANG: 'C.UTF-8',
      GTK_THEME: dark ? 'Adwaita:dark' : 'Adwaita'},
  });
  const ask = async (method, target, body) => {
    const answer = await fetch(`http://127.0.0.1:${port}${target}`,
      {method, signal: AbortSignal.timeout(2 * WAIT_MS), ...(body ? {body: JSON.stringify(body)} : {})});
    const {value} = await answer.json();
    if (!answer.ok) throw new Error(`${target}: ${value.error}: ${value.message}`);
    return value;
  };
  const close = async () => {
    await end(driver);
    await display.close();
    await rm(home, {recursive: true, force: true, maxRetries: 3});
  };
  try {
    const {sessionId, capabilities} = await first(() => ask('POST', '/session', {capabilities: {alwaysMatch: {
      'webkitgtk:browserOptions': {binary: process.env.BONAFIDE_MINIBROWSER, args:
        ['--automation', `--enable-mock-capture-devices=${camera}`, `--features=${FEATURES}`]},
      ...(proxy ? {proxy: {proxyType: 'manual', httpProxy: proxy}} : {}),
    }}}));
    const tell = (method, command, body) => ask(method, `/session/${sessionId}${command}`, body);
    return {
      page: new Page(tell), version: capabilities.browserVersion,
      async close() {
        await tell('DELETE', '').catch(() => undefined);
        await close();
      },
    };
  } catch (error) {
    await close();
    throw error;
  }
}
