import { randomUUID } from 'node:crypto';

import express, { type ErrorRequestHandler, type Express, type Response } from 'express';

import { type EventsApi, eventsPath } from '../async/events-api.ts';
import { LambdaError } from '../errors.ts';
import type { LambdaApi } from '../lambda-api/api.ts';
import { renderError, toLambdaError } from '../lambda-api/errors.ts';
import { type LogsApi, logsTarget } from '../logs/logs-api.ts';
import { type PushDoor, pushPath } from '../push/door/door.ts';
import type { QueryApi } from '../query/query-api.ts';
import { type Answer, CallerGone } from './answer.ts';

/** What the control app is made with. */
export interface ControlDeps {
  /** Health and metrics; null when they have a port of their own. */
  readonly admin: express.Router | null;
  /** Routes under /blobs; null when the blob store is not open to callers. */
  readonly blobs: express.Router | null;
  /** Links to code; null where there is no Lambda API. */
  readonly code: express.Router | null;
  /** Paths that begin with a date; null = there is none on this port. */
  readonly lambdaApi: LambdaApi | null;
  /** STS and IAM, at the root; absent = they are not on this port. */
  readonly queryApi?: QueryApi;
  /** CloudWatch Logs, at the root; absent = it is not on this port. */
  readonly logsApi?: LogsApi;
  /** Events that were given up; absent = they are not on this port. */
  readonly eventsApi?: EventsApi;
  /** Events that are sent to mappings; absent = they are not taken on this port. */
  readonly pushDoor?: PushDoor;
  readonly onError: (err: unknown, requestId: string) => void;
}

const about = `Kappa gateway: your own AWS Lambda on Kubernetes.

  ANY  /2015-03-31/functions/...                Lambda API (aws lambda create-function, invoke ... --endpoint-url ...)
  POST /                                        STS and IAM (aws sts get-caller-identity, aws iam create-role ...),
                                                CloudWatch Logs (aws logs tail /aws/lambda/NAME ...)
  GET  /kappa/v1/events/FUNCTION[/ID]           events that were given up: show, replay, drop (kappa events ...)
  ANY  /api/NAMESPACE/...                       routes of HTTP APIs, also by hosts of their own
  POST /events/NAMESPACE/MAPPING                events of a bucket, a topic, or CloudEvents
  ANY  /fn/NAMESPACE/NAME[:ALIAS]/...           function URL, also by host NAME.NAMESPACE.fn.localhost
`;

/** Everything that is not on the hot path. */
export function controlApp(deps: ControlDeps): Express {
  const app = express();
  app.disable('x-powered-by');
  app.set('etag', false);
  if (deps.logsApi !== undefined) app.use(logsRequests(deps.logsApi));
  if (deps.queryApi !== undefined) app.use(queryRequests(deps.queryApi));
  app.get('/', (_req, res) => {
    res.type('text/plain').send(about);
  });
  if (deps.admin !== null) app.use(deps.admin);
  if (deps.eventsApi !== undefined) app.use(requestsBelow(eventsPath, deps.eventsApi));
  if (deps.pushDoor !== undefined) app.use(requestsBelow(pushPath, deps.pushDoor));
  if (deps.lambdaApi !== null) app.use(lambdaRequests(deps.lambdaApi, deps.onError));
  if (deps.code !== null) app.use(deps.code);
  if (deps.blobs !== null) app.use('/blobs', deps.blobs);
  app.use((req) => {
    throw nothingThere(req.method, req.path);
  });
  const onError: ErrorRequestHandler = (err, _req, res, _next) => {
    const requestId = randomUUID();
    const error = toCallerError(err);
    deps.onError(error, requestId);
    if (res.headersSent) res.destroy();
    else sendAnswer(res, renderError(error, requestId));
  };
  app.use(onError);
  return app;
}

/** Paths of the Lambda API begin with a date. */
const lambdaPath = /^\/20\d\d-\d\d-\d\d\//;

/** Answers requests of the Lambda API; all others go on. */
function lambdaRequests(lambdaApi: LambdaApi, onError: ControlDeps['onError']): express.RequestHandler {
  return async (req, res, next) => {
    if (!lambdaPath.test(req.url)) {
      next();
      return;
    }
    const requestId = randomUUID();
    try {
      sendAnswer(res, await lambdaApi(req, requestId));
    } catch (err) {
      if (err instanceof CallerGone) {
        res.destroy();
        return;
      }
      onError(err, requestId);
      sendAnswer(res, renderError(toLambdaError(err), requestId));
    }
  };
}

/** Answers requests whose target is CloudWatch Logs; all others go on. */
function logsRequests(logsApi: LogsApi): express.RequestHandler {
  return async (req, res, next) => {
    if (req.method !== 'POST' || req.url !== '/' || !String(req.headers['x-amz-target']).startsWith(logsTarget)) {
      next();
      return;
    }
    try {
      sendAnswer(res, await logsApi(req, randomUUID()));
    } catch (err) {
      if (!(err instanceof CallerGone)) throw err;
      res.destroy();
    }
  };
}

/** Answers requests whose path begins like that; all others go on. */
function requestsBelow(path: string, api: EventsApi | PushDoor): express.RequestHandler {
  return async (req, res, next) => {
    if (!req.url.startsWith(path)) {
      next();
      return;
    }
    try {
      sendAnswer(res, await api(req, randomUUID()));
    } catch (err) {
      if (!(err instanceof CallerGone)) throw err;
      res.destroy();
    }
  };
}

/** Answers forms that are sent to the root, and links with an `Action`; all others go on. */
function queryRequests(queryApi: QueryApi): express.RequestHandler {
  return async (req, res, next) => {
    const isForm = req.url === '/' || req.url.startsWith('/?');
    if (!isForm || !(req.method === 'POST' || (req.method === 'GET' && /[?&]Action=/.test(req.url)))) {
      next();
      return;
    }
    try {
      sendAnswer(res, await queryApi(req, randomUUID()));
    } catch (err) {
      if (!(err instanceof CallerGone)) throw err;
      res.destroy();
    }
  };
}

function nothingThere(method: string, path: string): LambdaError {
  const message = `there is nothing at ${path.slice(0, 200)} for ${method}`;
  return new LambdaError('UnknownOperationException', message, { status: 404, fault: 'caller' });
}

/** Express's own errors (a path that does not decode) are the caller's. */
function toCallerError(err: unknown): LambdaError {
  const status: unknown = typeof err === 'object' && err !== null && 'status' in err ? err.status : undefined;
  if (err instanceof LambdaError || typeof status !== 'number' || status < 400 || status > 499)
    return toLambdaError(err);
  return new LambdaError('InvalidRequestContentException', 'the request cannot be read', {
    status,
    fault: 'caller',
    cause: err,
  });
}

/** By Node's own means: Express would add a charset, which Lambda does not have. */
function sendAnswer(res: Response, { status, headers, body }: Answer): void {
  res.statusCode = status;
  for (let at = 0; at + 1 < headers.length; at += 2) res.setHeader(headers[at] ?? '', headers[at + 1] ?? '');
  if (status !== 204) res.setHeader('Content-Length', Buffer.byteLength(body));
  res.end(body);
}
