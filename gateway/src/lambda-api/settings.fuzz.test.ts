import { beforeEach, expect, test } from '@jest/globals';
import { eventSourceMappings } from '@kappa/crds/client/kinds';
import { ParseError } from '@kappa/crds/parse-error';
import fc from 'fast-check';

import { LambdaError } from '../errors.ts';
import type { OperationCall } from './call.ts';
import { type OperationName, operationNamed } from './model/model.ts';
import { renderOutput } from './model/output.ts';
import { validStructure } from './model/testing.ts';
import { operations } from './operations.ts';
import { TestApi } from './testing-call.ts';

/*
 * Whatever the service model accepts, these operations answer by the model or refuse with an exception that it declares; never with a bug.
 */

const names: readonly OperationName[] = [
  'PutFunctionEventInvokeConfig',
  'UpdateFunctionEventInvokeConfig',
  'GetFunctionEventInvokeConfig',
  'ListFunctionEventInvokeConfigs',
  'DeleteFunctionEventInvokeConfig',
  'PutFunctionRecursionConfig',
  'GetFunctionRecursionConfig',
  'PutRuntimeManagementConfig',
  'GetRuntimeManagementConfig',
  'PutProvisionedConcurrencyConfig',
  'GetProvisionedConcurrencyConfig',
  'ListProvisionedConcurrencyConfigs',
  'DeleteProvisionedConcurrencyConfig',
  'ListCodeSigningConfigs',
  'GetCodeSigningConfig',
  'PutFunctionCodeSigningConfig',
  'GetFunctionCodeSigningConfig',
  'DeleteFunctionCodeSigningConfig',
  'ListFunctionsByCodeSigningConfig',
  'CreateEventSourceMapping',
  'UpdateEventSourceMapping',
  'GetEventSourceMapping',
  'DeleteEventSourceMapping',
  'ListEventSourceMappings',
];

let api: TestApi;
beforeEach(async () => {
  api = new TestApi();
  await api.function('f', {}, 2);
  api.alias('live', '1');
});

const source = 'arn:aws:sqs:us-east-1:000000000000:q';
const stream = 'arn:aws:kinesis:us-east-1:000000000000:stream/s';

test.each(names)('%s', async (name) => {
  const operation = operationNamed(name);
  const qualifiers = fc.constantFrom(null, '1', '2', '9', 'live', '$LATEST', '$LATEST.PUBLISHED');
  const sources = fc.constantFrom(
    {},
    { EventSourceArn: source },
    { EventSourceArn: stream, StartingPosition: 'LATEST' },
  );
  await fc.assert(
    fc.asyncProperty(validStructure(operation.input), qualifiers, sources, async (generated, qualifier, of) => {
      const isOfMapping = name === 'CreateEventSourceMapping' || name === 'ListEventSourceMappings';
      const input = { ...generated, ...(isOfMapping && of), Marker: undefined, UUID: await someUuid() };
      expect(await outcomeOf(name, api.call(input, 'f', qualifier))).toBe('answered');
    }),
    { seed: 5, numRuns: 60, endOnFailure: true },
  );
});

/** A mapping that is there, when there is one. */
async function someUuid(): Promise<string> {
  const [first] = await api.kubernetes.list(eventSourceMappings, { namespace: 'default' });
  return first?.metadata.uid ?? '00000000-0000-0000-0000-000000000000';
}

/** 'answered' also when it was refused with an exception of the model. */
async function outcomeOf(name: OperationName, call: OperationCall<unknown>): Promise<string> {
  const operation = operationNamed(name);
  const entry = operations[name];
  if (entry.status === 'unsupported') return entry.reason;
  try {
    const output = await entry.handler(call, api.deps);
    expect(renderOutput(operation, output, 'id').status).toBe(operation.status);
    return 'answered';
  } catch (err) {
    if (err instanceof ParseError) return 'answered'; // the API server would have refused it: InvalidParameterValue
    if (!(err instanceof LambdaError)) throw err;
    const declared: readonly string[] = [...operation.errors, 'ValidationException'];
    return declared.includes(err.code) ? 'answered' : `${err.code}: ${err.message}`;
  }
}
