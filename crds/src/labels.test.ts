import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { accountIdOf, defaultAccountId } from './accounts.ts';
import { labelValue, selectorOf } from './labels.ts';

const legalLabelValue = /^[A-Za-z0-9]([A-Za-z0-9._-]{0,61}[A-Za-z0-9])?$/;

test('a label value is the name while it fits', () => {
  expect(labelValue('a'.repeat(63))).toBe('a'.repeat(63));
  expect(labelValue('a'.repeat(64))).toMatch(/^a{52}_[0-9a-f]{10}$/);
});

test('label values are legal and tell names apart', () => {
  const objectNames = fc.stringMatching(/^[a-z0-9]([a-z0-9.-]{0,150}[a-z0-9])?$/);
  fc.assert(
    fc.property(objectNames, objectNames, (one, other) => {
      expect(labelValue(one)).toMatch(legalLabelValue);
      expect(labelValue(one) === labelValue(other)).toBe(one === other);
    }),
  );
});

test('a selector is sorted', () => {
  expect(selectorOf({ 'kappa.dev/state': 'generic', 'kappa.dev/pool': 'nodejs24.x' })).toBe(
    'kappa.dev/pool=nodejs24.x,kappa.dev/state=generic',
  );
});

test.each([
  ['default is the first account', 'default', {}, defaultAccountId],
  ['the label decides', 'team-a', { 'kappa.dev/account-id': '123456789012' }, '123456789012'],
  ['also for default', 'default', { 'kappa.dev/account-id': '123456789012' }, '123456789012'],
  ['a label that is no account does not', 'default', { 'kappa.dev/account-id': '12' }, defaultAccountId],
])('accountIdOf: %s', (_reason, namespace, labels, accountId) => {
  expect(accountIdOf(namespace, labels)).toBe(accountId);
});

test('a namespace without a label always is the same account, and not the first one', () => {
  expect(accountIdOf('team-a')).toBe(accountIdOf('team-a', {}));
  expect(accountIdOf('team-a')).toMatch(/^\d{12}$/);
  expect(new Set(['default', 'team-a', 'team-b', 'team-c'].map((namespace) => accountIdOf(namespace))).size).toBe(4);
});
