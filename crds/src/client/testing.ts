/** Test doubles of *another* system: a Kubernetes API server that fails as it is told, and a clock that stands still. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { FakeLists } from './testing-lists.ts';

export { ManualClock, settle } from './testing-clock.ts';

/** An object as the fake keeps it. */
export interface FakeObject {
  readonly metadata: { readonly name: string; readonly namespace?: string; readonly [key: string]: unknown };
  readonly [key: string]: unknown;
}

/** How one request is answered instead of properly. `silent`: never, on an open connection; `reset`: the connection breaks. */
export type Fault = { readonly status: number; readonly body?: object } | 'silent' | 'reset' | 'close';

/**
 * How a watch ends. `close`: as by a server that is done; `reset`: the connection breaks. `cut` and `torn` are the same in the middle
 * of a line.
 */
export type WatchEnd = 'close' | 'reset' | 'cut' | 'torn';

/** A request that the fake has seen. */
export interface SeenRequest {
  readonly method: string;
  readonly url: URL;
  readonly authorization: string | undefined;
  readonly contentType: string | undefined;
  readonly body: unknown;
}

interface Change {
  readonly version: number;
  readonly collection: string;
  readonly type: 'ADDED' | 'MODIFIED' | 'DELETED';
  readonly object: FakeObject;
}

/** Enough of the API server's protocol for the client: CRUD, paged lists, watches from a version, 410, and faults on demand. */
export class FakeApi {
  readonly requests: SeenRequest[] = [];
  /** TCP connections accepted so far. */
  connections = 0;
  readonly #directory = mkdtempSync(join(tmpdir(), 'kappa-fake-api-'));
  readonly #objects = new Map<string, FakeObject>();
  readonly #changes: Change[] = [];
  readonly #lists = new FakeLists<FakeObject>();
  readonly #watches = new Map<ServerResponse, string>();
  readonly #sockets = new Set<Socket>();
  readonly #listFaults: Fault[] = [];
  readonly #watchFaults: Fault[] = [];
  readonly #callFaults: Fault[] = [];
  readonly #server = createServer((request, response) => void this.#serve(request, response));
  #version = 0;
  #oldest = 0;

  /** Listens on a free port of the loopback and writes a kubeconfig. */
  async start(): Promise<this> {
    this.#server.on('connection', (socket) => {
      this.connections += 1;
      this.#sockets.add(socket);
      socket.on('close', () => this.#sockets.delete(socket));
    });
    await new Promise<void>((resolve) => this.#server.listen(0, '127.0.0.1', resolve));
    const { port } = this.#server.address() as AddressInfo;
    const cluster = { server: `http://127.0.0.1:${port}`, 'insecure-skip-tls-verify': true };
    const config = {
      clusters: [{ name: 'c', cluster }],
      users: [{ name: 'u', user: { token: 'fake-token' } }],
      contexts: [{ name: 'x', context: { cluster: 'c', user: 'u' } }],
      'current-context': 'x',
    };
    writeFileSync(this.kubeconfig, JSON.stringify(config));
    return this;
  }

