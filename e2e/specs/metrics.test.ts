import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { invoke } from '../src/invoke.ts';
import { startTestPlatform, type TestPlatform } from '../src/platform.ts';

let kappa: TestPlatform;
beforeAll(async () => {
  kappa = await startTestPlatform({ examples: true });
  await invoke(kappa.endpoint, 'hello-node');
}, 180_000);
afterAll(() => kappa?.stop(), 60_000);

const documentation = readFileSync(new URL('../../docs/metrics.md', import.meta.url), 'utf8');
const documented = (prefix: string): string[] =>
  [...documentation.matchAll(/^\| `(kappa_\w+)` \|/gm)]
    .map((match) => match[1] ?? '')
    .filter((name) => name.startsWith(prefix));
const served = (text: string): string[] => [...text.matchAll(/^# TYPE (kappa_\w+) /gm)].map((match) => match[1] ?? '');

test.each(['kappa_gateway_', 'kappa_controller_'])(
  'docs/metrics.md lists exactly what is served: %s',
  async (prefix) => {
    const text = await kappa.metrics(prefix === 'kappa_gateway_' ? 'gateway' : 'controller');
    expect(served(text).sort()).toEqual(documented(prefix).sort());
  },
);

test('a call is counted where it belongs, in seconds', async () => {
  const text = await kappa.metrics('gateway');
  expect(text).toMatch(/^kappa_gateway_invocations_total\{namespace="default",function="hello-node"\} 1$/m);
  expect(text).toMatch(/^kappa_gateway_cold_starts_total\{namespace="default",function="hello-node"\} 1$/m);
  const seconds = Number(/^kappa_gateway_duration_seconds_sum\{[^}]*\} (\S+)$/m.exec(text)?.[1]);
  expect(seconds).toBeGreaterThan(0);
  expect(seconds).toBeLessThan(3);
});
