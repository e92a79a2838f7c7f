import { randomUUID } from 'node:crypto';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';

import { codeRequestMaxBytes } from '@kappa/crds/limits';

import type { RouteHosts } from '../http-routes/route-hosts.ts';
import { type Answer, CallerGone, type StreamedAnswer } from './answer.ts';
import { declaredBytes } from './body.ts';
import { pour } from './pour.ts';
import { parseRoute, type Route } from './route.ts';

/** One request at the door. */
export interface Call {
  readonly req: IncomingMessage;
  readonly requestId: string;
}

type CallKind = 'invoke' | 'invokeStream' | 'functionUrl' | 'httpRoute';
type RouteOf<Kind extends Route['kind']> = Extract<Route, { readonly kind: Kind }>;

/** Bounds and waits of the server. */
export interface ServerOptions {
  /** Domain of function URLs by host, e.g. `fn.localhost`. */
  readonly urlDomain: string;
  /** Hosts that are only for routes of HTTP APIs. */
  readonly routeHosts: Pick<RouteHosts, 'hostIn'>;
  /** Largest body that anybody takes: that of a code zip in base64. Default: Lambda's. */
  readonly maxBodyBytes?: number;
  /** Bytes of request line and headers together. */
  readonly maxHeaderBytes: number;
  /** Time for the headers to arrive. */
  readonly headersTimeoutMs: number;
  /** Time for the whole request to arrive; says nothing about how long the function may take. */
  readonly requestTimeoutMs: number;
  /** How long an idle connection is kept. */
  readonly keepAliveTimeoutMs: number;
  /** After an early answer the rest of the request is thrown away for so long, so that the caller sees the answer. */
  readonly lingerMs: number;
  /** A caller that takes nothing of a streamed answer for so long is cut off. */
  readonly stallMs: number;
}

/** What the door leads to. None of them may throw anything but CallerGone. */
export interface ServerDeps {
  readonly invoke: (call: Call, route: RouteOf<'invoke'>) => Promise<Answer>;
  readonly invokeStream: (call: Call, route: RouteOf<'invokeStream'>) => Promise<Answer | StreamedAnswer>;
  readonly functionUrl: (call: Call, route: RouteOf<'functionUrl'>) => Promise<Answer | StreamedAnswer>;
  readonly httpRoute: (call: Call, route: RouteOf<'httpRoute'>) => Promise<Answer>;
  /** Everything that is not on the hot path. */
  readonly control: (req: IncomingMessage, res: ServerResponse) => void;
  readonly newRequestId: () => string;
  /** True once the process wants to end: connections are closed after their answer. */
  readonly isStopping: () => boolean;
  /** A request came in, or was answered to the end (hot path). */
  readonly onInFlight: (change: 1 | -1) => void;
  /** A bug: a handler threw what it must not throw. */
  readonly onBug: (err: unknown, requestId: string) => void;
}

/**
 * The one HTTP server. Invoke, function URLs and routes are served from here directly, everything else by the control app. What
 * Node's strict parser does not refuse of ambiguous requests is refused here, with 400 and the end of the connection.
 */
export function makeServer(options: ServerOptions, deps: ServerDeps): Server {
  const { maxBodyBytes = codeRequestMaxBytes } = options;
  const server = createServer(
    {
      maxHeaderSize: options.maxHeaderBytes,
      headersTimeout: options.headersTimeoutMs,
      requestTimeout: options.requestTimeoutMs,
      keepAliveTimeout: options.keepAliveTimeoutMs,
      connectionsCheckingInterval: 1000,
      insecureHTTPParser: false,
      requireHostHeader: false, // it is required, by our own answer, which has a request id
      // Java's HttpClient offers h2c on every plain request; RFC 9110 lets a server pass over it. All else is refused.
      shouldUpgradeCallback: (req) => req.headers.upgrade?.toLowerCase() !== 'h2c',
    },
    (req, res) => handle(req, res, options, deps),
  );
  server.on('checkContinue', (req, res) => {
    // Without Continue a caller that waits for it never sends a body that would be refused.
    if (declaredBytes(req) <= maxBodyBytes) res.writeContinue();
    handle(req, res, options, deps);
  });
  server.on('upgrade', (_req, socket) => refuseRaw(socket, 400, 'upgrades are not supported'));
  server.on('connect', (_req, socket) => refuseRaw(socket, 400, 'this is not a proxy'));
  server.on('clientError', (err, socket) => refuseBroken(err, socket));
  return server;
}

