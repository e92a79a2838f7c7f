import { describe, expect, test } from '@jest/globals';

import { isLike, letsIn, parseVerdict } from './authorizer-answer.ts';

const arn = 'arn:aws:execute-api:us-east-1:000000000000:api/prod/GET/pets/7';
const parse = (value: unknown) => parseVerdict(Buffer.from(JSON.stringify(value)));
const policy = (...statements: readonly object[]) => ({
  principalId: 'me',
  policyDocument: { Version: '2012-10-17', Statement: statements },
});
const allow = (Resource: unknown, over: object = {}) => ({
  Effect: 'Allow',
  Action: 'execute-api:Invoke',
  Resource,
  ...over,
});

test.each<[reason: string, answer: unknown, want: boolean]>([
  ['simple, yes', { isAuthorized: true }, true],
  ['simple, no', { isAuthorized: false, context: { a: 1 } }, false],
  ['simple goes before a policy', { isAuthorized: false, ...policy(allow('*')) }, false],
  ['a policy for everything', policy(allow('*')), true],
  ['a policy for a method and a path', policy(allow(arn.replace('/7', '/*'))), true],
  ['one of several resources', policy(allow(['x', arn])), true],
  ['one of several actions', policy(allow(arn, { Action: ['s3:Get', 'execute-api:*'] })), true],
  ['actions are compared without case', policy(allow(arn, { Action: 'Execute-API:INVOKE' })), true],
  ['another path', policy(allow(arn.replace('/7', '/8'))), false],
  ['another action', policy(allow(arn, { Action: 's3:Get' })), false],
  ['a denial goes before everything', policy(allow('*'), { ...allow(arn), Effect: 'Deny' }), false],
  ['a denial of something else', policy(allow('*'), { ...allow('x'), Effect: 'Deny' }), true],
  ['a statement with conditions allows nothing', policy(allow('*', { Condition: {} })), false],
  ['a denial with conditions denies', policy(allow('*'), { ...allow('*', { Condition: {} }), Effect: 'Deny' }), false],
  ['one statement that is no list', { policyDocument: { Statement: allow('*') } }, true],
  ['no statement', policy(), false],
])('letsIn: %s', (_reason, answer, want) => {
  const verdict = parse(answer);
  if (typeof verdict === 'string') throw new Error(verdict);
  expect(letsIn(verdict, arn)).toBe(want);
});

describe('answers that are none', () => {
  test.each<[reason: string, payload: string]>([
    ['no JSON', 'yes'],
    ['null', 'null'],
    ['an array', '[]'],
    ['neither form', '{}'],
    ['a text for a truth', '{"isAuthorized":"true"}'],
    ['a context that is no object', '{"isAuthorized":true,"context":[]}'],
    ['a statement that is no object', '{"policyDocument":{"Statement":["Allow"]}}'],
    ['another effect', JSON.stringify(policy(allow('*', { Effect: 'Perhaps' })))],
    ['no resource', JSON.stringify(policy(allow(undefined)))],
    ['no text for a resource', JSON.stringify(policy(allow([1])))],
    ['NotResource, which is not looked at', JSON.stringify(policy(allow(undefined, { NotResource: 'x' })))],
    ['a pattern that is too long', JSON.stringify(policy(allow(`${'*a'.repeat(512)}b`)))],
    ['an action that is too long', JSON.stringify(policy(allow('*', { Action: 'a'.repeat(1025) })))],
    ['patterns that are too long together', JSON.stringify(policy(allow(Array(33).fill('a'.repeat(1000)))))],
    ['too many patterns', JSON.stringify(policy(allow(Array.from({ length: 1000 }, () => '*'))))],
  ])('%s', (_reason, payload) => {
    expect(typeof parseVerdict(Buffer.from(payload))).toBe('string');
  });
});

test('letsIn: the longest policy for the longest path is a no that takes no time to speak of', () => {
  const slow = `*${'a'.repeat(1000)}b`;
  const verdict = parse(policy(allow(['*', ...Array(32).fill(slow)])));
  if (typeof verdict === 'string') throw new Error(verdict);
  expect(letsIn(verdict, arn)).toBe(true);
  expect(letsIn(verdict, `${arn}${'a'.repeat(16_000)}`)).toBe(false);
});

test.each<[text: string, pattern: string, want: boolean]>([
  ['abc', 'abc', true],
  ['abc', 'a*', true],
  ['abc', '*c', true],
  ['abc', 'a?c', true],
  ['abc', 'a?', false],
  ['', '*', true],
  ['', '?', false],
  ['a/b/c', 'a/*/c', true],
  ['aXbXc', '*X*X?', true],
  ['abc', 'ab', false],
])('isLike: %j like %j: %j', (text, pattern, want) => {
  expect(isLike(text, pattern)).toBe(want);
});

test('isLike: a pattern of many stars takes no time to speak of', () => {
  expect(isLike('a'.repeat(5000), `${'*a'.repeat(500)}b`)).toBe(false);
});
