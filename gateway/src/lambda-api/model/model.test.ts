import { readFileSync } from 'node:fs';
import { expect, test } from '@jest/globals';

import { lambdaModel, operationNamed } from './model.ts';

const text = readFileSync(new URL('../generated/lambda-model.json', import.meta.url), 'utf8');

test('the table has the API of November 2026', () => {
  expect(lambdaModel.operations.size).toBe(91);
  expect(lambdaModel.exceptions.size).toBe(58);
});

test('the table is small and holds no text for people', () => {
  expect(text.length).toBeLessThan(200_000);
  expect(text).not.toMatch(/documentation|<p>/);
});

test('paths, statuses and members as AWS has them', () => {
  const operation = operationNamed('GetFunctionConcurrency');
  expect(operation).toMatchObject({
    method: 'GET',
    path: '/2019-09-30/functions/{FunctionName}/concurrency',
    status: 200,
  });
  expect(operation.input.members).toMatchObject([
    { name: 'FunctionName', label: 'functionName', location: 'uri', isRequired: true },
  ]);
  expect(operation.errors).toContain('ResourceNotFoundException');
});
