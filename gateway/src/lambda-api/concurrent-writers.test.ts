import { afterAll, beforeAll, expect, test } from '@jest/globals';
import fc from 'fast-check';

import { fetchOnce, until } from '../testing.ts';
import { type TestGateway, TestInstall } from '../testing-install.ts';
import { type Field, lambda, type Made, TestWriters, writers } from './testing-writers.ts';

/*
 * Four writers at once: the Lambda API of two gateways, kubectl with patches, and kubectl with server-side apply. Each sets fields of its own, in
 * any order and at any pace; in the end every field is as its writer last set it, and nobody's is lost.
 *
 * `KAPPA_TEST_RUNS`: how often; then the seed is another one each time. `KAPPA_TEST_SEED`: that of a run that failed.
 */

const { KAPPA_TEST_RUNS: runs, KAPPA_TEST_SEED: again } = process.env;
const numRuns = Number(runs ?? 4);
const seed = Number(again ?? (runs === undefined ? 7 : Date.now() % 2 ** 31));

let install: TestInstall;
let gateways: readonly TestGateway[];
let make: TestWriters;
beforeAll(async () => {
  install = await TestInstall.start();
  gateways = [await install.gateway(), await install.gateway()];
  make = await TestWriters.of(install.kubernetes, gateways);
}, 120_000);
afterAll(async () => {
  await install?.stop();
}, 60_000);

/** Which writer writes next, and which of its fields. */
const plans = fc.array(fc.tuple(fc.nat({ max: 3 }), fc.nat({ max: 100 })), { minLength: 8, maxLength: 20 });
type Plan = readonly (readonly [writer: number, choice: number])[];
let objects = 0;

/** Plays a plan, all writers at once, and looks at what became of it. */
async function playOut<T>(plan: Plan, making: (name: string) => Promise<Made<T>>): Promise<void> {
  objects += 1;
  const { fields, read } = await making(`w${objects}`);
  const kept = new Map<string, (object: T) => boolean>();
  const set = async (writer: (typeof writers)[number], field: Field<T>, n: number): Promise<void> => {
    const holds = await field.set(writer, n);
    const isOneOfMany = field.writers.length > 1; // each adds something of its own, which stays
    kept.set(`${writer}, field ${fields.indexOf(field)}${isOneOfMany ? `, ${n}` : ''}`, holds);
  };
  const turns = writers.map(async (writer, at) => {
    const own = fields.filter((field) => field.writers.includes(writer));
    for (const [n, [, choice]] of plan.filter(([index]) => index === at).entries()) {
      const field = own[choice % Math.max(1, own.length)];
      if (field !== undefined) await set(writer, field, n + 1);
    }
  });
  await Promise.all(turns);
  const stored = await read();
  const lost = [...kept].filter(([, holds]) => !holds(stored)).map(([what]) => what);
  expect({ lost, stored: lost.length === 0 ? null : stored }).toEqual({ lost: [], stored: null });
}

test.each([
  ['Function', (plan: Plan) => playOut(plan, (name) => make.ofFunction(name))],
  ['Alias', (plan: Plan) => playOut(plan, (name) => make.ofAlias(name))],
  ['Layer', (plan: Plan) => playOut(plan, (name) => make.ofLayer(name))],
  ['EventSourceMapping', (plan: Plan) => playOut(plan, (name) => make.ofMapping(name))],
] as const)(
  '%s: nobody’s field is lost',
  async (_kind, run) => {
    await fc.assert(fc.asyncProperty(plans, run), { seed, numRuns, endOnFailure: true });
  },
  60_000 + numRuns * 10_000,
);

test('of two that name the same RevisionId, by two gateways, one is served', async () => {
  const path = await make.function('once');
  for (let round = 0; round < 5; round += 1) {
    const { RevisionId } = await make.api('first gateway', 'PUT', `${path}/configuration`, {
      Description: `round ${round}`,
    });
    await until(async () => {
      const { body } = await fetchOnce(gateways[1]?.port ?? 0, { path: `${path}/configuration` });
      const { LastUpdateStatus, Description } = JSON.parse(String(body));
      return LastUpdateStatus === 'Successful' && Description === `round ${round}`;
    });
    const replies = await Promise.all(
      gateways.map(({ port }, at) =>
        fetchOnce(port, {
          method: 'PUT',
          path: `${path}/configuration`,
          body: JSON.stringify({ Description: `by ${at}`, RevisionId }),
        }),
      ),
    );
    expect(replies.map(({ status }) => status).sort()).toEqual([200, expect.anything()]);
    const loser = replies.find(({ status }) => status !== 200);
    expect([loser?.status, loser?.headers['x-amzn-errortype']]).toEqual([412, 'PreconditionFailedException']);
  }
}, 60_000);

test('of two that make the same function, by two gateways, one is told that it is there', async () => {
  const body = JSON.stringify(make.creationOf('twice'));
  const create = ({ port }: TestGateway) => fetchOnce(port, { method: 'POST', path: '/2015-03-31/functions', body });
  const replies = await Promise.all(gateways.map(create));
  expect(replies.map(({ status }) => status).sort()).toEqual([201, 409]);
});

test('published versions of two gateways have numbers of their own', async () => {
  const path = await make.function('numbered');
  const numbers: unknown[] = [];
  for (let round = 0; round < 4; round += 1) {
    await make.api('first gateway', 'PUT', `${path}/configuration`, { Description: `round ${round}` });
    const made = await Promise.all(lambda.map((by) => make.api(by, 'POST', `${path}/versions`, {})));
    numbers.push(...new Set(made.map(({ Version }) => Version)));
  }
  expect(new Set(numbers).size).toBe(numbers.length);
});
