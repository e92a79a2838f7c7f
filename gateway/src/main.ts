/**
 * The gateway process as a table of contents: its parts in the order in which they start, then the order in which they end. Each part is
 * put together in a module of `wiring/`, and has a folder of its own.
 *
 * The way of a request: http → lambda-api, function-url or http-routes (who: auth, which function: registry) → ring → dispatch → link.
 */
import { createPrivateKey } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { Registry as MetricRegistry } from 'prom-client';

import { parseConfig } from './config.ts';
import type { Dispatcher } from './dispatch/types.ts';
import { gatewayMetrics } from './metrics.ts';
import { connectKubernetes, openClusterQueue } from './wiring/cluster.ts';
import { makeContext } from './wiring/context.ts';
import { dispatchToPods } from './wiring/dispatch-to-pods.ts';
import { endOnSignal } from './wiring/end-on-signal.ts';
import { joinRing, type Membership } from './wiring/join-ring.ts';
import { knowCallers } from './wiring/know-callers.ts';
import { openBlobs } from './wiring/open-blobs.ts';
import { openDoors } from './wiring/open-doors.ts';
import { openEventSources } from './wiring/open-event-sources.ts';
import { openEvents, openQueue } from './wiring/open-events.ts';
import { openLogs } from './wiring/open-logs.ts';
import { openPush } from './wiring/open-push.ts';
import { openRoutes } from './wiring/open-routes.ts';
import { type WatchedFunctions, watchFunctions } from './wiring/watch-functions.ts';

const context = makeContext(parseConfig(process.env));
const signingKey = createPrivateKey(readFileSync(context.config.signingKeyFile));
const kubernetes = connectKubernetes(context);
const clusterQueue = openClusterQueue(context);
const blobs = await openBlobs(context);
const eventQueue = openQueue(context);

// From here on nothing awaits, so that nobody calls in before all parts stand: the ones below name each other both ways.
const metricRegistry = new MetricRegistry();
const metrics = gatewayMetrics(metricRegistry, {
  dispatch: () => dispatcher.stats(),
  ring: () => membership.stats(),
  inFlight: () => doors.inFlight.count,
  bufferedBytes: () => doors.budget.usedBytes,
  logs: () => (logs === null ? null : { ...logs.stats(), ...logs.shipping() }),
  entries: () => ({ ...watched.sizes(), clusterQueue: clusterQueue.size }),
  isRegistered: (key) => watched.has(key),
});
const logs = openLogs(context, {
  targetOf: (versionUid) => watched.targetOf(versionUid),
  askOthers: (question) => membership.askOthers(question),
  endpointsOf: (namespace) => watched.endpointsOf(namespace),
});
const membership: Membership = joinRing(context, {
  signingKey,
  kubernetes,
  dispatcher: () => dispatcher,
  targetOf: (versionUid) => watched.targetOf(versionUid),
  answer: async (question) => eventSources.answer(question) ?? (await logs?.all?.answer(question)) ?? Buffer.from('{}'),
});
const dispatcher: Dispatcher = dispatchToPods(context, {
  signingKey,
  kubernetes,
  clusterQueue,
  blobs,
  membership,
  metrics,
  logs,
  arePodsReplaced: () => watched.hearsOfPods(),
});
const routes = openRoutes(context, { kubernetes, ownership: membership.ownership });
const watched: WatchedFunctions = watchFunctions(context, {
  kubernetes,
  signingKey,
  blobs,
  dispatcher,
  routes: routes.table,
});
const callers = knowCallers(context, kubernetes, signingKey);
const events = openEvents(context, {
  queue: eventQueue,
  watched,
  membership,
  metricRegistry,
  onRefused: (err, requestId) => doors.onRefused(err, requestId),
});
const push = openPush(context, { kubernetes, watched, membership, marks: eventQueue, events, metricRegistry });
const eventSources = openEventSources(context, {
  kubernetes,
  watched,
  membership,
  asyncRunning: events.runningCount,
  metricRegistry,
  onRefused: (err, requestId) => doors.onRefused(err, requestId),
});
const doors = openDoors(context, {
  functions: watched.functions,
  functionsIn: watched.functionsIn,
  placeOf: watched.placeOf,
  whenListed: watched.whenListed,
  routes,
  kubernetes,
  signingKey,
  callers,
  router: membership.router,
  events,
  push,
  blobs,
  logs: logs?.all ?? null,
  metrics,
  metricRegistry,
  notReadyBecause: () => [
    ...watched.missing().map((kind) => `${kind} not listed yet`),
    ...(callers.isKnown() ? [] : ['access keys not listed yet']),
    ...membership.notReadyBecause(),
  ],
});

// In this order: see shutDown.
endOnSignal(context, {
  inFlight: () => doors.inFlight.count,
  failReadiness: () => {
    context.life.failReadiness();
    events.stop();
    push.stop();
    eventSources.stop();
  },
  leaveRing: () => membership.leave(),
  closeServer: () => doors.close(),
  whenAnswered: () =>
    Promise.all([doors.inFlight.whenIdle(), events.whenIdle(), push.whenIdle(), eventSources.whenIdle()]),
  drain: (signal) => dispatcher.drain(signal),
  closeConnections: () => doors.closeConnections(),
  stopRing: () => membership.stop(),
  stopWatching: () => {
    doors.closeAdmin();
    events.end();
    eventSources.end();
    clusterQueue.close();
    context.life.stopWatching();
  },
});
