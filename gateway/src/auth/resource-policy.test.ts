import { expect, test } from '@jest/globals';
import type { FunctionPermission } from '@kappa/crds/function';

import {
  type AccessRequest,
  allows,
  allowsUrl,
  compilePolicy,
  grantsOf,
  ownerGrants,
  type PolicyCaller,
} from './resource-policy.ts';

const anybody: PolicyCaller = { kind: 'anybody' };
const team: PolicyCaller = {
  kind: 'signed',
  accounts: ['111111111111'],
  arns: ['arn:aws:iam::111111111111:user/ann'],
};
const session: PolicyCaller = {
  kind: 'signed',
  accounts: ['111111111111'],
  arns: ['arn:aws:sts::111111111111:assumed-role/deploy/ci', 'arn:aws:iam::111111111111:role/deploy'],
};
const s3: PolicyCaller = { kind: 'service', name: 's3.amazonaws.com' };

const permission = (over: Partial<FunctionPermission> = {}): FunctionPermission => ({
  sid: 's',
  qualifier: '',
  action: 'lambda:InvokeFunction',
  principal: '*',
  ...over,
});
const bucket = 'arn:aws:s3:::pictures';
const fromS3 = { caller: s3, sourceArn: bucket, sourceAccount: '000000000000' };

type Row = readonly [reason: string, permission: Partial<FunctionPermission>, request: Partial<AccessRequest>];

const invoke = (request: Partial<AccessRequest>): AccessRequest => ({
  action: 'lambda:InvokeFunction',
  caller: team,
  ...request,
});
const answer = ([, given, request]: Row) => allows(grantsOf(compilePolicy([permission(given)]), null), invoke(request));

const allowed: readonly Row[] = [
  ['everybody: anybody', {}, { caller: anybody }],
  ['everybody: a signed caller', {}, {}],
  ['everybody: a service', {}, { caller: s3 }],
  ['an account by its number', { principal: '111111111111' }, {}],
  ['an account by its root', { principal: 'arn:aws:iam::111111111111:root' }, {}],
  ['a user by its name', { principal: 'arn:aws:iam::111111111111:user/ann' }, {}],
  ['a role by its name', { principal: 'arn:aws:iam::111111111111:role/deploy' }, { caller: session }],
  ['one session', { principal: 'arn:aws:sts::111111111111:assumed-role/deploy/ci' }, { caller: session }],
  ['a service', { principal: 's3.amazonaws.com' }, { caller: s3 }],
  ['every action of Lambda', { action: 'lambda:*' }, {}],
  ['every action', { action: '*' }, { action: 'lambda:GetFunction' }],
  ['another action', { action: 'lambda:GetFunction' }, { action: 'lambda:GetFunction' }],
  ['a source', { principal: 's3.amazonaws.com', sourceArn: bucket }, fromS3],
  ['a source by a pattern', { principal: 's3.amazonaws.com', sourceArn: 'arn:aws:s3:::pic*' }, fromS3],
  ['a source by one character', { sourceArn: 'arn:aws:s3:::picture?' }, fromS3],
  [
    'a pattern over the colons of the last part',
    { sourceArn: 'arn:aws:sns:us-east-1:0000*:topic:*:z' },
    { caller: s3, sourceArn: 'arn:aws:sns:us-east-1:000000000000:topic:x:y:z' },
  ],
  ['a source’s account', { sourceAccount: '000000000000' }, fromS3],
  ['all conditions', { sourceArn: bucket, sourceAccount: '000000000000' }, fromS3],
  ['a token', { eventSourceToken: 'a.b-c' }, { eventSourceToken: 'a.b-c' }],
  ['through the URL, if it says so', { invokedViaFunctionUrl: true }, { invokedViaFunctionUrl: true }],
  ['not through the URL, if it says so', { invokedViaFunctionUrl: false }, {}],
  ['through the URL, if it says nothing', {}, { invokedViaFunctionUrl: true }],
  [
    'the URL’s kind',
    { action: 'lambda:InvokeFunctionUrl', functionUrlAuthType: 'AwsIam' },
    { action: 'lambda:InvokeFunctionUrl', functionUrlAuthType: 'AwsIam' },
  ],
];

