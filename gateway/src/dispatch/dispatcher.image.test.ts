import { expect, test } from '@jest/globals';
import { answer, call, hello, offer, startGateway, startPods, untilStats } from './testing-gateway.ts';

/** What an image of a user starts: a runtime client of a few lines. */
const client = `
const api = 'http://' + process.env.AWS_LAMBDA_RUNTIME_API + '/2018-06-01/runtime/invocation/';
for (;;) {
  const next = await fetch(api + 'next');
  const id = next.headers.get('lambda-runtime-aws-request-id');
  const body = JSON.stringify({ event: await next.json(), handler: process.env._HANDLER, in: process.cwd() });
  await fetch(api + id + '/response', { method: 'POST', body });
}
`;
const ofImage = (process_: readonly string[]) => ({
  ...hello(),
  versionUid: 'of-image',
  pool: 'image-1',
  runtime: 'image',
  handler: 'app.handler',
  codeSha256: 'f'.repeat(64), // in no store
  codeBytes: 0,
  image: { process: process_, workingDirectory: '/' },
});

test('the pod of an image is claimed without code, and starts what the image starts', async () => {
  const target = ofImage([process.execPath, '--input-type=module', '-e', client]);
  const gateway = startGateway([target]);
  await offer(gateway, await startPods(1, { pool: 'image-1' }));
  for (const number of [1, 2]) {
    const seen = answer(await call(gateway, target, { number }));
    expect(seen).toEqual({ event: { number }, handler: 'app.handler', in: '/' });
  }
  expect(gateway.claimed).toHaveLength(1);
});

test("it is nobody else's: a function with a zip finds no pod there", async () => {
  const gateway = startGateway([hello()], { limits: { capacityBudgetMs: 200 } });
  await offer(gateway, await startPods(1, { pool: 'image-1' }));
  await expect(call(gateway, hello())).rejects.toThrow('No pod of pool nodejs24.x was free');
  await untilStats(gateway, ({ pools }) => pools.some(({ pool, generic }) => pool === 'image-1' && generic === 1));
});

test('an image whose program is not there says so to its caller', async () => {
  const target = ofImage(['/no/where']);
  const gateway = startGateway([target]);
  await offer(gateway, await startPods(1, { pool: 'image-1' }));
  expect(answer(await call(gateway, target))).toMatchObject({
    errorType: 'Runtime.InvalidEntrypoint',
    errorMessage: expect.stringContaining('/no/where'),
  });
});
