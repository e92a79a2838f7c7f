import type { IncomingMessage } from 'node:http';

import type { Authenticator } from '../auth/authenticator.ts';
import { headOf } from '../auth/canonical-request.ts';
import { LambdaError } from '../errors.ts';
import { type Answer, CallerGone } from '../http/answer.ts';
import { readBody } from '../http/body.ts';
import type { BufferBudget } from '../http/buffer-budget.ts';
import { toLambdaError } from '../lambda-api/errors.ts';
import { describeLogGroups } from './describe-log-groups.ts';
import { describeLogStreams } from './describe-log-streams.ts';
import { filterLogEvents } from './filter-log-events.ts';
import { getLogEvents } from './get-log-events.ts';
import type { LogsCall, LogsDeps, LogsOperation } from './logs-call.ts';
import { invalidOperation, jsonAnswer, renderJsonError, throttled } from './logs-error.ts';
import { Members } from './members.ts';

/** What {@link makeLogsApi} works with. */
export interface LogsApiDeps extends Omit<LogsDeps, 'logs'> {
  /** null = this install keeps none. */
  readonly logs: LogsDeps['logs'] | null;
  readonly authenticator: Authenticator;
  readonly budget: BufferBudget;
  /** Hears of requests that were refused or failed. */
  readonly onRefused: (err: unknown, requestId: string) => void;
}

/** Answers a request of CloudWatch Logs, errors included. @throws CallerGone */
export type LogsApi = (req: IncomingMessage, requestId: string) => Promise<Answer>;

/** Stands before the operation in `X-Amz-Target`. */
export const logsTarget = 'Logs_20140328.';

const MAX_BYTES = 262_144;
/** Requests that a gateway works on at one time: each may read all lines of a function, here and elsewhere. */
const MAX_RUNNING = 4;
const noLiveTail: LogsOperation = async () => {
  throw invalidOperation(
    'StartLiveTail is not supported by this install. FilterLogEvents is: aws logs tail --follow shows new events.',
  );
};
const operations: ReadonlyMap<string, LogsOperation> = new Map(
  Object.entries({
    DescribeLogGroups: describeLogGroups,
    DescribeLogStreams: describeLogStreams,
    FilterLogEvents: filterLogEvents,
    GetLogEvents: getLogEvents,
    StartLiveTail: noLiveTail,
  }),
);

/** The part of CloudWatch Logs that reads, over the recent logs of functions: AWS's JSON protocol 1.1. */
export function makeLogsApi(deps: LogsApiDeps): LogsApi {
  const { logs } = deps;
  let running = 0;
  const run = async (call: LogsCall): Promise<object> => {
    if (logs === null)
      throw invalidOperation(
        'This install keeps no recent logs: KAPPA_RECENT_LOGS_MIB, logs.recentMiB of the chart, is 0.',
      );
    const operation = operationOf(call.operation);
    if (running === MAX_RUNNING) throw throttled();
    running += 1;
    try {
      return await operation(call, { ...deps, logs });
    } finally {
      running -= 1;
    }
  };
  return async (req, requestId) => {
    try {
      const claim = deps.authenticator.begin(headOf(req));
      const onPiece = (piece: Buffer): void => claim.push(piece);
      const body = await readBody(req, { limitBytes: MAX_BYTES, budget: deps.budget, tooLarge, onPiece });
      try {
        const principal = claim.confirm(); // nothing was done for the caller before
        const operation = String(req.headers['x-amz-target']).slice(logsTarget.length);
        const call = { operation, members: new Members(body.bytes), principal };
        return jsonAnswer(await run(call), requestId);
      } finally {
        body.release();
      }
    } catch (err) {
      if (err instanceof CallerGone) throw err;
      deps.onRefused(err, requestId);
      return renderJsonError(toLambdaError(err), requestId);
    }
  };
}

function operationOf(operation: string): LogsOperation {
  const known = operations.get(operation);
  if (known !== undefined) return known;
  throw new LambdaError(
    'UnknownOperationException',
    `${operation.slice(0, 100)} is not supported: logs can be read here, not changed.`,
    { status: 400, fault: 'caller' },
  );
}

function tooLarge(): LambdaError {
  return new LambdaError('RequestEntityTooLargeException', `Request must be smaller than ${MAX_BYTES} bytes`, {
    status: 413,
    fault: 'caller',
  });
}
