import type { Server } from 'node:http';

import type { AcceptEvent } from '../async/accept.ts';
import { openDoor } from '../auth/authenticator.ts';
import { noRouteHosts } from '../http-routes/route-hosts.ts';
import { invokeHandler } from '../lambda-api/invoke.ts';
import { invokeStreamHandler } from '../lambda-api/invoke-stream.ts';
import { functionResolver } from '../lambda-api/resolve.ts';
import { STREAM_WINDOW_BYTES } from '../link/generated/frames.ts';
import { answered, listen, type Run, routed, testRouting, versionView } from '../testing.ts';
import { BufferBudget } from './buffer-budget.ts';
import { makeServer, type ServerDeps } from './server.ts';

const servers: Server[] = [];

/** Ends all that `startServer` has started; for afterEach. */
export async function stopServers(): Promise<void> {
  for (const server of servers.splice(0)) {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  }
}

const noQueue: AcceptEvent = () => Promise.reject(new Error('this server has no queue'));

/** A function that answers with its event. */
export const echo: Run = (_target, { event }) => Promise.resolve(answered(event));

/** Where Invoke is. */
export const path = (label = 'hello', query = ''): string => `/2015-03-31/functions/${label}/invocations${query}`;

/** A server on a port of its own, and what it holds. */
export interface Rig {
  readonly port: number;
  readonly budget: BufferBudget;
  readonly inFlight: () => number;
  /** Errors of requests that no function answered to the end. */
  readonly refused: readonly unknown[];
  /** What was told to be a bug. */
  readonly bugs: readonly unknown[];
}

/** Serves Invoke from `run`: the function `hello` with versions 1 and 2 and an alias `live`, and `young`, which has no version yet. */
export async function startServer(
  run: Run,
  over: {
    budgetBytes?: number;
    isStopping?: () => boolean;
    stallMs?: number;
    accept?: AcceptEvent;
    functionUrl?: ServerDeps['functionUrl'];
  } = {},
): Promise<Rig> {
  const budget = new BufferBudget(over.budgetBytes ?? 64 * 1024 * 1024);
  const hello = routed(
    {},
    [
      versionView(),
      versionView({ uid: 'uid-1', name: 'hello-1', version: '1' }),
      versionView({ uid: 'uid-2', name: 'hello-2', version: '2' }),
    ],
    [
      {
        namespace: 'default',
        name: 'hello-live',
        uid: 'uid-alias',
        generation: 1,
        description: '',
        http: null,
        createdMs: 0,
        functionObjectName: 'hello',
        alias: 'live',
        version: '1',
        additional: { version: '2', weight: 0.25 },
      },
    ],
  );
  const pending = routed({ name: 'young', functionName: 'young', latestVersion: null, state: 'Pending' }, []);
  const resolve = functionResolver({
    functions: {
      byName: (accountId, name) =>
        accountId === '000000000000' ? [hello, pending].find((fn) => fn.functionName === name) : undefined,
      byObject: () => undefined,
      byUrlId: () => undefined,
    },
    region: 'us-east-1',
    defaultAccountId: '000000000000',
    arnOf: testRouting.arnOf,
    random: () => 0.2,
  });
  const refused: unknown[] = [];
  const bugs: unknown[] = [];
  const deps = {
    authenticator: openDoor,
    resolve,
    dispatcher: { invoke: run },
    budget,
    now: () => 1_700_000_000_000,
    onRefused: (err: unknown) => void refused.push(err),
  };
  let inFlight = 0;
  const server = makeServer(
    {
      urlDomain: 'fn.localhost',
      routeHosts: noRouteHosts,
      maxHeaderBytes: 16_384,
      headersTimeoutMs: 10_000,
      requestTimeoutMs: 60_000,
      keepAliveTimeoutMs: 5000,
      lingerMs: 50,
      stallMs: over.stallMs ?? 5000,
    },
    {
      invoke: invokeHandler({ ...deps, accept: over.accept ?? noQueue }),
      invokeStream: invokeStreamHandler({ ...deps, stream: { windowBytes: STREAM_WINDOW_BYTES, maxBytes: 1_000_000 } }),
      httpRoute: () => Promise.reject(new Error('not in this test')),
      functionUrl: over.functionUrl ?? (() => Promise.reject(new Error('not in this test'))),
      control: (_req, res) => res.end('control'),
      newRequestId: () => '11111111-2222-4333-8444-555555555555',
      isStopping: over.isStopping ?? (() => false),
      onInFlight: (change) => {
        inFlight += change;
      },
      onBug: (err) => void bugs.push(err),
    },
  );
  servers.push(server);
  return { port: await listen(server), budget, inFlight: () => inFlight, refused, bugs };
}
