import { expect, test } from '@jest/globals';

import { packFlowQuestion, packFlows, readFlowQuestion, readFlows } from './ask-flows.ts';
import type { FlowReport } from './flow.ts';

const report: FlowReport = {
  polledGeneration: 2,
  shards: 4,
  heldShards: 1,
  problem: { reason: 'Throttled', message: 'slow down' },
  lastBatch: { result: { kind: 'ok' }, atMs: 7 },
};
const nothing: FlowReport = { polledGeneration: null, shards: null, heldShards: 0, problem: null, lastBatch: null };

test('a question and its answer come through', () => {
  expect(readFlowQuestion(packFlowQuestion(['a', 'b']))).toEqual(['a', 'b']);
  expect(readFlows(packFlows({ a: report, b: nothing }))).toEqual({ a: report, b: nothing });
});

test.each(['', '[]', '{"kind":"streams"}', '{"kind":"flows"}', 'null'])('%s is another question', (text) => {
  expect(readFlowQuestion(Buffer.from(text))).toBeNull();
});

test.each<[reason: string, result: object, isKnown: boolean]>([
  ['one with words of its own', { kind: 'gaveUp', condition: 'RecordTooLarge' }, true],
  ['one of a newer gateway', { kind: 'postponed' }, false],
  ['one of another form', { kind: 'gaveUp' }, false],
  ['one that every object has', { kind: 'toString' }, false],
])('the result of the last batch: %s', (_reason, result, isKnown) => {
  const answer = { a: { ...report, lastBatch: { result, atMs: 7 } } };
  const { a } = readFlows(Buffer.from(JSON.stringify(answer)));
  expect(a).toEqual({ ...report, lastBatch: isKnown ? { result, atMs: 7 } : null });
});

test.each<[reason: string, answer: unknown]>([
  ['no JSON', '{'],
  ['no object', []],
  ['a report of another form', { a: 5 }],
  ['a count that is none', { a: { ...report, heldShards: '1' } }],
  ['a problem without words', { a: { ...report, problem: {} } }],
  ['a batch without a time', { a: { ...report, lastBatch: { result: {} } } }],
])('of an answer that cannot be read nothing is taken: %s', (_reason, answer) => {
  expect(readFlows(Buffer.from(typeof answer === 'string' ? answer : JSON.stringify(answer)))).toEqual({});
});
