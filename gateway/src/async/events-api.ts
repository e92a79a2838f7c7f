import type { IncomingMessage } from 'node:http';
import { toObjectName } from '@kappa/crds/names';

import type { Authenticator } from '../auth/authenticator.ts';
import { type Authorizer, denied } from '../auth/authorizer.ts';
import { headOf } from '../auth/canonical-request.ts';
import type { Right } from '../auth/lambda-rights.ts';
import { ownAccountOf, type Principal } from '../auth/principal.ts';
import { InvalidParameterValue, LambdaError, ResourceNotFound, ServiceException } from '../errors.ts';
import { type Answer, CallerGone } from '../http/answer.ts';
import { readBody } from '../http/body.ts';
import type { BufferBudget } from '../http/buffer-budget.ts';
import { renderError, toLambdaError } from '../lambda-api/errors.ts';
import { readFunctionName, requireRegion } from '../lambda-api/function-name.ts';
import { type EventQueue, QueueFull, QueueUnavailable } from '../queue/event-queue.ts';
import type { Directory } from '../registry/directory.ts';
import { shownEvent, wholeEvent } from './shown-event.ts';

/** What {@link makeEventsApi} works with. */
export interface EventsApiDeps {
  readonly queue: Pick<EventQueue, 'dead' | 'find' | 'replay' | 'drop'>;
  readonly directory: Pick<Directory, 'locate' | 'namespacesOf'>;
  readonly authenticator: Authenticator;
  readonly authorizer: Authorizer;
  readonly budget: BufferBudget;
  readonly region: string;
  readonly arnOf: (accountId: string, functionName: string) => string;
  /** Epoch milliseconds. */
  readonly now: () => number;
  /** Hears of requests that were refused or failed. */
  readonly onRefused: (err: unknown, requestId: string) => void;
}

/** Answers a request below {@link eventsPath}, errors included. @throws CallerGone */
export type EventsApi = (req: IncomingMessage, requestId: string) => Promise<Answer>;

/** Where it is. */
export const eventsPath = '/kappa/v1/events/';

/** Events of one page. */
const MAX_PAGE = 100;
/** No request has a body that says anything. */
const MAX_BODY_BYTES = 1024;

interface Asked {
  readonly operation: Operation;
  readonly functionName: string;
  /** Empty for the list. */
  readonly id: string;
  readonly query: URLSearchParams;
}

type Operation = 'list' | 'show' | 'replay' | 'drop';

/** The same in AWS's words, for refusals. */
const actions: Readonly<Record<Operation, string>> = {
  list: 'lambda:GetFunction',
  show: 'lambda:GetFunction',
  replay: 'lambda:InvokeFunction',
  drop: 'lambda:UpdateFunctionConfiguration',
};

/** What a caller must be allowed to do with the function. */
const rights: Readonly<Record<Operation, Right>> = {
  list: 'get functions',
  show: 'get functions',
  replay: 'create functions/invoke',
  drop: 'update functions',
};

/**
 * The events of a function that were given up, and what can be done about them. Callers sign as for the Lambda API.
 *
 *   GET    /kappa/v1/events/FUNCTION?limit=N&after=…   dead ones, newest first
 *   GET    /kappa/v1/events/FUNCTION/ID                one, with payload and last answer; also one that waits or runs
 *   POST   /kappa/v1/events/FUNCTION/ID/replay         a dead one runs again, as if it had just come
 *   DELETE /kappa/v1/events/FUNCTION/ID                a dead or waiting one is removed for good
 *
 * With `?object=NAMESPACE/NAME` of that Function object, also one that is gone: its name alone does not tell which of the account's it was.
 */
export function makeEventsApi(deps: EventsApiDeps): EventsApi {
  return async (req, requestId) => {
    try {
      const claim = deps.authenticator.begin(headOf(req)); //       1. who?    403, 400
      const onPiece = (piece: Buffer): void => claim.push(piece);
      const options = { limitBytes: MAX_BODY_BYTES, budget: deps.budget, tooLarge, onPiece };
      const body = await readBody(req, options);
      body.release();
      const principal = claim.confirm();
      const asked = parseRequest(req.method ?? '', req.url ?? ''); // 2. what?   404, 405
      const line = await permittedLine(principal, asked, deps); //    3. may it? 403
      return answer(await run(asked, line, deps), requestId); //      4. run     404, 503
    } catch (err) {
      if (err instanceof CallerGone) throw err;
      const error = lambdaErrorOf(err);
      deps.onRefused(error, requestId);
      return renderError(error, requestId);
    }
  };
}

/** @throws LambdaError */
function parseRequest(method: string, url: string): Asked {
  const { pathname, searchParams } = new URL(url, 'http://gateway');
  const [functionName = '', id = '', verb = '', ...rest] = pathname.slice(eventsPath.length).split('/').map(decode);
  const operation = rest.length === 0 && functionName !== '' ? operationOf(method, id, verb) : undefined;
  if (operation !== undefined) return { operation, functionName, id, query: searchParams };
  const message = `there is nothing at ${pathname.slice(0, 200)} for ${method}`;
  throw new LambdaError('UnknownOperationException', message, { status: 404, fault: 'caller' });
}

