import { createHmac, hash } from 'node:crypto';
import { asSigner } from '../api-client.ts';
import { BenchPlatform, inlineFunction } from '../bench-platform.ts';
import type { Row } from '../figure.ts';
import { cpuMicroseconds } from '../process-stats.ts';
import { knownTo, signedInvoke } from '../signed-invoke.ts';
import { ratios, show, summarize } from '../stats.ts';
import { load, tool } from '../tools.ts';

const connections = 16;
const requestsPerRound = 40_000;
const name = 'stub';
/** What the load program sends. */
const body = `{"pad":"${'x'.repeat(502)}"}`;

/** `plain`: nobody signs, nobody asks. `unasked`: signed by the SDK, to a gateway that asks nobody. `signed`: the same where it is checked. */
type SubjectName = 'plain' | 'unasked' | 'signed';

interface Subject {
  readonly pid: number;
  readonly url: string;
  readonly headers: () => Promise<Readonly<Record<string, string>>>;
}

/**
 * What it costs the gateway to check who calls: CPU of its process per warm Invoke with stub agents (no language runtime), 512 bytes in and out, 16 callers. Two
 * gateways, one with `KAPPA_AUTH=sigv4` and one that asks nobody; rounds interleaved, the first thrown away. The signed request is the SDK's own, signed
 * anew for each round. Beside it: the hashes and the HMAC that a check needs (the body, the canonical request, the signature), in a loop.
 */
export async function signedCall(rounds: number): Promise<readonly Row[]> {
  const open = await startStubs('none');
  const closed = await startStubs('sigv4');
  try {
    await makeStub(open);
    await makeStub(closed);
    const at = (kappa: BenchPlatform): Pick<Subject, 'pid' | 'url'> => ({
      pid: kappa.pid('gateway'),
      url: kappa.invokeUrl(name),
    });
    return await asSigner(closed, async (client) => {
      await knownTo(client, [name]);
      const ofSdk = async () => (await signedInvoke(client, name, body)).headers;
      const plain = { ...at(open), headers: () => Promise.resolve({}) };
      const unasked = { ...at(open), headers: ofSdk };
      return compare({ plain, unasked, signed: { ...at(closed), headers: ofSdk } }, rounds);
    });
  } finally {
    await open.stop();
    await closed.stop();
  }
}

function startStubs(auth: 'none' | 'sigv4'): Promise<BenchPlatform> {
  const agents = { KAPPA_AGENT: tool('stub-agent'), KAPPA_POOL_MIN_REPLICAS: '20' };
  return BenchPlatform.start({ ...agents, KAPPA_AUTH: auth });
}

async function makeStub(kappa: BenchPlatform): Promise<void> {
  await kappa.make([inlineFunction(name, 'nodejs24.x', { idleTimeoutSeconds: 3600 })]);
  await kappa.whenFull('nodejs24.x', 20);
}

async function compare(subjects: Readonly<Record<SubjectName, Subject>>, rounds: number): Promise<readonly Row[]> {
  const cpuUs: Record<SubjectName | 'hashes', number[]> = { plain: [], unasked: [], signed: [], hashes: [] };
  let errors = 0;
  let lastError = '';
  for (let round = 0; round <= rounds; round++) {
    for (const subject of ['plain', 'signed', 'unasked'] as const) {
      const { pid, url, headers } = subjects[subject];
      const sent = await headers();
      const before = cpuMicroseconds(pid);
      const result = await load([url], { connections, requests: requestsPerRound, headers: sent });
      errors += result.errors;
      lastError = result.lastError ?? lastError;
      if (round > 0) cpuUs[subject].push((cpuMicroseconds(pid) - before) / result.requests);
    }
    if (round > 0) cpuUs.hashes.push(hashesUs(await subjects.signed.headers()));
  }
  const ratio = summarize(ratios(cpuUs.signed, cpuUs.plain));
  const us = (values: readonly number[]): string => `${show(summarize(values))} µs`;
  return [
    {
      figure: 'gateway CPU per signed Invoke, 512 B, stub runtime',
      measured: `${us(cpuUs.signed)}; ${show(ratio, 2)} × unsigned; ${errors} errors ${lastError}`.trim(),
      floor: `unsigned ${us(cpuUs.plain)}; the same signed bytes where nobody asks ${us(cpuUs.unasked)}; the hashes alone ${us(cpuUs.hashes)}`,
      target: '≤ 1.6 × unsigned, no error',
      isMet: ratio.median <= 1.6 && errors === 0,
    },
  ];
}

/** CPU of this process for the cryptography of one signed request. */
function hashesUs(headers: Readonly<Record<string, string>>): number {
  const times = 20_000;
  const canonical = Object.entries(headers)
    .map(([header, value]) => `${header}:${value}\n`)
    .join('');
  const before = process.cpuUsage();
  for (let time = 0; time < times; time++) {
    const text = `${hash('sha256', body)}\n${hash('sha256', canonical)}`;
    createHmac('sha256', name).update(text).digest();
  }
  const { user, system } = process.cpuUsage(before);
  return (user + system) / times;
}