  get kubeconfig(): string {
    return join(this.#directory, 'kubeconfig');
  }

  /** Watches that are open now. */
  get openWatches(): number {
    return this.#watches.size;
  }

  async stop(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    await new Promise((resolve) => this.#server.close(resolve));
    rmSync(this.#directory, { recursive: true });
  }

  /** The next lists, watches or other calls fail so, one each. */
  fail(what: 'list' | 'watch' | 'call', ...faults: readonly Fault[]): void {
    ({ list: this.#listFaults, watch: this.#watchFaults, call: this.#callFaults })[what].push(...faults);
  }

  /** Creates or replaces an object and tells the watches. `collection` is the path with its namespace. */
  put(collection: string, object: FakeObject): FakeObject {
    const key = `${collection}/${object.metadata.name}`;
    const type = this.#objects.has(key) ? 'MODIFIED' : 'ADDED';
    this.#version += 1;
    const stored = {
      ...object,
      metadata: { uid: `uid-${object.metadata.name}`, ...object.metadata, resourceVersion: String(this.#version) },
    };
    this.#objects.set(key, stored);
    this.#tell({ version: this.#version, collection, type, object: stored });
    return stored;
  }

  remove(collection: string, name: string): void {
    const key = `${collection}/${name}`;
    const object = this.#objects.get(key);
    if (object === undefined) return;
    this.#objects.delete(key);
    this.#version += 1;
    this.#tell({
      version: this.#version,
      collection,
      type: 'DELETED',
      object: { ...object, metadata: { ...object.metadata, resourceVersion: String(this.#version) } },
    });
  }

  /** What a collection has now, by name. */
  stored(collection: string): readonly FakeObject[] {
    const own = [...this.#objects].filter(([key]) => key.startsWith(`${collection}/`)).map(([, object]) => object);
    return own.sort((a, b) => (a.metadata.name < b.metadata.name ? -1 : 1));
  }

  /** Sends a line to every open watch. */
  sendToWatches(event: object): void {
    for (const response of this.#watches.keys()) response.write(`${JSON.stringify(event)}\n`);
  }

  /** The version moves on without an object of these collections. */
  bookmark(): void {
    this.#version += 1;
    this.sendToWatches({ type: 'BOOKMARK', object: { metadata: { resourceVersion: String(this.#version) } } });
  }

  /** Ends every open watch. */
  endWatches(how: WatchEnd): void {
    for (const response of this.#watches.keys()) {
      if (how === 'close') response.end();
      else if (how === 'cut') response.end(halfLine);
      else if (how === 'reset') response.socket?.destroy();
      else response.write(halfLine, () => response.socket?.destroy());
    }
    this.#watches.clear();
  }

  /** Open watches get nothing more, but stay open: half-open connections. */
  muteWatches(): void {
    this.#watches.clear();
  }

  /** History up to now is gone: a watch from an older version and the next page of an older list get 410. */
  compact(): void {
    this.#oldest = this.#version;
    this.#changes.length = 0;
    this.#lists.forget();
  }

  #tell(change: Change): void {
    this.#changes.push(change);
    for (const [response, collection] of this.#watches)
      if (matches(change.collection, collection)) response.write(lineOf(change));
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = new URL(request.url ?? '/', 'http://fake');
    let text = '';
    for await (const chunk of request) text += chunk;
    const body: unknown = text === '' ? undefined : JSON.parse(text);
    const method = request.method ?? 'GET';
    const { authorization, 'content-type': contentType } = request.headers;
    this.requests.push({ method, url, authorization, contentType, body });
    const isCollection = /\/[a-z]+s$|\/endpointslices$/.test(url.pathname) && !url.pathname.endsWith('/status');
    const what = url.searchParams.has('watch') ? 'watch' : method === 'GET' && isCollection ? 'list' : 'call';
    const fault = { list: this.#listFaults, watch: this.#watchFaults, call: this.#callFaults }[what].shift();
    if (fault !== undefined) return fail(response, fault);
    if (what === 'watch') return this.#watch(url, response);
    if (what === 'list') return this.#list(url, response);
    this.#call(method, url.pathname, body, response);
  }

  #list(url: URL, response: ServerResponse): undefined {
    const all = [...this.#objects]
      .filter(([key]) => matches(key.slice(0, key.lastIndexOf('/')), url.pathname))
      .map(([, object]) => object);
    const limit = Number(url.searchParams.get('limit') ?? 0);
    const page = this.#lists.page(url.searchParams.get('continue'), limit, { version: this.#version, items: all });
    if (page === null)
      return send(response, 410, { kind: 'Status', reason: 'Expired', message: 'continue is too old' });
    const metadata = { resourceVersion: String(page.version), ...(page.next === null ? {} : { continue: page.next }) };
    send(response, 200, { kind: 'List', metadata, items: page.items });
  }

  #watch(url: URL, response: ServerResponse): undefined {
    const from = Number(url.searchParams.get('resourceVersion'));
    if (from < this.#oldest)
      return send(response, 410, { kind: 'Status', reason: 'Expired', message: 'too old resource version' });
    response.writeHead(200, { 'content-type': 'application/json' }).flushHeaders();
    this.#watches.set(response, url.pathname);
    response.on('close', () => this.#watches.delete(response));
    for (const change of this.#changes)
      if (change.version > from && matches(change.collection, url.pathname)) response.write(lineOf(change));
  }

  #call(method: string, path: string, body: unknown, response: ServerResponse): undefined {
    const object = body as FakeObject;
    const target = method === 'POST' ? `${path}/${object.metadata.name}` : path.replace(/\/(status|scale|resize)$/, '');
    const collection = target.slice(0, target.lastIndexOf('/'));
    const found = this.#objects.get(target);
    const versionSent = (object as FakeObject | undefined)?.metadata?.['resourceVersion'];
    if (method === 'POST' && found !== undefined)
      return send(response, 409, { kind: 'Status', reason: 'AlreadyExists', message: 'already exists' });
    const isApply = method === 'PATCH' && found === undefined && object.apiVersion !== undefined;
    if (method !== 'POST' && !isApply && found === undefined)
      return send(response, 404, { kind: 'Status', reason: 'NotFound', message: 'not found' });
    if (versionSent !== undefined && versionSent !== found?.metadata['resourceVersion'])
      return send(response, 409, { kind: 'Status', reason: 'Conflict', message: 'the object has been modified' });
    if (method === 'GET') return send(response, 200, found ?? {});
    if (method === 'DELETE') {
      this.remove(collection, target.slice(collection.length + 1));
      return send(response, 200, { kind: 'Status', status: 'Success' });
    }
    send(response, 200, this.put(collection, method === 'PATCH' ? merge(found ?? object, object) : object));
  }
}

/** A bookmark of a far future, if its number were whole. */
const halfLine = '{"type":"BOOKMARK","object":{"metadata":{"resourceVersion":"9000';

function fail(response: ServerResponse, fault: Fault): undefined {
  if (fault === 'silent') return;
  if (fault === 'reset') response.socket?.destroy();
  else if (fault === 'close') response.writeHead(200).end();
  else send(response, fault.status, fault.body ?? {});
}

function send(response: ServerResponse, status: number, body: object): undefined {
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
}

function lineOf({ type, object }: Change): string {
  return `${JSON.stringify({ type, object })}\n`;
}

/** Whether a collection of one namespace belongs to a path that may span all. */
function matches(collection: string, path: string): boolean {
  return collection === path || collection.replace(/\/namespaces\/[^/]+/, '') === path;
}

function merge(into: FakeObject, patch: FakeObject): FakeObject {
  return { ...into, ...patch, metadata: { ...into.metadata, ...patch.metadata, name: into.metadata.name } };
}

/** Polls until it holds. @throws after 10 s, naming what was waited for */
export async function until(what: string, holds: () => boolean): Promise<void> {
  const endMs = performance.now() + 10_000;
  while (!holds()) {
    if (performance.now() > endMs) throw new Error(`waited in vain until ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
}