function operationOf(method: string, id: string, verb: string): Operation | undefined {
  if (verb === 'replay') return method === 'POST' && id !== '' ? 'replay' : undefined;
  if (verb !== '') return undefined;
  if (method === 'GET') return id === '' ? 'list' : 'show';
  return method === 'DELETE' && id !== '' ? 'drop' : undefined;
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    throw new InvalidParameterValue('the path is not well-formed');
  }
}

/** The function need not exist any more: its events may. @throws LambdaError 403, 404, 400 */
async function permittedLine(principal: Principal, asked: Asked, deps: EventsApiDeps): Promise<string> {
  const reference = readFunctionName(asked.functionName);
  requireRegion(reference, deps.region);
  const accountId = reference.accountId ?? ownAccountOf(principal);
  const resource = deps.arnOf(accountId, reference.name);
  const action = actions[asked.operation];
  if (principal.accounts !== null && !principal.accounts.includes(accountId))
    throw denied(principal, { action, resource });
  const { namespace, name } = await objectOf(accountId, reference.name, asked.query.get('object'), deps);
  const wanted = { right: rights[asked.operation], accountId, namespace, name, action, resource };
  if (!(await deps.authorizer.allows(principal, wanted))) throw denied(principal, wanted);
  return `${namespace}/${name}`;
}

/** The Function object that is meant. @param named `namespace/name`, null = none is named @throws LambdaError 404, 400 */
async function objectOf(
  accountId: string,
  functionName: string,
  named: string | null,
  { directory, arnOf }: EventsApiDeps,
): Promise<{ readonly namespace: string; readonly name: string }> {
  const seen = named === null ? await directory.locate(accountId, functionName) : undefined;
  if (seen !== undefined) return seen;
  const namespaces = await directory.namespacesOf(accountId);
  const [namespace = '', name = ''] = named?.split('/') ?? [namespaces[0], toObjectName(functionName)];
  if (named !== null && !/^[a-z\d-]{1,63}\/[a-z\d.-]{1,253}$/.test(named))
    throw new InvalidParameterValue('object is NAMESPACE/NAME of a Function');
  if (namespaces.includes(namespace)) return { namespace, name };
  const none = named === null ? 'No namespace of this install is' : `The namespace ${namespace} is not`;
  throw new ResourceNotFound(`${none} the account of ${arnOf(accountId, functionName)}`);
}

async function run({ operation, id, query }: Asked, line: string, { queue, now }: EventsApiDeps): Promise<string> {
  switch (operation) {
    case 'list': {
      const after = query.get('after') ?? '';
      const { events, next } = await queue.dead(line, { limit: limitOf(query), ...(after !== '' && { after }) });
      return JSON.stringify({ events: events.map(shownEvent), next });
    }
    case 'show': {
      const found = await queue.find(line, id);
      if (found === undefined) throw noSuchEvent(line, id);
      return wholeEvent(found);
    }
    case 'replay':
      if (await queue.replay(line, id, now())) return '{}';
      throw noSuchEvent(line, id, 'dead ');
    case 'drop':
      if (await queue.drop(line, id)) return '{}';
      throw noSuchEvent(line, id, 'dead or waiting ');
  }
}

function limitOf(query: URLSearchParams): number {
  const limit = Number(query.get('limit') ?? 50);
  if (Number.isInteger(limit) && limit >= 1 && limit <= MAX_PAGE) return limit;
  throw new InvalidParameterValue(`limit is a whole number from 1 to ${MAX_PAGE}`);
}

function noSuchEvent(line: string, id: string, state = ''): ResourceNotFound {
  return new ResourceNotFound(`There is no ${state}event ${id.slice(0, 64)} of ${line}`);
}

function lambdaErrorOf(err: unknown): LambdaError {
  if (err instanceof QueueUnavailable)
    return new ServiceException('The store of asynchronous invocations did not answer in time. Try again.', {
      retryAfterSeconds: 1,
      cause: err,
    });
  if (err instanceof QueueFull)
    return new LambdaError('TooManyRequestsException', `The queue is full (${err.message})`, {
      status: 429,
      fault: 'caller',
      retryAfterSeconds: 5,
    });
  return toLambdaError(err);
}

function answer(body: string, requestId: string): Answer {
  return { status: 200, headers: ['Content-Type', 'application/json', 'x-amzn-RequestId', requestId], body };
}

function tooLarge(): LambdaError {
  const message = `Request must be smaller than ${MAX_BODY_BYTES} bytes`;
  return new LambdaError('RequestEntityTooLargeException', message, { status: 413, fault: 'caller' });
}
