import type { IncomingMessage } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';

import { defaultAccountId } from '@kappa/crds/accounts';

import { makeEventsApi } from '../async/events-api.ts';
import { openDoor } from '../auth/authenticator.ts';
import type { Answer } from '../http/answer.ts';
import { codeRoutes } from '../http/code-routes.ts';
import type { ControlDeps } from '../http/control-app.ts';
import { type LambdaApi, makeLambdaApi } from '../lambda-api/api.ts';
import { codeLinks } from '../lambda-api/code-url.ts';
import { Objects } from '../lambda-api/objects.ts';
import { regionNamespaces } from '../lambda-api/region-namespaces.ts';
import { makeLogsApi } from '../logs/logs-api.ts';
import { type PushDoor, pushDoor } from '../push/door/door.ts';
import type { Context } from './context.ts';
import type { DoorParts, Doors } from './open-doors.ts';
import { openQueryApi } from './open-query-api.ts';
import { doorsByRegion } from './regions.ts';
import { takeCode } from './take-code.ts';

/** What requests to APIs are counted, bounded and told by. */
type Shared = Pick<Doors, 'budget' | 'inFlight' | 'onRefused'>;

/** The Lambda API but for Invoke, the links to code that it gives, STS and IAM, logs, events that were given up, and the door of mappings. */
export function openApis(
  context: Context,
  parts: DoorParts,
  shared: Shared,
): Pick<ControlDeps, 'code' | 'lambdaApi' | 'queryApi' | 'logsApi' | 'eventsApi' | 'pushDoor'> {
  const { kubernetes, signingKey, callers, blobs } = parts;
  const links = codeLinks(signingKey, Date.now);
  const objects = new Objects({ kubernetes, sleep: pause, random: Math.random });
  const { queryApi, ...iam } = openQueryApi({
    ...shared,
    kubernetes,
    signingKey,
    objects,
    callers,
    directory: parts.functions,
  });
  const eventsApi = openEventsApi(context, parts, shared);
  const counted = (api: Api): Api => {
    const { inFlight } = shared;
    return (req, requestId) => {
      inFlight.change(1);
      return api(req, requestId).finally(() => inFlight.change(-1));
    };
  };
  return {
    code: codeRoutes(blobs, links),
    lambdaApi: counted(openLambdaApi(context, parts, { ...shared, ...iam, objects, codeUrl: links.make })),
    queryApi: counted(queryApi),
    logsApi: counted(openLogsApi(context, parts, shared)),
    ...(eventsApi !== null && { eventsApi: counted(eventsApi) }),
    pushDoor: counted(openPushDoor(context, parts, shared)),
  };
}

type Api = (req: IncomingMessage, requestId: string) => Promise<Answer>;

const pause = (ms: number): Promise<void> => sleep(ms);

type LambdaShared = Shared &
  Pick<Parameters<typeof makeLambdaApi>[0], 'objects' | 'codeUrl'> &
  Omit<ReturnType<typeof openQueryApi>, 'queryApi'>;

/** What is written to a region for the first time has its namespace made. */
function openLambdaApi(
  context: Context,
  parts: DoorParts,
  { inFlight: _, onRefused: __, ...shared }: LambdaShared,
): LambdaApi {
  const { config, clock } = context;
  const { callers, blobs, events, kubernetes } = parts;
  const code = takeCode({ config, clock });
  const makeNamespace = regionNamespaces({ kubernetes, isThere: (region) => hasNamespace(parts, region) });
  const apiOf = doorsByRegion(context, parts, (own) =>
    makeLambdaApi({
      ...shared,
      ...code,
      region: own.region,
      directory: own.functions,
      resolve: own.resolve,
      arnOf: own.arnOf,
      authenticator: callers.authenticator ?? openDoor,
      authorizer: callers.authorizer,
      accept: events.accept,
      blobs,
      accountConcurrency: config.accountConcurrency,
      systemNamespace: config.namespace,
      publicUrl: config.publicUrl,
      now: Date.now,
      nowMs: clock.nowMs,
      sleep: pause,
      ...(own.region !== config.region && { makeNamespace: () => makeNamespace(own.region) }),
    }),
  );
  return (req, requestId) => apiOf(req)(req, requestId);
}

/** Whether the account that nobody's callers are has a namespace in another region. */
async function hasNamespace(
  { functionsIn, placeOf }: Pick<DoorParts, 'functionsIn' | 'placeOf'>,
  region: string,
): Promise<boolean> {
  const namespace = await functionsIn(region).namespaceOf(defaultAccountId);
  if (namespace === undefined) return false;
  const place = placeOf(namespace);
  return place.region === region && place.accountId === defaultAccountId;
}

function openLogsApi(context: Context, parts: DoorParts, { budget, onRefused }: Shared): Api {
  const { callers, logs } = parts;
  const apiOf = doorsByRegion(context, parts, ({ region, functions }) =>
    makeLogsApi({
      logs: region === context.config.region ? logs : (logs?.inRegion(region) ?? null),
      directory: functions,
      authenticator: callers.logsAuthenticator ?? openDoor,
      authorizer: callers.authorizer,
      budget,
      region,
      onRefused,
    }),
  );
  return (req, requestId) => apiOf(req)(req, requestId);
}

/** What was given up of asynchronous invocations; null = there are none. */
function openEventsApi(context: Context, parts: DoorParts, { budget, onRefused }: Shared): Api | null {
  const {
    callers,
    events: { queue },
  } = parts;
  if (queue === null) return null;
  const apiOf = doorsByRegion(context, parts, ({ region, functions, arnOf }) =>
    makeEventsApi({
      queue,
      directory: functions,
      authenticator: callers.authenticator ?? openDoor,
      authorizer: callers.authorizer,
      budget,
      region,
      arnOf,
      now: Date.now,
      onRefused,
    }),
  );
  return (req, requestId) => apiOf(req)(req, requestId);
}

/** What is sent to mappings. */
function openPushDoor(
  { config }: Context,
  { push, events, placeOf }: DoorParts,
  { budget, onRefused }: Shared,
): PushDoor {
  const regionOf = (namespace: string): string => placeOf(namespace).region ?? config.region;
  return pushDoor({ ...push, budget, onRefused, keep: events.keep, regionOf, now: Date.now });
}
