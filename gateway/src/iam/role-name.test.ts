import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { parseRoleArn, roleNameOf, roleNamePattern, roleObjectName } from './role-name.ts';

test.each([
  ['deployer', 'deployer'],
  ['my.role-1', 'my.role-1'],
  ['My_Role', 'my-role.nd'],
  ['-x-', 'x-x-x.p0'],
])('%s is the ServiceAccount %s, and the other way round', (name, objectName) => {
  expect(roleObjectName(name)).toBe(objectName);
  expect(roleNameOf(objectName)).toBe(name);
});

test('every name of IAM has a ServiceAccount of its own, with a name that Kubernetes takes', () => {
  const name = fc.stringMatching(roleNamePattern).filter((text) => text !== '');
  fc.assert(
    fc.property(name, name, (a, b) => {
      expect(roleObjectName(a)).toMatch(/^[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)*$/);
      expect(roleObjectName(a) === roleObjectName(b)).toBe(a === b);
    }),
  );
});

test.each<[string, ReturnType<typeof parseRoleArn>]>([
  ['arn:aws:iam::111111111111:role/r', { accountId: '111111111111', name: 'r' }],
  ['arn:aws:iam::111111111111:role/service-role/a/My_Role', { accountId: '111111111111', name: 'My_Role' }],
  ['arn:aws-cn:iam::111111111111:role/r', { accountId: '111111111111', name: 'r' }],
  ['arn:aws:iam::111111111111:user/r', null],
  ['arn:aws:iam::1:role/r', null],
  ['r', null],
])('%s', (arn, expected) => {
  expect(parseRoleArn(arn)).toEqual(expected);
});
