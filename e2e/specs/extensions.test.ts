import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { eventually } from '../src/eventually.ts';
import { invoke } from '../src/invoke.ts';
import { startTestPlatform, type TestPlatform } from '../src/platform.ts';

/*
 * The example of an extension: it comes with a layer, takes part in calls, and is told of the end. What else extensions may do is tried with
 * the agent alone.
 */

const example = fileURLToPath(new URL('../../examples/extension.yaml', import.meta.url));
let kappa: TestPlatform;
beforeAll(async () => {
  kappa = await startTestPlatform({ examples: false });
  await kappa.kubectl.ok(['apply', '-f', example]);
  await kappa.kubectl.ok(['wait', 'fn/counted', '--for=condition=Ready', '--timeout=30s']);
}, 180_000);
afterAll(() => kappa?.stop(), 60_000);

/** What the function's log says, as CloudWatch's clients read it. */
async function log(): Promise<string> {
  const answer = await fetch(kappa.endpoint, {
    method: 'POST',
    headers: { 'x-amz-target': 'Logs_20140328.FilterLogEvents', 'content-type': 'application/x-amz-json-1.1' },
    body: JSON.stringify({ logGroupName: '/aws/lambda/counted' }),
  });
  const { events = [] } = (await answer.json()) as { events?: readonly { readonly message: string }[] };
  return events.map(({ message }) => message).join('\n');
}

test('an extension of a layer starts with the function, counts its calls and says so at the end', async () => {
  const expected = { payload: { message: 'This call is counted.' }, functionError: null };
  for (const _ of [1, 2]) expect(await invoke(kappa.endpoint, 'counted')).toMatchObject(expected);
  await eventually('the start is in the log', async () =>
    (await log()).includes('EXTENSION\tName: counter\tState: Ready\tEvents: [INVOKE, SHUTDOWN]'),
  );
  const [, fn] = readFileSync(example, 'utf8').split('\n---\n');
  await kappa.kubectl.ok(['apply', '-f', '-'], (fn ?? '').replace('is counted', 'is counted anew'));
  await eventually('both calls are counted', async () => {
    const counts = [...(await log()).matchAll(/^counter: (\d+) calls, then spindown$/gm)].map(([, count]) =>
      Number(count),
    );
    return counts.reduce((sum, count) => sum + count, 0) === 2;
  });
}, 120_000);
