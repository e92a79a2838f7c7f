import { beforeEach, expect, test } from '@jest/globals';

import { TestApi } from '../testing-call.ts';
import { addLayerVersionPermission, getLayerVersionPolicy, removeLayerVersionPermission } from './permissions.ts';

const arn = 'arn:aws:lambda:us-east-1:000000000000:layer:shared:1';
const version = { LayerName: 'shared', VersionNumber: 1 };
let api: TestApi;
beforeEach(() => {
  api = new TestApi();
  const spec = { layerName: 'shared', version: 1, code: { zip: { sha256: 'ab'.repeat(32) } } };
  api.kubernetes.set('layers', 'default', 'shared-v1', { spec });
});

const add = (StatementId: string, Principal: string, more: object = {}) =>
  addLayerVersionPermission(
    api.call({ ...version, StatementId, Action: 'lambda:GetLayerVersion', Principal, ...more }),
    api.deps,
  );
const policy = async () => {
  const { Policy = '', RevisionId } = await getLayerVersionPolicy(api.call(version), api.deps);
  return { ...JSON.parse(Policy), RevisionId };
};

test('a policy grows and shrinks, and says so as Lambda does', async () => {
  const common = { Effect: 'Allow', Action: 'lambda:GetLayerVersion', Resource: arn };
  const one = { Sid: 'one', ...common, Principal: { AWS: 'arn:aws:iam::111111111111:root' } };
  const added = await add('one', '111111111111');
  expect(JSON.parse(added.Statement ?? '')).toEqual(one);
  await add('two', 'arn:aws:iam::222222222222:root');
  const { RevisionId } = await add('all', '*', { OrganizationId: 'o-abcdefghij' });
  expect(await policy()).toEqual({
    Version: '2012-10-17',
    Id: 'default',
    RevisionId,
    Statement: [
      one,
      { Sid: 'two', ...common, Principal: { AWS: 'arn:aws:iam::222222222222:root' } },
      {
        Sid: 'all',
        ...common,
        Principal: '*',
        Condition: { StringEquals: { 'aws:PrincipalOrgID': 'o-abcdefghij' } },
      },
    ],
  });
  for (const StatementId of ['one', 'all'])
    await removeLayerVersionPermission(api.call({ ...version, StatementId }), api.deps);
  expect((await policy()).Statement).toHaveLength(1);
});

test.each<[reason: string, ask: () => Promise<unknown>, code: string, message: RegExp]>([
  ['no policy', () => policy(), 'ResourceNotFoundException', /^No policy is associated with the given resource\.$/],
  [
    'a statement that is not there',
    () => removeLayerVersionPermission(api.call({ ...version, StatementId: 'x' }), api.deps),
    'ResourceNotFoundException',
    /^Statement x is not found in resource policy\.$/,
  ],
  [
    'a statement twice',
    async () => {
      await add('x', '*');
      await add('x', '111111111111');
    },
    'ResourceConflictException',
    /^The statement id \(x\) provided already exists\. /,
  ],
  [
    'a version that is not there',
    () => add('x', '*', { VersionNumber: 2 }),
    'ResourceNotFoundException',
    /^Layer version .*:layer:shared:2 does not exist\.$/,
  ],
  [
    'an old revision',
    async () => {
      const { RevisionId } = await add('x', '*');
      await add('y', '*');
      await add('z', '*', { RevisionId });
    },
    'PreconditionFailedException',
    /^The Revision Id provided does not match/,
  ],
  [
    'an organization of one account',
    () => add('x', '111111111111', { OrganizationId: 'o-abcdefghij' }),
    'InvalidParameterValueException',
    /must be \*/,
  ],
  [
    'more than a policy holds',
    async () => {
      for (let number = 0; number < 51; number += 1) await add(`s${number}`, '*');
    },
    'PolicyLengthExceededException',
    /^The final policy size/,
  ],
])('refused: %s', async (_reason, ask, code, message) => {
  await expect(ask()).rejects.toMatchObject({ code, message: expect.stringMatching(message) });
});
