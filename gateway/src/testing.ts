import { request } from 'node:http';
import type { AddressInfo, Server } from 'node:net';
import { connect } from 'node:net';

import type { Invocation, Outcome, Report, Target } from './dispatch/types.ts';
import { type RoutedFunction, routeFunction } from './registry/routing.ts';
import type { AliasView, FunctionView, HttpView, VersionView } from './registry/views.ts';

/** A Function named `hello` in `default`, Active. */
export function functionView(over: Partial<FunctionView> = {}): FunctionView {
  return {
    namespace: 'default',
    name: 'hello',
    uid: 'uid-hello',
    functionName: 'hello',
    generation: 1,
    observedGeneration: 1,
    latestVersion: 'hello-aaaaaaaaaa',
    state: 'Active',
    stateReason: '',
    reserved: null,
    limitQueue: null,
    provisioned: 0,
    provisionedByQualifier: [],
    http: httpView(),
    createdMs: 0,
    permissions: [],
    mayLoop: false,
    eventInvoke: [],
    deadLetterTarget: null,
    ...over,
  };
}

/** An open URL by a manifest. */
export function httpView(over: Partial<HttpView> = {}): HttpView {
  return { auth: 'None', cors: null, invokeMode: 'Buffered', created: null, lastModified: null, ...over };
}

/** The `$LATEST` of `hello`. */
export function versionView(over: Partial<VersionView> = {}): VersionView {
  return {
    uid: 'uid-a',
    namespace: 'default',
    name: 'hello-aaaaaaaaaa',
    functionObjectName: 'hello',
    version: '$LATEST',
    runtime: 'nodejs24.x',
    handler: 'index.handler',
    memoryMiB: 128,
    timeoutSeconds: 3,
    perInstance: 1,
    idleTimeoutSeconds: 300,
    codeSha256: 'a'.repeat(64),
    codeBytes: 100,
    layers: [],
    logFormat: 'Text',
    environment: [],
    ...over,
  };
}

/** How routes are made in tests. */
export const testRouting = {
  region: 'us-east-1',
  arnOf: (accountId: string, name: string, region = 'us-east-1') =>
    `arn:aws:lambda:${region}:${accountId}:function:${name}`,
  environmentOf: () => () => Promise.resolve({}),
};

/** A routed function from views. */
export function routed(
  fn: Partial<FunctionView> = {},
  versions: readonly VersionView[] = [versionView()],
  aliases: readonly AliasView[] = [],
): RoutedFunction {
  const byName = new Map(versions.map((version) => [version.name, version]));
  return routeFunction(
    { fn: functionView(fn), versions: byName, aliases, accountId: '000000000000' },
    null,
    testRouting,
  );
}

/** A pod's report of a good invocation. */
export const report: Report = {
  status: 'success',
  durationMs: 1.5,
  billedDurationMs: 2,
  memorySizeMiB: 128,
  maxMemoryMiB: 60,
};

/** A function's good answer. */
export function answered(payload: string | Buffer, over: Partial<Outcome> = {}): Outcome {
  return {
    kind: 'response',
    payload: Buffer.from(payload),
    contentType: undefined,
    errorType: undefined,
    start: 'warm',
    waitMs: 0,
    report: Promise.resolve(report),
    ...over,
  };
}

/** What a test's dispatcher does with an invocation. */
export type Run = (target: Target, invocation: Invocation) => Promise<Outcome>;

/** Listens on a port of the system's choice. */
export async function listen(server: Server): Promise<number> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return (server.address() as AddressInfo).port;
}

/** What came back. */
export interface Reply {
  readonly status: number;
  readonly headers: Record<string, string | string[] | undefined>;
  readonly body: Buffer;
}

/** One HTTP request on a connection of its own. */
export function fetchOnce(
  port: number,
  options: { method?: string; path: string; headers?: Record<string, string | string[]>; body?: string | Buffer },
): Promise<Reply> {
  return new Promise((resolve, reject) => {
    const { method = 'GET', path, headers = {}, body } = options;
    const req = request({ host: '127.0.0.1', port, method, path, headers, agent: false }, (res) => {
      const pieces: Buffer[] = [];
      res.on('data', (piece: Buffer) => pieces.push(piece));
      res.on('end', () => resolve({ status: res.statusCode ?? 0, headers: res.headers, body: Buffer.concat(pieces) }));
      res.on('error', reject);
    });
    req.on('error', reject);
    req.end(body);
  });
}

/** Sends raw bytes and gives all that comes back until the server closes. */
export function sendRaw(port: number, bytes: string | Buffer): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, '127.0.0.1');
    const pieces: Buffer[] = [];
    socket.on('data', (piece) => pieces.push(piece));
    socket.on('end', () => socket.end());
    socket.on('close', () => resolve(Buffer.concat(pieces).toString('latin1')));
    socket.on('error', (err: NodeJS.ErrnoException) => (err.code === 'ECONNRESET' ? undefined : reject(err)));
    socket.write(bytes);
  });
}

/** Polls until it holds, for at most 20 s unless told. @param otherwise what to say when it never does */
export async function until(
  holds: () => boolean | Promise<boolean>,
  otherwise = (): string => 'it never held',
  withinMs = 20_000,
): Promise<void> {
  const endMs = performance.now() + withinMs;
  while (!(await holds())) {
    if (performance.now() > endMs) throw new Error(otherwise());
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
}
