import { expect, test } from '@jest/globals';
import { documentProblem, type Trusted, trusts } from './trust.ts';

const lambda: Trusted = { kind: 'service', name: 'lambda.amazonaws.com' };
const jane: Trusted = {
  kind: 'caller',
  accountId: '111111111111',
  arns: ['arn:aws:sts::111111111111:assumed-role/Dev/s', 'arn:aws:iam::111111111111:role/Dev'],
  externalId: 'x1',
};
const allow = { Effect: 'Allow', Action: 'sts:AssumeRole' };
const document = (...Statement: object[]) => JSON.stringify({ Version: '2012-10-17', Statement });

test.each<[string, object[], Trusted, boolean]>([
  ['Lambda', [{ ...allow, Principal: { Service: 'lambda.amazonaws.com' } }], lambda, true],
  ['Lambda among others', [{ ...allow, Principal: { Service: ['a.b', 'lambda.amazonaws.com'] } }], lambda, true],
  ['another service', [{ ...allow, Principal: { Service: 'ec2.amazonaws.com' } }], lambda, false],
  [
    'another action',
    [{ ...allow, Action: 's3:GetObject', Principal: { Service: 'lambda.amazonaws.com' } }],
    lambda,
    false,
  ],
  [
    'every action of STS',
    [{ ...allow, Action: ['sts:*'], Principal: { Service: 'lambda.amazonaws.com' } }],
    lambda,
    true,
  ],
  ['everybody', [{ ...allow, Principal: '*' }], jane, true],
  ['the account', [{ ...allow, Principal: { AWS: 'arn:aws:iam::111111111111:root' } }], jane, true],
  ['the account by its number', [{ ...allow, Principal: { AWS: ['111111111111'] } }], jane, true],
  ['another account', [{ ...allow, Principal: { AWS: 'arn:aws:iam::222222222222:root' } }], jane, false],
  ['the caller’s role', [{ ...allow, Principal: { AWS: 'arn:aws:iam::111111111111:role/Dev' } }], jane, true],
  ['a service, not callers', [{ ...allow, Principal: { Service: 'lambda.amazonaws.com' } }], jane, false],
  [
    'who is denied, too',
    [
      { ...allow, Principal: '*' },
      { ...allow, Effect: 'Deny', Principal: { AWS: '111111111111' } },
    ],
    jane,
    false,
  ],
  [
    'the right external id',
    [{ ...allow, Principal: '*', Condition: { StringEquals: { 'sts:ExternalId': ['x0', 'x1'] } } }],
    jane,
    true,
  ],
  [
    'another external id',
    [{ ...allow, Principal: '*', Condition: { StringEquals: { 'sts:ExternalId': 'x2' } } }],
    jane,
    false,
  ],
  ['a condition that is not understood', [{ ...allow, Principal: '*', Condition: { Bool: {} } }], jane, false],
  [
    'a denial under a condition that is not understood',
    [
      { ...allow, Principal: '*' },
      { ...allow, Effect: 'Deny', Principal: '*', Condition: { Bool: {} } },
    ],
    jane,
    false,
  ],
  ['no principal', [allow], jane, false],
  ['nothing', [], jane, false],
])('%s', (_what, statements, who, expected) => {
  expect(trusts(document(...statements), who)).toBe(expected);
});

test('one statement need not be a list', () => {
  expect(trusts(JSON.stringify({ Statement: { ...allow, Principal: '*' } }), jane)).toBe(true);
});

test('what is no document trusts nobody, and is not stored', () => {
  for (const text of ['', '{', '[]', '"x"', '{"Statement":"x"}', '{"Statement":[{"Effect":"allow"}]}', '{}']) {
    expect(trusts(text, jane)).toBe(false);
    expect(documentProblem(text)).not.toBeNull();
  }
  expect(documentProblem(document({ ...allow, Principal: '*' }))).toBeNull();
});
