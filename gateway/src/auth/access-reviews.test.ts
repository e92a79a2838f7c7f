import { beforeEach, expect, test } from '@jest/globals';
import { KubernetesError } from '@kappa/crds/client/errors';

import { AccessReviews } from './access-reviews.ts';
import { type Asked, denied, makeAuthorizer } from './authorizer.ts';
import { requireAccess } from './policy-access.ts';
import type { Identity, Principal } from './principal.ts';

/** The reviews of a cluster that lets everybody do what `may` says. */
let may: boolean;
let fault: Error | null;
let asked: unknown[];
let accountUid: string | null;
let nowMs: number;
let problems: unknown[];
let reviews: AccessReviews;

beforeEach(() => {
  [may, fault, asked, accountUid, nowMs, problems] = [true, null, [], 'uid-1', 0, []];
  reviews = new AccessReviews({
    kubernetes: {
      create: async (kind, object) => {
        asked.push(Object(object)['spec']);
        if (fault !== null) throw fault;
        return kind.parse({ ...object, status: { allowed: may } });
      },
      get: async (kind) => {
        if (accountUid === null) throw new KubernetesError('gone', 404, 'NotFound');
        return kind.parse({ metadata: { name: 'a', uid: accountUid } });
      },
    },
    now: () => nowMs,
    schedule: () => () => undefined,
    onProblem: (problem) => problems.push(problem),
  });
});

const jane: Identity = { user: 'jane', groups: ['team'] };
const wanted = { namespace: 'ns', verb: 'get', group: 'kappa.dev', resource: 'functions', subresource: '', name: 'f' };
const away = new KubernetesError('away', 0, 'Unreachable');

test('the first answer is waited for, the next ones are there', async () => {
  expect(await reviews.allows(jane, wanted)).toBe(true);
  expect(asked).toEqual([{ user: 'jane', groups: ['team'], resourceAttributes: wanted }]);
  expect(reviews.allows(jane, wanted)).toBe(true);
  expect(reviews.allows({ ...jane }, wanted)).toBe(true);
  expect(asked).toHaveLength(1);
});

test('what differs is another question', async () => {
  await reviews.allows(jane, wanted);
  const others: [Identity, typeof wanted][] = [
    [{ ...jane, user: 'joe' }, wanted],
    [{ ...jane, groups: ['team', 'more'] }, wanted],
    [jane, { ...wanted, name: 'g' }],
    [jane, { ...wanted, namespace: 'other' }],
    [jane, { ...wanted, subresource: 'invoke' }],
    [jane, { ...wanted, verb: 'update' }],
  ];
  for (const [who, what] of others) await reviews.allows(who, what);
  expect(asked).toHaveLength(7);
});

test('many callers, one question', async () => {
  const answers = await Promise.all([1, 2, 3].map(() => reviews.allows(jane, wanted)));
  expect([answers, asked.length]).toEqual([[true, true, true], 1]);
});

test('a right that was taken away ends: asked beside after 10 s, waited for after a minute', async () => {
  await reviews.allows(jane, wanted);
  may = false;
  nowMs = 9_999;
  expect([reviews.allows(jane, wanted), asked.length]).toEqual([true, 1]);
  nowMs = 10_000;
  expect([reviews.allows(jane, wanted), asked.length]).toEqual([true, 2]);
  await new Promise((resolve) => setImmediate(resolve));
  expect(reviews.allows(jane, wanted)).toBe(false);
  may = true;
  nowMs += 3_000;
  expect(await reviews.allows(jane, wanted)).toBe(true);
  may = false;
  nowMs += 60_000;
  expect(await reviews.allows(jane, wanted)).toBe(false);
});

test('while the API server is away what is known counts, however old it is, and nobody waits for long', async () => {
  await reviews.allows(jane, wanted);
  may = false;
  await reviews.allows(jane, { ...wanted, name: 'g' });
  fault = away;
  nowMs = 3_600_000;
  expect(await reviews.allows(jane, wanted)).toBe(true);
  expect(reviews.allows(jane, wanted)).toBe(true);
  expect(reviews.allows(jane, { ...wanted, name: 'g' })).toBe(false);
  expect([asked.length, problems]).toEqual([3, [away]]);
  await expect(Promise.resolve(reviews.allows(jane, { ...wanted, name: 'h' }))).rejects.toMatchObject({
    code: 'ServiceException',
    retryAfterSeconds: 1,
  });
});