const refused: readonly Row[] = [
  ['another account', { principal: '222222222222' }, {}],
  ['an account: anybody', { principal: '111111111111' }, { caller: anybody }],
  ['an account: a service', { principal: '111111111111' }, { caller: s3 }],
  ['another user', { principal: 'arn:aws:iam::111111111111:user/bob' }, {}],
  ['a user of that name elsewhere', { principal: 'arn:aws:iam::222222222222:user/ann' }, {}],
  ['a user: anybody', { principal: 'arn:aws:iam::111111111111:user/ann' }, { caller: anybody }],
  [
    'another session of the role',
    { principal: 'arn:aws:sts::111111111111:assumed-role/deploy/x' },
    { caller: session },
  ],
  ['a user by a pattern, which is a name', { principal: 'arn:aws:iam::111111111111:user/*' }, {}],
  ['another service', { principal: 'sns.amazonaws.com' }, { caller: s3 }],
  ['a service: a signed caller', { principal: 's3.amazonaws.com' }, {}],
  ['a service: anybody', { principal: 's3.amazonaws.com' }, { caller: anybody }],
  ['a principal of no form', { principal: 'ann' }, { caller: anybody }],
  ['an organization, which nobody is in', { principalOrgId: 'o-0123456789' }, {}],
  ['another action', { action: 'lambda:GetFunction' }, {}],
  ['an action in other letters', { action: 'lambda:invokefunction' }, {}],
  ['the URL’s action for Invoke', { action: 'lambda:InvokeFunctionUrl' }, {}],
  ['Invoke’s action for the URL', {}, { action: 'lambda:InvokeFunctionUrl' }],
  ['another source', { sourceArn: 'arn:aws:s3:::other' }, fromS3],
  ['a source that begins alike', { sourceArn: 'arn:aws:s3:::pic' }, fromS3],
  ['no source', { sourceArn: bucket }, { caller: s3 }],
  ['a pattern that ends before the text', { sourceArn: 'arn:aws:s3:::*x' }, fromS3],
  ['a pattern that would reach over a part', { sourceArn: 'arn:aws:s3*:pictures' }, fromS3],
  ['a star for all parts', { sourceArn: '*' }, fromS3],
  ['another source’s account', { sourceAccount: '111111111111' }, fromS3],
  ['no source’s account', { sourceAccount: '000000000000' }, { caller: s3 }],
  ['one of two conditions', { sourceArn: bucket, sourceAccount: '111111111111' }, fromS3],
  ['another token', { eventSourceToken: 'a' }, { eventSourceToken: 'b' }],
  ['no token', { eventSourceToken: 'a' }, {}],
  ['directly, but only through the URL is allowed', { invokedViaFunctionUrl: true }, {}],
  ['through the URL, but only directly is allowed', { invokedViaFunctionUrl: false }, { invokedViaFunctionUrl: true }],
  [
    'a URL of the other kind',
    { action: 'lambda:InvokeFunctionUrl', functionUrlAuthType: 'None' },
    { action: 'lambda:InvokeFunctionUrl', functionUrlAuthType: 'AwsIam' },
  ],
  ['a URL’s kind where there is no URL', { functionUrlAuthType: 'None' }, {}],
];

test.each(allowed)('allowed: %s', (...row) => expect(answer(row)).toBe(true));
test.each(refused)('refused: %s', (...row) => expect(answer(row)).toBe(false));

test('a pattern of many stars takes no time', () => {
  const sourceArn = `arn:aws:s3:::${'a*'.repeat(900)}b`;
  const request = invoke({ caller: s3, sourceArn: `arn:aws:s3:::${'a'.repeat(2000)}` });
  const startMs = performance.now();
  expect(allows(grantsOf(compilePolicy([permission({ sourceArn })]), null), request)).toBe(false);
  expect(performance.now() - startMs).toBeLessThan(1000);
});

test('statements count for the qualifier that they were given for', () => {
  const policy = compilePolicy([permission({ qualifier: 'live' }), permission({ qualifier: '7' })]);
  const isAllowed = (qualifier: string | null) => allows(grantsOf(policy, qualifier), invoke({}));
  expect(['live', '7', null, '$LATEST', 'Live', 'other'].map(isAllowed)).toEqual([
    true,
    true,
    false,
    false,
    false,
    false,
  ]);
  expect(allows(grantsOf(compilePolicy([permission()]), '$LATEST'), invoke({}))).toBe(false);
});

const url = permission({ action: 'lambda:InvokeFunctionUrl', functionUrlAuthType: 'None' });
const viaUrl = permission({ invokedViaFunctionUrl: true });

test.each<[reason: string, permissions: readonly FunctionPermission[], want: boolean]>([
  ['nothing', [], false],
  ['the first alone', [url], false],
  ['the second alone', [viaUrl], false],
  ['both', [url, viaUrl], true],
  ['both, the second without a condition', [url, permission()], true],
  ['one for everything', [permission({ action: 'lambda:*' })], true],
  ['the first for signed URLs', [{ ...url, functionUrlAuthType: 'AwsIam' }, viaUrl], false],
  ['both, but one to an account', [url, { ...viaUrl, principal: '111111111111' }], false],
  ['what a manifest grants', ownerGrants(''), true],
  ['what a manifest grants an alias', ownerGrants('live'), false],
])('an open URL with %s', (_reason, permissions, want) => {
  expect(allowsUrl(grantsOf(compilePolicy(permissions), null), anybody, 'None')).toBe(want);
});

test('what a manifest grants is the URL, not Invoke', () => {
  const grants = grantsOf(compilePolicy(ownerGrants('')), null);
  expect(allows(grants, invoke({ caller: anybody }))).toBe(false);
  expect(allowsUrl(grants, team, 'AwsIam')).toBe(false);
});
