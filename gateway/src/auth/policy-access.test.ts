import { expect, test } from '@jest/globals';
import type { FunctionPermission } from '@kappa/crds/function';

import { type Asked, type Authorizer, accountsOnly } from './authorizer.ts';
import { requireAccess } from './policy-access.ts';
import type { Principal } from './principal.ts';
import { allows, compilePolicy, grantsOf } from './resource-policy.ts';

const identity = { user: 'ann', groups: [] };
const ann: Principal = { accessKeyId: 'AK', accounts: ['111111111111'], keyName: 'ann', identity };
const key: Principal = { accessKeyId: 'AK', accounts: ['111111111111'] };
const role = { name: 'deploy', sessionName: 'ci', namespace: 'team', objectName: 'deploy', uid: 'u' };

const asked = (accountId: string): Asked => ({
  right: 'create functions/invoke',
  accountId,
  namespace: 'x',
  name: 'hello',
  action: 'lambda:InvokeFunction',
  resource: 'arn',
});

const answering = (answer: () => boolean | Promise<boolean>): Authorizer => ({ allows: answer, allowsIn: answer });

const tried = async (
  authorizer: Authorizer,
  principal: Principal,
  accountId: string,
  principals: readonly string[],
): Promise<string> => {
  const permissions = principals.map(
    (to): FunctionPermission => ({ sid: 's', qualifier: '', action: 'lambda:InvokeFunction', principal: to }),
  );
  const grants = grantsOf(compilePolicy(permissions), null);
  const isGranted = (caller: Parameters<typeof allows>[1]['caller']) =>
    allows(grants, { action: 'lambda:InvokeFunction', caller });
  try {
    const waiting = requireAccess(authorizer, principal, asked(accountId), { isGranted });
    await waiting;
    return waiting === null ? 'at once' : 'later';
  } catch (err) {
    return String(Object(err).code ?? err);
  }
};

const own = '111111111111';
const other = '222222222222';
const user = 'arn:aws:iam::111111111111:user/ann';

test.each<
  [reason: string, authorizer: Authorizer, principal: Principal, accountId: string, to: string[], want: string]
>([
  ['an own caller needs no policy', accountsOnly, key, own, [], 'at once'],
  ['another account’s caller needs one', accountsOnly, key, other, [], 'AccessDeniedException'],
  ['another account’s caller has one for its account', accountsOnly, key, other, [own], 'at once'],
  ['a statement for a third account', accountsOnly, key, other, ['333333333333'], 'AccessDeniedException'],
  ['another account’s user by its name', accountsOnly, ann, other, [user], 'at once'],
  ['who has no right of its own, by name', answering(() => false), ann, own, [user], 'at once'],
  [
    'who has no right of its own: its account says nothing',
    answering(() => false),
    ann,
    own,
    [own],
    'AccessDeniedException',
  ],
  ['who has no right of its own: everybody', answering(() => false), ann, own, ['*'], 'at once'],
  [
    'a key of all accounts without the right',
    answering(() => false),
    { ...ann, accounts: null },
    own,
    [own],
    'AccessDeniedException',
  ],
  [
    'the role of a session',
    answering(() => false),
    { ...key, role },
    own,
    ['arn:aws:iam::111111111111:role/deploy'],
    'at once',
  ],
  ['allowed later', answering(() => Promise.resolve(true)), ann, own, [], 'later'],
  ['refused later', answering(() => Promise.resolve(false)), ann, own, [], 'AccessDeniedException'],
  [
    'nobody can be asked, but the policy says it',
    answering(() => Promise.reject(new Error('away'))),
    ann,
    own,
    ['*'],
    'at once',
  ],
  ['nobody can be asked', answering(() => Promise.reject(new Error('away'))), ann, own, [], 'Error: away'],
])('requireAccess: %s', async (_reason, authorizer, principal, accountId, to, want) => {
  expect(await tried(authorizer, principal, accountId, to)).toBe(want);
});
