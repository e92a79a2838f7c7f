import {
  type ClientRequest,
  Agent as HttpAgent,
  request as httpRequest,
  type IncomingMessage,
  type RequestOptions,
} from 'node:http';
import { Agent as HttpsAgent, request as httpsRequest } from 'node:https';
import { errorOfStatus, KubernetesError } from './errors.ts';
import { type Access, findAccess, type Surroundings } from './kubeconfig.ts';

/** One call. */
export interface Call {
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  /** From the server's root, for example `/api/v1/namespaces/default/pods`. */
  readonly path: string;
  readonly query?: Readonly<Record<string, string | undefined>>;
  /** Sent as JSON. */
  readonly body?: unknown;
  /** Default application/json; the four patch types differ only in it. */
  readonly contentType?: string;
  readonly signal?: AbortSignal;
  /** The call is given up after so long without a connection, or then without a byte, milliseconds. Default 30,000. */
  readonly silenceMs?: number;
}

/** HTTP to the API server. */
export interface Transport {
  /** The answer's JSON. Throws KubernetesError. */
  json(call: Call): Promise<unknown>;
  /** The answer's lines as they come; ends when the server ends it. Throws KubernetesError, before or between lines. */
  lines(call: Call): AsyncIterable<string>;
}

const callSilenceMs = 30_000;
/** An unused connection is closed after so long: before a server or a load balancer does it just when a call begins. */
const idleSocketMs = 20_000;
/** Longer than any object that etcd takes (1.5 MiB) even when every byte of it is escaped. */
const lineMaxChars = 16 * 1024 * 1024;

/**
 * The bytes go over node:https with kept connections. Why not client-node's own calls: 2.0.1 builds a new undici Agent for every call
 * and every watch (`applySecurityAuthentication` → `createDispatcher`, not cached), so each pays a TLS handshake and leaves a pool behind;
 * and its watch swallows in-stream errors and ends for good on the first failure.
 *
 * @param file path of a kubeconfig; without it KUBECONFIG, ~/.kube/config or the in-cluster account
 * @throws what findAccess throws
 */
export function connectTransport(file?: string, surroundings?: Surroundings): Transport {
  const access = findAccess(file, surroundings);
  const { server } = access;
  const isHttps = server.protocol === 'https:';
  const keepAlive = { keepAlive: true, keepAliveMsecs: 30_000, maxSockets: 64, timeout: idleSocketMs };
  const agent = isHttps ? new HttpsAgent(keepAlive) : new HttpAgent(keepAlive);
  const send = isHttps ? httpsRequest : httpRequest;

  const open = async (call: Call): Promise<IncomingMessage> => {
    const url = new URL(`${server.href.replace(/\/$/, '')}${call.path}`);
    for (const [name, value] of Object.entries(call.query ?? {}))
      if (value !== undefined) url.searchParams.set(name, value);
    const options: RequestOptions = {
      method: call.method,
      headers: { accept: 'application/json', 'user-agent': 'kappa' },
    };
    await authenticate(access, options, nameOf(call));
    if (!access.hasOwnAgent) options.agent = agent;
    return sendOnce(url, call, options, send);
  };
  return { json: (call) => readJson(call, open), lines: (call) => readLines(call, open) };
}

type Open = (call: Call) => Promise<IncomingMessage>;

/** Adds authorization, CA, client certificate, and an agent that matters only for proxies. */
async function authenticate(access: Access, options: RequestOptions, what: string): Promise<void> {
  try {
    await access.authenticate(options);
  } catch (cause) {
    throw new KubernetesError(`${what}: no credentials`, 0, 'NoCredentials', { cause }); // a token file or a login helper that failed now
  }
}

async function readJson(call: Call, open: Open): Promise<unknown> {
  const response = await open(call);
  const what = nameOf(call);
  const text = await readText(response, what);
  if (isFailure(response)) throw errorOfStatus(what, response.statusCode ?? 0, text, response.headers['retry-after']);
  try {
    return text === '' ? {} : JSON.parse(text);
  } catch (cause) {
    throw new KubernetesError(`${what}: the answer is not JSON`, 0, 'BadAnswer', { cause });
  }
}

