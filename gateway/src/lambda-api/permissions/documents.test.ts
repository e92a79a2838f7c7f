import { beforeEach, describe, expect, test } from '@jest/globals';
import type { FunctionPermission } from '@kappa/crds/function';
import fc from 'fast-check';

import { InvalidParameterValue } from '../../errors.ts';
import { TestApi, testArn } from '../testing-call.ts';
import { policyDocument } from './document.ts';
import { deleteResourcePolicy, getResourcePolicy, putResourcePolicy } from './documents.ts';
import { parsePolicyDocument } from './parse-document.ts';
import { policyCalls, refusal } from './testing.ts';

const arn = testArn('f');
let api: TestApi;
beforeEach(async () => {
  api = new TestApi();
  await api.function('f', {}, 1);
  api.alias('live', '1');
});

const { add, remove, get, sids, stored } = policyCalls(() => api);

const put = (document: object | string, more: object = {}) =>
  api.call({ ResourceArn: arn, Policy: typeof document === 'string' ? document : JSON.stringify(document), ...more });
const deletePolicy = (more: object = {}) => deleteResourcePolicy(api.call({ ResourceArn: arn, ...more }), api.deps);
const getDocument = async () =>
  JSON.parse((await getResourcePolicy(api.call({ ResourceArn: arn }), api.deps)).Policy ?? '');

describe('what a manifest’s auth None grants', () => {
  const owners = ['kappa-http-auth-none-url', 'kappa-http-auth-none-invoke'];
  beforeEach(() => api.function('f', { http: { auth: 'None' } }, 1));

  test('is shown, behind what is stored, and cannot be removed', async () => {
    await add({});
    expect(await sids()).toEqual(['s', ...owners]);
    expect(await refusal(remove(owners[0] ?? ''))).toMatch(/^InvalidParameterValueException: .* spec.http /);
    await remove('s');
    expect(await sids()).toEqual(owners);
    expect(await refusal(deletePolicy())).toMatch(/^InvalidParameterValueException: .* spec.http /);
    expect(await refusal(get('live'))).toMatch(/^ResourceNotFoundException/);
  });

  test('is there again after a document without it, and is not stored by one that has it', async () => {
    const { Policy = '' } = await putResourcePolicy(put((await get()).policy), api.deps);
    expect(JSON.parse(Policy).Statement.map(({ Sid }: { Sid: string }) => Sid)).toEqual(owners);
    expect(await stored()).toBeUndefined();
  });
});

