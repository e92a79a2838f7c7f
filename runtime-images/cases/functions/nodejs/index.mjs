import { appendFileSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { setTimeout as pause } from 'node:timers/promises';

if (process.env.INIT === 'fail') throw new RangeError('not today');
if (process.env.INIT === 'exit') process.exit(3);

class OwnError extends Error {
  name = 'OwnError';
}

let count = 0;
const does = {
  echo: (event) => event,
  context: (_event, context) => ({
    requestId: context.awsRequestId,
    functionName: context.functionName,
    functionVersion: context.functionVersion,
    memory: Number(context.memoryLimitInMB),
    arn: context.invokedFunctionArn,
    logGroup: context.logGroupName,
    logStream: context.logStreamName,
    remainingMs: context.getRemainingTimeInMillis(),
    caller: context.clientContext.custom.name,
    folder: process.cwd(),
  }),
  environment: () => process.env,
  throw: () => {
    throw new OwnError('on purpose: ü');
  },
  exit: () => process.exit(3),
  sleep: () => pause(60_000),
  log: () => {
    console.log('printed ü');
    console.error('to standard error');
    return null;
  },
  large: ({ bytes }) => 'x'.repeat(bytes - 2),
  layer: async () => (await import('greeting')).default,
  tmp: () => {
    const file = `${tmpdir()}/lines`;
    appendFileSync(file, 'line\n');
    return readFileSync(file, 'utf8').length / 5;
  },
  count: () => {
    count += 1;
    return count;
  },
};

export const handler = async (event, context) => does[event.do](event, context);