test('a silent API server is waited for no longer than it may take', async () => {
  const silent = new AccessReviews({
    kubernetes: { create: () => new Promise(() => undefined), get: () => new Promise(() => undefined) },
    now: () => nowMs,
    schedule: (_ms, then) => {
      then();
      return () => undefined;
    },
    onProblem: () => undefined,
  });
  await expect(Promise.resolve(silent.allows(jane, wanted))).rejects.toMatchObject({ code: 'ServiceException' });
});

test.each([
  ['is gone', null],
  ['is another one', 'uid-2'],
])('who acts for a ServiceAccount may nothing when it %s', async (_what, uid) => {
  const role: Identity = { ...jane, boundTo: { namespace: 'ns', name: 'a', uid: 'uid-1' } };
  expect(await reviews.allows(role, wanted)).toBe(true);
  accountUid = uid;
  nowMs = 60_000;
  expect(await reviews.allows(role, wanted)).toBe(false);
});

const arn = 'arn:aws:lambda:us-east-1:111111111111:function:f';
const question: Asked = {
  right: 'create functions/invoke',
  accountId: '111111111111',
  namespace: 'ns',
  name: 'f',
  action: 'lambda:InvokeFunction',
  resource: arn,
};
const noPolicy = { isGranted: () => false };
const key = (more: Partial<Principal>): Principal => ({ accessKeyId: 'A', accounts: null, keyName: 'team', ...more });

test('a key that names nobody in the cluster may do everything with its accounts', () => {
  const authorizer = makeAuthorizer(reviews);
  expect(requireAccess(authorizer, key({}), question, noPolicy)).toBeNull();
  expect(requireAccess(authorizer, key({ accounts: ['111111111111'] }), question, noPolicy)).toBeNull();
  expect(() => requireAccess(authorizer, key({ accounts: ['222222222222'] }), question, noPolicy)).toThrow(
    expect.objectContaining({
      code: 'AccessDeniedException',
      status: 403,
      message: `User: arn:aws:iam::222222222222:user/team is not authorized to perform: lambda:InvokeFunction on resource: ${arn} because no identity-based policy allows the lambda:InvokeFunction action`,
    }),
  );
  expect(asked).toEqual([]);
});

test('of one that does, accounts and cluster must agree', async () => {
  const authorizer = makeAuthorizer(reviews);
  const caller = key({ identity: jane });
  await requireAccess(authorizer, caller, question, noPolicy);
  expect(asked).toEqual([
    {
      user: 'jane',
      groups: ['team'],
      resourceAttributes: {
        verb: 'create',
        group: 'kappa.dev',
        resource: 'functions',
        subresource: 'invoke',
        namespace: 'ns',
        name: 'f',
      },
    },
  ]);
  expect(requireAccess(authorizer, caller, question, noPolicy)).toBeNull();
  expect(() => requireAccess(authorizer, { ...caller, accounts: ['222222222222'] }, question, noPolicy)).toThrow(
    /not authorized/,
  );
  may = false;
  await expect(requireAccess(authorizer, caller, { ...question, name: 'g' }, noPolicy)).rejects.toThrow(
    /not authorized/,
  );
});

test('where nobody can be asked, who is somebody in the cluster may do nothing', () => {
  expect(makeAuthorizer(null).allows(key({ identity: jane }), question)).toBe(false);
});

test('a role’s session is named as AWS names it', () => {
  const role = { name: 'Deployer', sessionName: 's1', namespace: 'ns', objectName: 'deployer.n1', uid: 'u' };
  const { message } = denied({ accessKeyId: 'A', accounts: ['111111111111'], role }, question);
  expect(message).toContain('User: arn:aws:sts::111111111111:assumed-role/Deployer/s1 is not');
});
