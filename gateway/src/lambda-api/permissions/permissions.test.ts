import { beforeEach, describe, expect, test } from '@jest/globals';
import { functions } from '@kappa/crds/client/kinds';

import { deleteAlias } from '../aliases/aliases.ts';
import { TestApi, testArn } from '../testing-call.ts';
import { policyCalls, refusal } from './testing.ts';

const arn = testArn('f');
let api: TestApi;
beforeEach(async () => {
  api = new TestApi();
  await api.function('f', {}, 1);
  api.alias('live', '1');
});

const { add, remove, get, sids, stored } = policyCalls(() => api);

test.each<[reason: string, input: object, statement: object]>([
  [
    'a service and its source',
    { Principal: 's3.amazonaws.com', SourceArn: 'arn:aws:s3:::b', SourceAccount: '000000000000' },
    {
      Principal: { Service: 's3.amazonaws.com' },
      Condition: {
        StringEquals: { 'AWS:SourceAccount': '000000000000' },
        ArnLike: { 'AWS:SourceArn': 'arn:aws:s3:::b' },
      },
    },
  ],
  ['an account', { Principal: '111111111111' }, { Principal: { AWS: 'arn:aws:iam::111111111111:root' } }],
  [
    'a role',
    { Principal: 'arn:aws:iam::111111111111:role/path/r' },
    { Principal: { AWS: 'arn:aws:iam::111111111111:role/path/r' } },
  ],
  [
    'everybody by an open URL',
    { Action: 'lambda:InvokeFunctionUrl', FunctionUrlAuthType: 'NONE' },
    {
      Principal: '*',
      Action: 'lambda:InvokeFunctionUrl',
      Condition: { StringEquals: { 'lambda:FunctionUrlAuthType': 'NONE' } },
    },
  ],
  [
    'everybody through a URL',
    { InvokedViaFunctionUrl: true },
    { Principal: '*', Condition: { Bool: { 'lambda:InvokedViaFunctionUrl': 'true' } } },
  ],
  [
    'an organization, and a token',
    { PrincipalOrgID: 'o-0123456789', EventSourceToken: 't' },
    { Condition: { StringEquals: { 'aws:PrincipalOrgID': 'o-0123456789', 'lambda:EventSourceToken': 't' } } },
  ],
])('AddPermission answers the statement, and GetPolicy has it: %s', async (_reason, input, statement) => {
  const added = await add(input);
  expect(added).toMatchObject({ Sid: 's', Effect: 'Allow', Resource: arn, ...statement });
  expect((await get()).policy).toEqual({ Version: '2012-10-17', Id: 'default', Statement: [added] });
});

describe('a policy for each qualifier', () => {
  test('the same Sid may be in each, and they are read and removed apart', async () => {
    await add({});
    await add({}, 'live');
    expect((await add({}, '1')).Resource).toBe(`${arn}:1`);
    expect((await stored())?.map(({ qualifier }) => qualifier)).toEqual(['', 'live', '1']);
    await remove('s', 'live');
    expect(await refusal(get('live'))).toMatch(/^ResourceNotFoundException/);
    expect([await sids(), await sids('1')]).toEqual([['s'], ['s']]);
  });

  test.each<[reason: string, qualifier: string, want: string]>([
    [
      '$LATEST has none',
      '$LATEST',
      'InvalidParameterValueException: We currently do not support adding policies for $LATEST.',
    ],
    ['no such version', '9', `ResourceNotFoundException: Function not found: ${arn}:9`],
    ['no such alias', 'other', `ResourceNotFoundException: Cannot find alias arn: ${arn}:other`],
  ])('%s', async (_reason, qualifier, want) => {
    expect(await refusal(add({}, qualifier))).toBe(want);
    expect(await refusal(get(qualifier))).toBe(want);
    expect(await refusal(remove('s', qualifier))).toBe(want);
  });
});

