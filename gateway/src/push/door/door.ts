import type { IncomingMessage } from 'node:http';

import type { Addressee, KeepEvent } from '../../async/accept.ts';
import { LambdaError, RequestTooLarge, ResourceConflict, ResourceNotFound, ServiceException } from '../../errors.ts';
import { type Answer, CallerGone } from '../../http/answer.ts';
import { readBody } from '../../http/body.ts';
import type { BufferBudget } from '../../http/buffer-budget.ts';
import { renderError, toLambdaError } from '../../lambda-api/errors.ts';
import type { PushMetrics } from '../../metrics/push.ts';
import type { KnownSources } from '../../registry/known-sources.ts';
import { takeCloudEvents } from '../cloud-events/take-cloud-events.ts';
import type { PushMapping } from '../push-mapping.ts';
import { takeNotification } from '../s3/take-notification.ts';
import { type TakeMessageDeps, takeMessage } from '../sns/take-message.ts';
import { checkToken } from './check-token.ts';
import type { PushRequest, Taken } from './pushed-event.ts';
import { filterProblem, wantedBy } from './wanted.ts';

/** What {@link pushDoor} works with. */
export interface PushDoorDeps {
  /** @param key namespace/name */
  readonly mappingOf: (key: string) => PushMapping | undefined;
  /** Whether mappings that are not known do not exist, as far as is known at this moment. */
  readonly hearsOfMappings: () => boolean;
  readonly addresseeOf: (mapping: PushMapping) => Addressee;
  readonly sources: Pick<KnownSources, 'get'>;
  readonly sns: TakeMessageDeps['service'];
  readonly keep: KeepEvent;
  readonly budget: BufferBudget;
  readonly metrics: Pick<PushMetrics, 'pushed'>;
  /** The region of a namespace. */
  readonly regionOf: (namespace: string) => string;
  /** Epoch milliseconds. */
  readonly now: () => number;
  /** Hears of requests that were refused or failed. */
  readonly onRefused: (err: unknown, requestId: string) => void;
}

/** Answers a request below {@link pushPath}, errors included. @throws CallerGone */
export type PushDoor = (req: IncomingMessage, requestId: string) => Promise<Answer>;

/** Where it is: `POST /events/NAMESPACE/MAPPING`. */
export const pushPath = '/events/';

/** Of a request, and of an event of a function. */
const MAX_BYTES = 1024 * 1024;

/**
 * Takes events that are sent to mappings. 202 means that all that is wanted of the request is on disk, 204 that nothing of it is. Whatever else is
 * answered, the sender may send it again.
 */
export function pushDoor(deps: PushDoorDeps): PushDoor {
  return async (req, requestId) => {
    let mapping: PushMapping | null = null;
    try {
      mapping = whose(req, deps); //                                           1. whose?  404, 405
      await checkToken(req, mapping, deps.sources); //                         2. may it? 401
      if (!mapping.isEnabled) throw disabled(mapping);
      const limits = { limitBytes: MAX_BYTES, budget: deps.budget, tooLarge };
      const body = await readBody(req, limits); //                             3. read    413
      try {
        const request = { headers: req.headers, body: body.bytes, requestId };
        const taken = await take(mapping, request, deps); //                   4. what?   400, 403
        await keepAll(mapping, taken, req, deps); //                           5. keep    429, 503
        return accepted(taken, requestId);
      } finally {
        body.release();
      }
    } catch (err) {
      if (err instanceof CallerGone) throw err;
      if (mapping !== null) deps.metrics.pushed(mapping, 'refused', 1);
      deps.onRefused(err, requestId);
      return renderError(toLambdaError(err), requestId);
    }
  };
}

function whose(req: IncomingMessage, { mappingOf, hearsOfMappings }: PushDoorDeps): PushMapping {
  const [path = ''] = (req.url ?? '').split('?', 1);
  const [namespace = '', name = '', ...rest] = path.slice(pushPath.length).split('/');
  if (req.method !== 'POST')
    throw new LambdaError('UnknownOperationException', 'Events are sent by POST.', { status: 405, fault: 'caller' });
  const mapping = rest.length === 0 ? mappingOf(`${namespace}/${name}`) : undefined;
  if (mapping !== undefined && mapping.source.kind !== 'schedule') return mapping;
  if (!hearsOfMappings())
    throw new ServiceException('The cluster does not tell of event source mappings at this moment. Send it again.', {
      retryAfterSeconds: 1,
    });
  throw new ResourceNotFound(
    `There is no event source mapping of s3, sns or cloudEvents at ${path.slice(0, 300)}: it is ${pushPath}NAMESPACE/NAME.`,
  );
}

function take(mapping: PushMapping, request: PushRequest, deps: PushDoorDeps): Taken | Promise<Taken> {
  const { source, uid, namespace } = mapping;
  const problem = filterProblem(mapping);
  if (problem !== null) throw new ResourceConflict(problem);
  const isWanted = wantedBy(mapping);
  if (source.kind === 's3') return takeNotification(request, source.s3, { isWanted, region: deps.regionOf(namespace) });
  if (source.kind === 'cloudEvents') return takeCloudEvents(request, source.cloudEvents, { uid, isWanted });
  if (source.kind === 'sns')
    return takeMessage(request, source.sns, { uid, namespace, isWanted, service: deps.sns, now: deps.now });
  throw new ResourceNotFound(`Nothing can be sent to ${namespace}/${mapping.name}.`);
}

/** Who sends all again after a refusal finds those that were kept by their ids. */
async function keepAll(mapping: PushMapping, taken: Taken, req: IncomingMessage, deps: PushDoorDeps): Promise<void> {
  const large = taken.events.find(({ payload }) => payload.length > MAX_BYTES);
  if (large !== undefined) throw tooLarge();
  const to = deps.addresseeOf(mapping);
  const trace = req.headers['x-amzn-trace-id'];
  await Promise.all(taken.events.map(({ id, payload }) => deps.keep(to, { requestId: id, trace, event: payload })));
  if (taken.events.length > 0) deps.metrics.pushed(mapping, 'accepted', taken.events.length);
  if (taken.filtered > 0) deps.metrics.pushed(mapping, 'filtered', taken.filtered);
}

function accepted({ events }: Taken, requestId: string): Answer {
  return { status: events.length > 0 ? 202 : 204, headers: ['x-amzn-RequestId', requestId], body: '' };
}

function disabled({ namespace, name }: PushMapping): ResourceConflict {
  return new ResourceConflict(`The event source mapping ${namespace}/${name} is disabled: it takes no events.`);
}

function tooLarge(): RequestTooLarge {
  return new RequestTooLarge(`Events and requests must be smaller than ${MAX_BYTES} bytes.`);
}
