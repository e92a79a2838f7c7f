import { expect, test } from '@jest/globals';

import { LambdaError, ResourceNotFound, ServiceException, TooManyRequests } from '../errors.ts';
import {
  hidden,
  lambdaException,
  ModelError,
  renderError,
  serializationError,
  toLambdaError,
  unknownOperation,
  validationError,
  violation,
} from './errors.ts';
import { type ExceptionName, lambdaModel } from './model/model.ts';

function render(err: LambdaError) {
  const { status, headers, body } = renderError(err, 'r-1');
  const pairs = headers.flatMap((name, at) => (at % 2 === 0 ? [[name.toLowerCase(), headers[at + 1]]] : []));
  return { status, headers: Object.fromEntries(pairs), body: JSON.parse(String(body)) };
}

const common = { 'content-type': 'application/json', 'x-amzn-requestid': 'r-1' };

test.each<[reason: string, err: LambdaError, status: number, body: object]>([
  ['upper case where the model has it', new ResourceNotFound('no'), 404, { Type: 'User', Message: 'no' }],
  ['lower case elsewhere', lambdaException('ResourceConflictException', 'no'), 409, { Type: 'User', message: 'no' }],
  ['the service’s fault', new ServiceException('no'), 500, { Type: 'Service', Message: 'no' }],
  ['a status of its own', lambdaException('PreconditionFailedException', 'no'), 412, { Type: 'User', message: 'no' }],
  [
    'a member of its own',
    lambdaException('EC2UnexpectedException', 'no', { EC2ErrorCode: 'E' }),
    502,
    { EC2ErrorCode: 'E', Type: 'User', Message: 'no' },
  ],
  ['nothing readable', serializationError('no'), 400, { Type: 'User', message: 'no' }],
  [
    'no such operation',
    unknownOperation(),
    403,
    { Type: 'User', Message: 'Unable to determine service/operation name to be authorized' },
  ],
])('renderError: %s', (_reason, err, status, body) => {
  const rendered = render(err);
  expect(rendered).toEqual({
    status,
    headers: { ...common, 'x-amzn-errortype': err.code, 'x-kappa-fault': err.fault },
    body,
  });
});

test('a throttle has its reason and says when to come again', () => {
  const { status, headers, body } = render(new TooManyRequests('ReservedFunctionConcurrentInvocationLimitExceeded'));
  expect(status).toBe(429);
  expect(headers['retry-after']).toBe('1');
  expect(body).toEqual({
    Reason: 'ReservedFunctionConcurrentInvocationLimitExceeded',
    Type: 'User',
    message: 'Rate Exceeded.',
  });
});

test.each([...lambdaModel.exceptions])('%s: status and letter case of the model', (code, row) => {
  const { status, headers, body } = render(new ModelError(code, row, 'no', {}));
  expect({ status, type: headers['x-amzn-errortype'] }).toEqual({ status: row.status, type: code });
  expect(body[row.message]).toBe('no');
});

/** What AWS was seen to send; the model says the same. */
test.each<[code: ExceptionName, key: string]>([
  ['TooManyRequestsException', 'message'],
  ['InvalidParameterValueException', 'message'],
  ['InvalidRequestContentException', 'message'],
  ['ResourceConflictException', 'message'],
  ['ResourceNotFoundException', 'Message'],
  ['ServiceException', 'Message'],
  ['ResourceInUseException', 'Message'],
  ['CodeSigningConfigNotFoundException', 'Message'],
])('%s has %s', (code, key) => {
  expect(lambdaModel.exceptions.get(code)?.message).toBe(key);
});

test('violations are counted and joined', () => {
  const one = violation(null, 'role', 'Member must not be null');
  const other = violation(hidden, 'environment.variables', 'c');
  expect(validationError([one])).toMatchObject({
    code: 'ValidationException',
    message: "1 validation error detected: Value null at 'role' failed to satisfy constraint: Member must not be null",
  });
  expect(validationError([one, other, violation('', 'name', 'd')]).message).toBe(
    "3 validation errors detected: Value null at 'role' failed to satisfy constraint: Member must not be null; Value at 'environment.variables' failed to satisfy constraint: c; Value '' at 'name' failed to satisfy constraint: d",
  );
});

test('what is no LambdaError shows nothing of itself', () => {
  const err = toLambdaError(new Error('secret'));
  expect(err).toBeInstanceOf(ServiceException);
  expect(err.message).not.toContain('secret');
  const own = new LambdaError('X', 'y', { status: 400, fault: 'caller' });
  expect(toLambdaError(own)).toBe(own);
});