test.each<[reason: string, input: object, want: string]>([
  [
    'a principal of no form',
    { Principal: 'ann' },
    'InvalidParameterValueException: The provided principal was invalid. Please check the principal and try again.',
  ],
  [
    'a URL’s kind for Invoke',
    { FunctionUrlAuthType: 'NONE' },
    'InvalidParameterValueException: FunctionUrlAuthType is only supported for lambda:InvokeFunctionUrl action',
  ],
  [
    'a way of Invoke for a URL',
    { Action: 'lambda:InvokeFunctionUrl', InvokedViaFunctionUrl: true },
    'InvalidParameterValueException: InvokedViaFunctionUrl is only supported for lambda:InvokeFunction action',
  ],
  [
    'a Sid that is Kappa’s',
    { StatementId: 'kappa-x' },
    'InvalidParameterValueException: Statement ids that begin with kappa- are reserved.',
  ],
  [
    'another revision',
    { RevisionId: '00000000-0000-0000-0000-000000000000' },
    'PreconditionFailedException: The RevisionId provided does not match the latest RevisionId. Call the GetPolicy API to retrieve the latest RevisionId',
  ],
])('AddPermission refuses %s', async (_reason, input, want) => {
  expect(await refusal(add(input))).toBe(want);
  expect(await stored()).toBeUndefined();
});

test('what belongs to an alias goes with it, and nothing else', async () => {
  for (const qualifier of [null, 'live', '1']) await add({}, qualifier);
  await deleteAlias(api.call({ FunctionName: 'f', Name: 'live' }), api.deps);
  expect((await stored())?.map(({ qualifier }) => qualifier)).toEqual(['', '1']);
});

test('a Sid that is there is a conflict', async () => {
  await add({});
  expect(await refusal(add({ Principal: '111111111111' }))).toBe(
    'ResourceConflictException: The statement id (s) provided already exists. Please provide a new statement id, or remove the existing statement.',
  );
  await add({ StatementId: 't' });
  expect(await sids()).toEqual(['s', 't']);
});

test('a policy of more than 20,480 bytes is refused, and names its size', async () => {
  const SourceArn = `arn:aws:s3:::${'x'.repeat(1900)}`;
  for (let at = 0; at < 9; at += 1) await add({ StatementId: `s${at}`, SourceArn });
  const full = Buffer.byteLength(JSON.stringify((await get()).policy));
  const rest = 20_480 - full - 200;
  const last = await refusal(add({ StatementId: 'last', SourceArn: `arn:aws:s3:::${'y'.repeat(rest)}` }));
  const [, size] =
    /^PolicyLengthExceededException: The final policy size \((\d+)\) is bigger than the limit \(20480\)\.$/.exec(
      last,
    ) ?? [];
  expect(Number(size)).toBeGreaterThan(20_480);
  const fits = rest - (Number(size) - 20_480);
  await add({ StatementId: 'last', SourceArn: `arn:aws:s3:::${'y'.repeat(fits)}` });
  expect(Buffer.byteLength(JSON.stringify((await get()).policy))).toBe(20_480);
});

test('nothing there: GetPolicy and RemovePermission have texts of their own', async () => {
  expect(await refusal(get())).toBe('ResourceNotFoundException: The resource you requested does not exist.');
  expect(await refusal(remove('s'))).toBe(
    'ResourceNotFoundException: No policy is associated with the given resource.',
  );
  await add({});
  expect(await refusal(remove('t'))).toBe('ResourceNotFoundException: Statement t is not found in resource policy.');
  await remove('s');
  expect(await stored()).toBeUndefined();
});

test('a RevisionId holds until the next change', async () => {
  await add({});
  const { RevisionId } = await get();
  await add({ StatementId: 't', RevisionId });
  expect(await refusal(remove('s', null, { RevisionId }))).toMatch(/^PreconditionFailedException/);
  await remove('s', null, { RevisionId: (await get()).RevisionId });
  expect(await sids()).toEqual(['t']);
});

test('two writers at once: both statements are kept', async () => {
  let isFirst = true;
  api.kubernetes.beforeReplace = () => {
    if (!isFirst) return;
    isFirst = false;
    const other = { sid: 'other', action: 'lambda:InvokeFunction', principal: '*', qualifier: '' };
    api.kubernetes.set('functions', 'default', 'f', { spec: { ...Object(fnSpec), permissions: [other] } });
  };
  const { spec: fnSpec } = await api.kubernetes.get(functions, 'default', 'f');
  await add({});
  expect(await sids()).toEqual(['other', 's']);
});