function handle(req: IncomingMessage, res: ServerResponse, options: ServerOptions, deps: ServerDeps): void {
  const route = routeOf(req, options);
  if (route.kind === 'bad') refuse(req, res, route.problem);
  else if (route.kind === 'control') deps.control(req, res);
  else answerCall(req, res, route, deps, options);
}

function routeOf(req: IncomingMessage, { urlDomain, routeHosts }: ServerOptions): Route {
  const problem = framingProblem(req);
  if (problem !== null) return { kind: 'bad', problem };
  const route = parseRoute(req.url ?? '', req.headers.host ?? '', urlDomain, routeHosts);
  const isInvoke = route.kind === 'invoke' || route.kind === 'invokeStream';
  return isInvoke && req.method !== 'POST' ? control : route; // which says that there is no such operation
}

const control: Route = { kind: 'control' };

function answerCall(
  req: IncomingMessage,
  res: ServerResponse,
  route: RouteOf<CallKind>,
  deps: ServerDeps,
  { lingerMs, stallMs }: ServerOptions,
): void {
  const call: Call = { req, requestId: deps.newRequestId() };
  deps.onInFlight(1);
  const fail = (err: unknown): void => {
    if (!(err instanceof CallerGone)) deps.onBug(err, call.requestId);
    res.destroy();
  };
  answerOf(call, route, deps).then(
    (answer) => {
      try {
        if ('source' in answer) sendHead(res, answer, deps.isStopping());
        else send(req, res, answer, deps.isStopping(), lingerMs);
      } catch (err) {
        fail(err); // an answer that Node does not send: of this caller only, not the end of the process
      }
      if ('source' in answer) void pour(res, answer.source, stallMs).then(() => deps.onInFlight(-1));
      else deps.onInFlight(-1);
    },
    (err: unknown) => {
      deps.onInFlight(-1);
      fail(err);
    },
  );
}

function answerOf(call: Call, route: RouteOf<CallKind>, deps: ServerDeps): Promise<Answer | StreamedAnswer> {
  if (route.kind === 'invoke') return deps.invoke(call, route);
  if (route.kind === 'functionUrl') return deps.functionUrl(call, route);
  return route.kind === 'invokeStream' ? deps.invokeStream(call, route) : deps.httpRoute(call, route);
}

/** What is ambiguous although llhttp lets it pass. */
function framingProblem(req: IncomingMessage): string | null {
  const { rawHeaders, headers } = req;
  const coding = headers['transfer-encoding'];
  if (coding !== undefined && coding.toLowerCase() !== 'chunked')
    return 'only the transfer coding chunked is supported';
  let hosts = 0;
  for (let at = 0; at < rawHeaders.length; at += 2) {
    const name = rawHeaders[at];
    if (name?.length === 4 && name.toLowerCase() === 'host') hosts += 1;
  }
  if (hosts > 1) return 'more than one Host header';
  if (hosts === 0 && req.httpVersion !== '1.0') return 'the Host header is missing';
  if (req.httpVersionMajor !== 1) return 'this version of HTTP is not supported';
  if (req.method === 'TRACE') return 'TRACE is not supported';
  return null;
}

function send(req: IncomingMessage, res: ServerResponse, answer: Answer, isStopping: boolean, lingerMs: number): void {
  const headers = [...answer.headers];
  const hasBody = answer.status !== 204 && answer.status !== 304;
  if (hasBody) headers.push('Content-Length', String(Buffer.byteLength(answer.body)));
  const isUnread = !req.complete && declaredBytes(req) !== 0;
  if (isStopping || isUnread) headers.push('Connection', 'close');
  res.writeHead(answer.status, headers);
  if (isUnread) endAfterBody(req, res, hasBody ? answer.body : '', lingerMs);
  else if (hasBody) endWith(res, answer.body);
  else res.end();
}

