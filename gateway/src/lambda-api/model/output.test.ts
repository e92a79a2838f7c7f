import type { FunctionConfiguration } from '@aws-sdk/client-lambda';
import { expect, test } from '@jest/globals';

import { parseInput } from './input.ts';
import { operationNamed } from './model.ts';
import { renderOutput } from './output.ts';
import { matchOperation } from './router.ts';

test('a body of JSON, without what is missing or unknown', () => {
  const output = { FunctionName: 'f', Description: undefined, Role: null, Timeout: 3, Own: 1 };
  expect(renderOutput(operationNamed('CreateFunction'), output, 'r-1')).toEqual({
    status: 201,
    headers: ['Content-Type', 'application/json', 'x-amzn-RequestId', 'r-1'],
    body: '{"FunctionName":"f","Timeout":3}',
  });
});

test('times are seconds', () => {
  const output = { UUID: 'u', LastModified: new Date(1_763_773_200_250) };
  const { status, body } = renderOutput(operationNamed('CreateEventSourceMapping'), output, 'r');
  expect({ status, body }).toEqual({ status: 202, body: '{"UUID":"u","LastModified":1763773200.25}' });
});

test('an empty output is an empty object', () => {
  expect(renderOutput(operationNamed('GetFunctionConcurrency'), {}, 'r').body).toBe('{}');
});

test.each(['TagResource', 'DeleteAlias', 'RemovePermission'] as const)('%s: 204 has no body', (name) => {
  expect(renderOutput(operationNamed(name), {}, 'r')).toEqual({
    status: 204,
    headers: ['x-amzn-RequestId', 'r'],
    body: '',
  });
});

test('a member may be the status', () => {
  const { status, body } = renderOutput(operationNamed('DeleteFunction'), { StatusCode: 204 }, 'r');
  expect({ status, body }).toEqual({ status: 204, body: '' });
});

test('members may be headers, and the body bytes', () => {
  const output = { StatusCode: 200, ExecutedVersion: '3', Payload: Buffer.from('{}') };
  expect(renderOutput(operationNamed('Invoke'), output, 'r')).toEqual({
    status: 200,
    headers: ['x-amzn-RequestId', 'r', 'x-amz-executed-version', '3'],
    body: Buffer.from('{}'),
  });
});

test('of an event stream only the head is written', () => {
  const output = { StatusCode: 200, ResponseStreamContentType: 'application/vnd.amazon.eventstream' };
  expect(renderOutput(operationNamed('InvokeWithResponseStream'), output, 'r')).toEqual({
    status: 200,
    headers: ['x-amzn-RequestId', 'r', 'content-type', 'application/vnd.amazon.eventstream'],
    body: '',
  });
});

test('a whole operation: request line to answer', () => {
  const match = matchOperation('GET', '/2015-03-31/functions/hello/configuration?Qualifier=live');
  if (match === null) throw new Error('no operation');
  const input = parseInput(match, { headers: {}, body: Buffer.alloc(0) });
  const handler = ({ FunctionName, Qualifier }: typeof input): FunctionConfiguration => ({
    FunctionName: String(FunctionName),
    Version: Qualifier === 'live' ? '7' : '$LATEST',
    Environment: { Variables: { A_KEY: '1' } },
  });
  const { status, body } = renderOutput(match.operation, handler(input), 'r');
  expect({ status, body: JSON.parse(String(body)) }).toEqual({
    status: 200,
    body: { FunctionName: 'hello', Version: '7', Environment: { Variables: { A_KEY: '1' } } },
  });
});
