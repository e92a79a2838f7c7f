import { beforeEach, expect, test } from '@jest/globals';
import { KubernetesError } from '@kappa/crds/client/errors';
import type { Kubernetes } from '@kappa/crds/client/kubernetes';

import { tokenReviewer } from './web-identity.ts';

/** What the cluster says of the token that it is asked about. */
let status: object;
let fault: Error | null;
let asked: unknown[];
let waiting: Promise<void>;
const kubernetes: Pick<Kubernetes, 'create'> = {
  create: async (kind, object) => {
    asked.push(Object(object)['spec']);
    await waiting;
    if (fault !== null) throw fault;
    return kind.parse({ ...object, status });
  },
};
const jwt = (aud: unknown) =>
  ['{}', JSON.stringify({ aud }), 'x'].map((part) => Buffer.from(part).toString('base64url')).join('.');
const user = { username: 'system:serviceaccount:team:deployer', uid: 'uid-1' };
const right = { authenticated: true, audiences: ['sts.kappa.dev'], user };

beforeEach(() => {
  [status, fault, asked, waiting] = [right, null, [], Promise.resolve()];
});

test('a ServiceAccount’s token for this audience is its own', async () => {
  const token = jwt(['sts.kappa.dev']);
  expect(await tokenReviewer(kubernetes)(token)).toEqual({
    namespace: 'team',
    name: 'deployer',
    uid: 'uid-1',
    subject: user.username,
  });
  expect(asked).toEqual([{ token, audiences: ['sts.kappa.dev'] }]);
});

test.each<[string, object]>([
  ['that the cluster does not know', { authenticated: false, error: 'unknown' }],
  ['for another audience', { ...right, audiences: ['other'] }],
  ['that says nothing of its audience', { authenticated: true, user }],
  ['of a person', { ...right, user: { username: 'jane', uid: '' } }],
  ['of nobody', { authenticated: true, audiences: ['sts.kappa.dev'] }],
])('a token %s is nobody’s', async (_what, answer) => {
  status = answer;
  expect(await tokenReviewer(kubernetes)(jwt('sts.kappa.dev'))).toBeNull();
  expect(asked).toHaveLength(1);
});

test.each(['', 'abc', 'a.b.c', jwt('https://kubernetes.default.svc'), `${jwt('sts.kappa.dev')}.x`])(
  'the cluster is not asked about %s',
  async (token) => {
    expect(await tokenReviewer(kubernetes)(token)).toBeNull();
    expect(asked).toEqual([]);
  },
);

test('a cluster that does not answer is no refusal', async () => {
  fault = new KubernetesError('away', 0, 'Unreachable');
  await expect(tokenReviewer(kubernetes)(jwt('sts.kappa.dev'))).rejects.toMatchObject({
    code: 'ServiceException',
    retryAfterSeconds: 1,
  });
  fault = new KubernetesError('bad', 422, 'Invalid');
  expect(await tokenReviewer(kubernetes)(jwt('sts.kappa.dev'))).toBeNull();
});

test('few questions at one time: nobody has signed for them', async () => {
  const open = Promise.withResolvers<void>();
  waiting = open.promise;
  const review = tokenReviewer(kubernetes);
  const first = Array.from({ length: 16 }, () => review(jwt('sts.kappa.dev')));
  await expect(review(jwt('sts.kappa.dev'))).rejects.toMatchObject({ code: 'ServiceException' });
  open.resolve();
  await Promise.all(first);
  expect(await review(jwt('sts.kappa.dev'))).not.toBeNull();
});
