import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';

import { type LoopGuard, loopGuard } from './loop-guard.ts';
import { RecursiveInvocation } from './recursive-invocation.ts';
import { keptTrace, traceIdOf } from './trace-id.ts';

const requestId = '11111111-2222-4333-8444-555555555555';
const nowMs = 1_700_000_000_000;
const fresh = 'Root=1-6553f100-111111112222433384445555';

const guardOf = (name: string, mayLoop = false): LoopGuard =>
  loopGuard({ arn: `arn:aws:lambda:us-east-1:000000000000:function:${name}`, namespace: 'default', name, mayLoop });
const hello = guardOf('hello');
const id = hello.id;
const traceOf = (header: string | undefined, guard = hello): string => traceIdOf(header, guard, requestId, nowMs);

/** The trace id after a chain of calls. @throws RecursiveInvocation */
const after = (chain: readonly LoopGuard[], header?: string): string | undefined =>
  chain.reduce<string | undefined>((trace, guard) => traceOf(trace, guard), header);
const times = (count: number, guard = hello): LoopGuard[] => Array.from({ length: count }, () => guard);

test.each<[reason: string, header: string | undefined, want: string]>([
  ['none: a new one', undefined, `${fresh};Lineage=${id}:0`],
  ['empty: a new one', '', `${fresh};Lineage=${id}:0`],
  ['of a caller that is no function', 'Root=1-a-b;Parent=c;Sampled=1', `Root=1-a-b;Parent=c;Sampled=1;Lineage=${id}:0`],
  ['of a function', 'Root=1-a-b;Lineage=a87bd80c:1', `Root=1-a-b;Lineage=a87bd80c:1|${id}:0`],
  ['of the same function', `Root=1-a-b;Lineage=${id}:4|a87bd80c:1`, `Root=1-a-b;Lineage=${id}:5|a87bd80c:1`],
  ['of a function on AWS', 'Root=1-a-b;Lineage=1:fc3b4ff1:0', `Root=1-a-b;Lineage=1:fc3b4ff1:0|${id}:0`],
  ['in another order and case', `lineage=${id}:4; Root=1-a-b`, `Root=1-a-b;Lineage=${id}:5`],
  ['sent twice: the higher counts stay', `Root=1-a-b;Lineage=${id}:4,Lineage=${id}:2`, `Root=1-a-b;Lineage=${id}:5`],
  ['what is no lineage is left out', `Root=1-a-b;Lineage=?|x:1|${id}:1|:`, `Root=1-a-b;Lineage=${id}:2`],
  ['a lineage alone', `Lineage=${id}:1`, `${fresh};Lineage=${id}:2`],
  [
    'too long: root and lineage stay',
    `Root=1-a-b;Lineage=${id}:1;Self=${'x'.repeat(1100)}`,
    `Root=1-a-b;Lineage=${id}:2`,
  ],
  ['too long, and no root', `Self=${'x'.repeat(1100)};Lineage=${id}:1`, `${fresh};Lineage=${id}:2`],
])('a trace header %s', (_reason, header, want) => {
  expect(traceOf(header)).toBe(want);
});

describe('a loop', () => {
  test('of one function has sixteen runs', () => {
    const trace = after(times(16));
    expect(trace).toBe(`${fresh};Lineage=${id}:15`);
    expect(() => traceOf(trace)).toThrow(RecursiveInvocation);
    expect(() => traceOf(trace)).toThrow(
      'The function arn:aws:lambda:us-east-1:000000000000:function:hello is called in a loop: it has run 16 times in this chain of invocations',
    );
  });

  test('goes on when it may, and its runs are counted all the same', () => {
    const trace = after(times(40, guardOf('hello', true)));
    expect(trace).toBe(`${fresh};Lineage=${id}:39`);
    expect(() => traceOf(trace)).toThrow(RecursiveInvocation);
  });

  test('of a caller that sends a very long lineage: it stays short', () => {
    const long = Array.from({ length: 10_000 }, (_, at) => `${at.toString(16).padStart(8, '0')}:1`).join('|');
    expect(traceOf(`Root=1-a-b;Lineage=${long}`).length).toBeLessThan(1_024);
  });

  test('does not pass what may be in a header', () => {
    const trace = after([guardOf('hello', true)], `Lineage=${id}:999999999`);
    expect(trace).toContain(`${id}:999999999`);
  });

  test('of any length, called under whatever headers else, ends; each function has at most sixteen runs', () => {
    const noise = fc.constantFrom('', ';Self=1-2-3', `;Note=${'x'.repeat(1200)}`, ';Sampled=1', ',Root=1-c-d');
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 63 }), fc.array(noise, { minLength: 1 }), (length, noises) => {
        const ring = Array.from({ length }, (_, at) => guardOf(`f${at}`));
        let runs = 0;
        let trace: string | undefined;
        const run = (): void => {
          trace = traceOf(trace, ring[runs % length]) + (noises[runs % noises.length] ?? '');
          runs += 1;
        };
        expect(() => {
          while (runs <= 17 * length) run();
        }).toThrow(RecursiveInvocation);
        expect(runs).toBe(16 * length);
      }),
      { numRuns: 20 },
    );
  });

  test('through more functions than are counted apart ends, too, and the header stays short', () => {
    const ring = Array.from({ length: 300 }, (_, at) => guardOf(`f${at}`));
    let runs = 0;
    let trace: string | undefined;
    let longest = 0;
    expect(() => {
      for (; runs < 10_000; runs += 1) {
        trace = traceOf(trace, ring[runs % ring.length]);
        longest = Math.max(longest, trace.length);
      }
    }).toThrow(/1024 runs of others/);
    expect(runs).toBeLessThan(16 * 300);
    expect(longest).toBeLessThan(1024);
  });
});

describe('no loop', () => {
  test('a chain of two hundred functions, each called once', () => {
    expect(after(Array.from({ length: 200 }, (_, at) => guardOf(`f${at}`)))).toContain('|00000000:135');
  });

  test('a function that is called by many functions of one chain, each time beside it', () => {
    const chain = Array.from({ length: 15 }, (_, at) => guardOf(`f${at}`));
    for (const at of chain.keys()) expect(traceOf(after(chain.slice(0, at + 1)))).toMatch(new RegExp(`${id}:0$`));
  });
});

test.each<[reason: string, header: string | undefined]>([
  ['none', undefined],
  ['of a caller', 'Root=1-a-b;Parent=c'],
  ['of a function', `Root=1-a-b;Lineage=${id}:4|a87bd80c:1`],
  ['a lineage alone', `Lineage=${id}:1`],
  ['too long', `Root=1-a-b;Lineage=${id}:1;Self=${'x'.repeat(60_000)}`],
])('what is kept of a trace header says the same to a later run: %s', (_reason, header) => {
  const kept = keptTrace(header, requestId, nowMs);
  expect(kept.length).toBeLessThan(1100);
  expect(traceOf(kept)).toBe(traceOf(header));
});