async function* readLines(call: Call, open: Open): AsyncIterable<string> {
  const response = await open(call);
  const what = nameOf(call);
  if (isFailure(response)) {
    throw errorOfStatus(
      what,
      response.statusCode ?? 0,
      await readText(response, what),
      response.headers['retry-after'],
    );
  }
  response.setEncoding('utf8');
  let rest = '';
  try {
    for await (const chunk of response) {
      const parts = `${rest}${chunk}`.split('\n');
      rest = parts.pop() ?? '';
      if (rest.length > lineMaxChars) throw new KubernetesError(`${what}: a line is too long`, 0, 'BadAnswer');
      yield* parts.filter((line) => line !== '');
    }
  } catch (cause) {
    throw cause instanceof KubernetesError ? cause : unreachable(what, cause);
  } finally {
    response.destroy(); // the caller may leave before the end
  }
}

async function readText(response: IncomingMessage, what: string): Promise<string> {
  response.setEncoding('utf8');
  let text = '';
  try {
    for await (const chunk of response) text += chunk;
  } catch (cause) {
    throw unreachable(what, cause);
  }
  return text;
}

/** From the first sending on. Well below the lease's own times (controller/src/main.ts). */
const resendWithinMs = 1_000;

/**
 * Resolves with the head of the answer. A kept-alive connection may be closed by the server just when it is used again; then
 * as a rule nothing was processed, and everything but POST is sent again: all those calls may be repeated. That goes on until a
 * connection holds or is a new one, but at once or never, because a process that was paused meanwhile may have lost the lease that
 * allowed the write.
 */
async function sendOnce(
  url: URL,
  call: Call,
  options: RequestOptions,
  send: typeof httpsRequest,
  firstSentMs = performance.now(),
): Promise<IncomingMessage> {
  const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>();
  const what = nameOf(call);
  const body = call.body === undefined ? undefined : Buffer.from(JSON.stringify(call.body));
  const headers = {
    ...options.headers,
    ...(body === undefined
      ? {}
      : { 'content-type': call.contentType ?? 'application/json', 'content-length': body.length }),
  };
  const timeout = call.silenceMs ?? callSilenceMs;
  const request = send(url, {
    ...options,
    headers,
    timeout,
    ...(call.signal === undefined ? {} : { signal: call.signal }),
  });
  request.on('timeout', () => request.destroy(new Error(`silent for ${timeout} ms`)));
  boundWait(request, timeout, (cause) => reject(unreachable(what, cause)));
  let isAnswered = false;
  request.on('response', (response) => {
    isAnswered = true;
    resolve(response);
  });
  request.on('error', (cause) => {
    const isStale =
      !isAnswered && request.reusedSocket && 'code' in cause && (cause.code === 'ECONNRESET' || cause.code === 'EPIPE');
    const mayResend = call.method !== 'POST' && performance.now() - firstSentMs < resendWithinMs;
    if (isStale && mayResend && call.signal?.aborted !== true) resolve(sendOnce(url, call, options, send, firstSentMs));
    else reject(unreachable(what, cause));
  });
  request.end(body);
  return promise;
}

/**
 * Node's own time-out begins with the connection. A request that waits for one, because `maxSockets` are taken, has none, and says nothing
 * of its end either before it has got one.
 */
function boundWait(request: ClientRequest, timeoutMs: number, giveUp: (cause: Error) => void): void {
  const timer = setTimeout(() => {
    const cause = new Error(`no free connection for ${timeoutMs} ms`);
    request.destroy(cause);
    giveUp(cause);
  }, timeoutMs).unref();
  for (const event of ['socket', 'close']) request.once(event, () => clearTimeout(timer));
}

function isFailure(response: IncomingMessage): boolean {
  return (response.statusCode ?? 0) < 200 || (response.statusCode ?? 0) >= 300;
}

function nameOf({ method, path }: Call): string {
  return `${method} ${path}`;
}

function unreachable(what: string, cause: unknown): KubernetesError {
  return new KubernetesError(`${what}: no answer`, 0, 'Unreachable', { cause });
}
