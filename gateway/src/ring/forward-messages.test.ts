import { expect, test } from '@jest/globals';
import { NoIdleSlot, NotOwner } from '../dispatch/ownership.ts';
import {
  InvalidZipFile,
  LambdaError,
  RequestAbandoned,
  ServiceException,
  TooManyRequests,
  throttleReasons,
} from '../errors.ts';
import { report } from '../testing.ts';
import {
  Elsewhere,
  makeForwardHead,
  makeRefusal,
  parseForwardedHead,
  parseForwardedReport,
  parseForwardHead,
  parseRefusal,
} from './forward-messages.ts';
import { invocationOf } from './testing.ts';

test.each<[error: LambdaError]>([
  ...throttleReasons.map((reason): [TooManyRequests] => [new TooManyRequests(reason)]),
  [new ServiceException('no pods', { retryAfterSeconds: 1 })],
  [new ServiceException('lost')],
  [new InvalidZipFile('bad')],
  [new RequestAbandoned()],
])('%p is the same error on the other side', (error) => {
  const parsed = parseRefusal(JSON.parse(makeRefusal(error)));
  const { code, status, message, fault, reason, retryAfterSeconds } = error;
  expect(parsed).toMatchObject({ code, status, message, fault, reason, retryAfterSeconds });
  expect(parsed instanceof TooManyRequests).toBe(error instanceof TooManyRequests);
});

test.each<[error: Error, kind: string]>([
  [new NotOwner('f'), 'NotOwner'],
  [new NoIdleSlot('f'), 'NoIdleSlot'],
  [new Elsewhere('Unavailable', 'leaving'), 'Unavailable'],
])('%p did not run: it may be tried elsewhere', (error, kind) => {
  const parsed = parseRefusal(JSON.parse(makeRefusal(error)));
  expect(parsed).toBeInstanceOf(Elsewhere);
  expect(parsed).toMatchObject({ kind });
});

test('what is no LambdaError may have run', () => {
  const parsed = parseRefusal(JSON.parse(makeRefusal(new TypeError('bug'))));
  expect(parsed).toBeInstanceOf(LambdaError);
  expect(parsed.message).toMatch(/may have run/);
});

test('a head says all that an invocation has', () => {
  const invocation = invocationOf('{}', { traceId: 't', clientContext: '{}', tail: true, isAsync: true });
  expect(parseForwardHead(JSON.parse(makeForwardHead('v', invocation, true)))).toEqual({
    versionUid: 'v',
    onlyIdle: true,
    requestId: invocation.requestId,
    invokedFunctionArn: invocation.invokedFunctionArn,
    traceId: 't',
    clientContext: '{}',
    tail: true,
    isAsync: true,
  });
  expect(parseForwardHead(JSON.parse(makeForwardHead('v', invocationOf(), false)))).toMatchObject({
    onlyIdle: false,
    tail: false,
    isAsync: false, // as an older gateway says it
    traceId: undefined,
  });
});

test('reports pass, a lost one too', () => {
  expect(parseForwardedReport(JSON.parse(JSON.stringify(report)))).toEqual(report);
  expect(parseForwardedReport(null)).toBeNull();
});

test.each<[what: string, parse: () => unknown]>([
  ['a head without version', () => parseForwardHead({ requestId: 'r', invokedFunctionArn: 'a' })],
  ['an answer of no kind', () => parseForwardedHead({ waitMs: 1 })],
  ['an answer without wait', () => parseForwardedHead({ kind: 'response' })],
  ['a report without durations', () => parseForwardedReport({ status: 'success' })],
  ['a refusal without code', () => parseRefusal({ kind: 'lambda', message: 'm' })],
])('%s is a bad frame', (_what, parse) => expect(parse).toThrow(expect.objectContaining({ code: 'BadFrame' })));