/** Its body follows, in chunks, or until the connection ends where the caller knows none (HTTP/1.0). */
function sendHead(res: ServerResponse, { status, headers }: StreamedAnswer, isStopping: boolean): void {
  res.writeHead(status, isStopping ? [...headers, 'Connection', 'close'] : [...headers]);
  res.flushHeaders();
}

/**
 * Node sends a string together with the headers, but a Buffer as a piece of its own: for small bodies the copy costs
 * less than the second
 * piece (10 % of the whole request). latin1 maps each byte to one character and back.
 */
function endWith(res: ServerResponse, body: Buffer | string): void {
  if (typeof body !== 'string' && body.length <= ONE_PIECE_BYTES) res.end(body.toString('latin1'), 'latin1');
  else res.end(body);
}

const ONE_PIECE_BYTES = 16_384;

/**
 * Answers before the request has been read. Closing now would make the kernel reset the connection, and the caller
 * might never see the
 * answer: so what still comes is thrown away for a moment, within limits.
 */
function endAfterBody(req: IncomingMessage, res: ServerResponse, body: Buffer | string, lingerMs: number): void {
  let thrownAway = 0;
  const end = (): void => {
    clearTimeout(timer);
    if (!res.writableEnded) res.end();
  };
  const timer = setTimeout(end, lingerMs);
  if (body.length > 0) res.write(body);
  else res.flushHeaders();
  req.on('data', (piece: Buffer) => {
    thrownAway += piece.length;
    if (thrownAway > LINGER_BYTES) end();
  });
  req.once('end', end);
  req.once('close', end);
  req.resume();
}

const LINGER_BYTES = 16 * 1024 * 1024;

function refuse(req: IncomingMessage, res: ServerResponse, problem: string): void {
  const body = JSON.stringify({ Type: 'User', message: problem });
  refused.add(req.socket);
  const headers = [...refusalHeaders, 'x-amzn-RequestId', randomUUID()];
  res.writeHead(400, [...headers, 'Content-Length', String(Buffer.byteLength(body)), 'Connection', 'close']);
  res.end(body);
}

/** Connections whose last answer is under way: what else their parser finds gets no second one. */
const refused = new WeakSet<Duplex>();

const refusalHeaders = [
  'Content-Type',
  'application/json',
  'x-amzn-ErrorType',
  'BadRequestException',
  'x-kappa-fault',
  'caller',
];

/** Answers on a connection that Node's parser has given up. */
function refuseBroken(err: Error & { readonly code?: string }, socket: Duplex): void {
  if (refused.has(socket)) return;
  if (err.code === 'ECONNRESET' || !socket.writable) {
    socket.destroy(err);
    return;
  }
  if (err.code === 'HPE_HEADER_OVERFLOW') refuseRaw(socket, 431, 'the request line and headers are too large');
  else if (err.code === 'ERR_HTTP_REQUEST_TIMEOUT') refuseRaw(socket, 408, 'the request did not arrive in time');
  else refuseRaw(socket, 400, 'the request is not well-formed HTTP');
}

const reasons: Readonly<Record<number, string>> = {
  400: 'Bad Request',
  408: 'Request Timeout',
  431: 'Request Header Fields Too Large',
};

function refuseRaw(socket: Duplex, status: number, problem: string): void {
  const body = JSON.stringify({ Type: 'User', message: problem });
  const head = [
    `HTTP/1.1 ${status} ${reasons[status] ?? ''}`,
    'Content-Type: application/json',
    'x-amzn-ErrorType: BadRequestException',
    'x-kappa-fault: caller',
    `x-amzn-RequestId: ${randomUUID()}`,
    `Content-Length: ${Buffer.byteLength(body)}`,
    'Connection: close',
  ];
  socket.end(`${head.join('\r\n')}\r\n\r\n${body}`, () => socket.destroy());
}
