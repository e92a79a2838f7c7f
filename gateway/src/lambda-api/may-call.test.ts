import { expect, test } from '@jest/globals';
import type { FunctionPermission } from '@kappa/crds/function';

import type { Authorizer } from '../auth/authorizer.ts';
import type { Principal } from '../auth/principal.ts';
import { functionView, routed } from '../testing.ts';
import type { OperationCall } from './call.ts';
import { requireAccount, requireRights } from './may-call.ts';
import type { Input } from './model/input.ts';
import type { OperationName } from './model/model.ts';
import { TestApi } from './testing-call.ts';

const own = '000000000000';
const other = '111111111111';
const user = `arn:aws:iam::${own}:user/ann`;
const foreign: Principal = { accessKeyId: 'AK', accounts: [other] };
const ann: Principal = { accessKeyId: 'AK', accounts: [own], keyName: 'ann', identity: { user: 'ann', groups: [] } };
const nobody: Authorizer = { allows: () => false, allowsIn: () => false };

interface Try {
  readonly principal?: Principal;
  readonly operation?: OperationName;
  readonly permission?: Partial<FunctionPermission>;
  readonly name?: string;
  readonly qualifier?: string;
}

/** Whether the call is let through, of the function `hello` that has one statement. */
async function isAllowed({ principal = foreign, operation = 'GetFunction', ...more }: Try): Promise<boolean> {
  const permission = { sid: 's', qualifier: '', action: `lambda:${operation}`, principal: other, ...more.permission };
  const view = functionView({ permissions: [permission] });
  const directory = {
    locate: async (_account: string, name: string) => (name === 'hello' ? view : undefined),
    look: () => ({ fn: view, routed: routed(view), versions: [], aliases: [] }),
  };
  const api = new TestApi({ directory: directory as unknown as TestApi['deps']['directory'] });
  const call = { ...api.call({}, more.name ?? 'hello', more.qualifier ?? null), principal } as OperationCall<Input>;
  try {
    await requireAccount(call, { name: operation, action: operation }, api.deps.directory);
    await requireRights(call, { name: operation, action: operation }, nobody, api.deps);
    return true;
  } catch (err) {
    expect(Object(err)).toMatchObject({ code: 'AccessDeniedException', status: 403 });
    return false;
  }
}

test.each<[reason: string, tried: Try, want: boolean]>([
  ['another account with a statement', {}, true],
  ['another account with all actions', { permission: { action: 'lambda:*' } }, true],
  ['another account, another action', { permission: { action: 'lambda:GetPolicy' } }, false],
  ['another account, a statement for a third', { permission: { principal: '222222222222' } }, false],
  ['another account, a version of it', { qualifier: '1' }, false],
  ['another account, a version with a statement', { qualifier: '1', permission: { qualifier: '1' } }, true],
  ['another account, a function that is not there', { name: 'none' }, false],
  ['another account, no function', { name: '', operation: 'ListFunctions' }, false],
  ['another account, versions', { operation: 'ListVersionsByFunction' }, true],
  ['another account, an alias of it', { operation: 'CreateAlias' }, true],
  ['another account, what reads into the function', { operation: 'CreateEventSourceMapping' }, false],
  ['an own caller without the right', { principal: ann, permission: { principal: own } }, false],
  ['an own caller without the right, by name', { principal: ann, permission: { principal: user } }, true],
  ['an own caller that is nobody in the cluster', { principal: { accessKeyId: 'AK', accounts: [own] } }, true],
  ['who is asked nothing', { principal: { accessKeyId: null, accounts: null } }, true],
])('%s', async (_reason, tried, want) => {
  expect(await isAllowed(tried)).toBe(want);
});

test('tags of an event source mapping are asked for as the mapping is, those of a function as the function is', async () => {
  const asked: unknown[] = [];
  const authorizer: Authorizer = { ...nobody, allows: (_principal, { right }) => asked.push(right) > 0 };
  const api = new TestApi();
  const mapping = `arn:aws:lambda:us-east-1:${own}:event-source-mapping:00000000-0000-4000-8000-000000000001`;
  const ask = (name: OperationName, Resource: string, fn: string) =>
    requireRights({ ...api.call({ Resource }, fn), principal: ann }, { name, action: name }, authorizer, api.deps);
  for (const name of ['TagResource', 'UntagResource', 'ListTags'] as const) {
    await ask(name, mapping, '');
    await ask(name, `arn:aws:lambda:us-east-1:${own}:function:hello`, 'hello');
  }
  const ofMappings = ['update eventsourcemappings', 'update eventsourcemappings', 'get eventsourcemappings'];
  expect(asked).toEqual(ofMappings.flatMap((right) => [right, right.replace('eventsourcemappings', 'functions')]));
});
