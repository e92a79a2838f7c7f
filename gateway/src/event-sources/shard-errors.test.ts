import { expect, test } from '@jest/globals';

import { streamProblem } from './dynamodb/errors.ts';
import { iteratorProblem } from './kinesis/errors.ts';

const resource = { name: 'stream orders', endpoint: 'http://user:secret@aws:4566' };
const named = (name: string): Error => Object.assign(new Error('no'), { name, $metadata: { httpStatusCode: 400 } });

test.each<[name: string, of: typeof streamProblem, reason: string]>([
  ['InvalidArgumentException', iteratorProblem, 'PositionLost'],
  ['ResourceNotFoundException', iteratorProblem, 'SourceNotFound'],
  ['ProvisionedThroughputExceededException', iteratorProblem, 'Throttled'],
  ['AccessDeniedException', iteratorProblem, 'AccessDenied'],
  ['TrimmedDataAccessException', streamProblem, 'PositionLost'],
  ['LimitExceededException', streamProblem, 'Throttled'],
  ['UnrecognizedClientException', streamProblem, 'AccessDenied'],
  ['InternalServerError', streamProblem, 'Unreachable'],
])('%s: told as what it is, without a secret', (name, of, reason) => {
  const problem = of(named(name), resource);
  expect(problem).toMatchObject({ reason });
  expect(problem.message).not.toContain('secret');
});