describe('whole policies', () => {
  test('are those of AddPermission, both ways', async () => {
    await add({ Principal: 's3.amazonaws.com', SourceArn: 'arn:aws:s3:::b' });
    const { policy, RevisionId } = await get();
    expect(await getDocument()).toEqual(policy);
    const statement = { ...policy.Statement[0], Sid: 'new', Principal: { AWS: ['111111111111'] } };
    const answer = await putResourcePolicy(
      put({ Version: '2012-10-17', Statement: statement }, { RevisionId }),
      api.deps,
    );
    expect(JSON.parse(answer.Policy ?? '').Statement).toEqual([
      { ...statement, Principal: { AWS: 'arn:aws:iam::111111111111:root' } },
    ]);
    expect(await sids()).toEqual(['new']);
    expect((await get()).RevisionId).toBe(answer.RevisionId);
    expect(await refusal(deletePolicy({ RevisionId }))).toMatch(/^PreconditionFailedException/);
    await deletePolicy();
    expect(await refusal(getDocument())).toBe('ResourceNotFoundException: The resource you requested does not exist.');
    expect(await refusal(deletePolicy())).toMatch(/^ResourceNotFoundException/);
  });

  const statement = { Sid: 'a', Effect: 'Allow', Principal: '*', Action: 'lambda:InvokeFunction', Resource: arn };
  const withOne = (over: object) => ({ Version: '2012-10-17', Statement: [{ ...statement, ...over }] });

  test.each<[reason: string, document: object | string, want: RegExp]>([
    ['no JSON', '{', /is not JSON/],
    ['no object', '[]', /must be an object/],
    ['no version', { Statement: [statement] }, /Version 2012-10-17/],
    ['an unknown member', { ...withOne({}), Other: 1 }, /unknown member Other/],
    ['a denial', withOne({ Effect: 'Deny' }), /must have the Effect Allow/],
    ['two actions', withOne({ Action: ['lambda:InvokeFunction', 'lambda:GetFunction'] }), /exactly one Action/],
    ['another service’s action', withOne({ Action: 's3:GetObject' }), /an Action that Lambda has not/],
    ['all but an action', withOne({ Action: undefined, NotAction: 'lambda:GetFunction' }), /member NotAction/],
    ['two principals', withOne({ Principal: { AWS: ['111111111111', '222222222222'] } }), /exactly one Principal/],
    ['principals of two kinds', withOne({ Principal: { AWS: '*', Service: 's3.amazonaws.com' } }), /one Principal/],
    ['another resource', withOne({ Resource: `${arn}:live` }), /must have the Resource/],
    ['any resource', withOne({ Resource: '*' }), /must have the Resource/],
    ['no Sid of Lambda’s', withOne({ Sid: 'a b' }), /no valid Sid/],
    ['a Sid that is Kappa’s', withOne({ Sid: 'kappa-x' }), /are reserved/],
    [
      'an unknown condition',
      withOne({ Condition: { IpAddress: { 'aws:SourceIp': '10.0.0.0/8' } } }),
      /IpAddress aws:SourceIp/,
    ],
    [
      'an unknown operator',
      withOne({ Condition: { StringNotEquals: { 'AWS:SourceAccount': '0' } } }),
      /StringNotEquals/,
    ],
    ['two values', withOne({ Condition: { StringEquals: { 'AWS:SourceAccount': ['1', '2'] } } }), /exactly one AWS/],
    ['the same Sid twice', { Version: '2012-10-17', Statement: [statement, statement] }, /the same Sid/],
  ])('PutResourcePolicy refuses %s', async (_reason, document, want) => {
    const message = await refusal(putResourcePolicy(put(document), api.deps));
    expect(message).toMatch(/^InvalidParameterValueException: /);
    expect(message).toMatch(want);
    expect(await stored()).toBeUndefined();
  });

  test('conditions in other letters, ArnLike as StringLike, and no Sid', async () => {
    const Condition = {
      stringlike: { 'aws:sourcearn': 'arn:aws:s3:::b*' },
      Bool: { 'lambda:invokedviafunctionurl': true },
    };
    await putResourcePolicy(put(withOne({ Sid: undefined, Condition })), api.deps);
    expect(await stored()).toEqual([
      {
        sid: 'statement-1',
        qualifier: '',
        action: 'lambda:InvokeFunction',
        principal: '*',
        sourceArn: 'arn:aws:s3:::b*',
        invokedViaFunctionUrl: true,
      },
    ]);
  });
});

const permissions: fc.Arbitrary<FunctionPermission> = fc
  .record(
    {
      sid: fc.stringMatching(/^[a-zA-Z0-9_-]{1,20}$/).filter((sid) => !sid.startsWith('kappa-')),
      qualifier: fc.constantFrom('', 'live', '7'),
      action: fc.constantFrom(
        '*',
        'lambda:*',
        'lambda:GetFunction',
        'lambda:InvokeFunction',
        'lambda:InvokeFunctionUrl',
      ),
      principal: fc.constantFrom(
        '*',
        's3.amazonaws.com',
        `arn:aws:iam::${'1'.repeat(12)}:root`,
        `arn:aws:iam::${'1'.repeat(12)}:role/a/b`,
      ),
      sourceArn: fc.string({ minLength: 1, maxLength: 40 }),
      sourceAccount: fc.constant('0'.repeat(12)),
      eventSourceToken: fc.constant('t'),
      principalOrgId: fc.constant('o-0123456789'),
      functionUrlAuthType: fc.constantFrom('None' as const, 'AwsIam' as const),
      invokedViaFunctionUrl: fc.boolean(),
    },
    { requiredKeys: ['sid', 'qualifier', 'action', 'principal'] },
  )
  .filter(({ action, functionUrlAuthType: type, invokedViaFunctionUrl: via }) => {
    const isUrl = action === 'lambda:InvokeFunctionUrl';
    return (type === undefined || isUrl) && (via === undefined || action === 'lambda:InvokeFunction');
  });

test('what a document says is what is read from it', () => {
  fc.assert(
    fc.property(permissions, (permission) => {
      const { qualifier } = permission;
      expect(parsePolicyDocument(policyDocument([permission], 'arn'), 'arn', qualifier)).toEqual([permission]);
    }),
  );
});

test('no document breaks the reader', () => {
  fc.assert(
    fc.property(fc.json(), (text) => {
      expect(() => parsePolicyDocument(text, 'arn', '')).toThrow(InvalidParameterValue);
    }),
  );
});
