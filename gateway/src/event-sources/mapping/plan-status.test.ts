import { describe, expect, test } from '@jest/globals';
import type { EventSourceMappingStatus } from '@kappa/crds/event-source-mapping';

import type { FlowReport } from './flow.ts';
import { planChanges, planStatus, type StatusSituation } from './plan-status.ts';

const polled: FlowReport = { polledGeneration: 1, shards: 1, heldShards: 1, problem: null, lastBatch: null };
const none: FlowReport = { ...polled, polledGeneration: null, heldShards: 0 };
const denied = { reason: 'AccessDenied', message: 'sqs refused the credentials' } as const;
const fresh: StatusSituation = {
  view: { generation: 1, isEnabled: true, isDeleting: false },
  userAction: 'USER_INITIATED',
  before: null,
  report: none,
  isStuck: false,
  nowMs: 1_000_000,
};
const status = (over: Partial<StatusSituation> = {}) => planStatus({ ...fresh, ...over });
const after = (before: EventSourceMappingStatus | null, over: Partial<StatusSituation> = {}) =>
  status({ before, nowMs: 2_000_000, ...over });
const batch = (kind: 'ok' | 'functionFailed') => ({ ...polled, lastBatch: { result: { kind }, atMs: 1 } });

describe('status of a mapping', () => {
  const enabled = status({ report: polled });
  const failing = after(enabled, { report: batch('functionFailed') });

  test('a new one, then polled, then a batch', () => {
    expect(status()).toMatchObject({
      state: 'Creating',
      observedGeneration: 1,
      lastProcessingResult: 'No records processed',
      conditions: [{ type: 'Ready', status: 'False', reason: 'Starting', lastTransitionTime: '1970-01-01T00:16:40Z' }],
    });
    expect(enabled).toMatchObject({
      state: 'Enabled',
      stateTransitionReason: 'USER_INITIATED',
      heldShards: 1,
      shards: 1,
    });
    expect(after(enabled, { report: batch('ok') })).toMatchObject({
      lastProcessingResult: 'OK',
      conditions: [
        { type: 'Ready', status: 'True', reason: 'Polling', lastTransitionTime: '1970-01-01T00:16:40Z' },
        { type: 'Succeeding', status: 'True', reason: 'Ok', lastTransitionTime: '1970-01-01T00:33:20Z' },
      ],
    });
  });

  test('a shard that is read here while its last batches end elsewhere is one', () => {
    expect(status({ report: { ...polled, heldShards: 2 } })).toMatchObject({ heldShards: 1, shards: 1 });
  });

  test('the same situation again is the same status', () => {
    expect(after(failing, { report: batch('functionFailed'), nowMs: 9_000_000 })).toEqual(failing);
  });

  test('what is in the way is told first, and the latest batch again when it is over', () => {
    const stuck = after(failing, { report: { ...batch('functionFailed'), problem: denied } });
    expect(stuck).toMatchObject({
      state: 'Enabled',
      stateTransitionReason: denied.message,
      lastProcessingResult: `PROBLEM: ${denied.message}`,
    });
    expect(after(stuck, { report: batch('functionFailed') })).toMatchObject({
      stateTransitionReason: 'USER_INITIATED',
      lastProcessingResult: 'PROBLEM: Function call failed',
    });
  });

  test('a gateway that has had no batch of it keeps what another one said', () => {
    expect(after(failing, { report: polled })).toEqual(failing);
    expect(after(failing, { report: none })).toMatchObject({ state: 'Enabled', heldShards: 0 });
  });

  test('stuck at its beginning: told as Enabled after a while, with the reason', () => {
    const report = { ...none, problem: denied };
    expect(status({ report })).toMatchObject({ state: 'Creating', stateTransitionReason: denied.message });
    expect(status({ report, isStuck: true })).toMatchObject({
      state: 'Enabled',
      conditions: [{ type: 'Ready', status: 'False', reason: 'AccessDenied' }],
    });
  });

  test('switched off, and on again', () => {
    const view = { generation: 2, isEnabled: false, isDeleting: false };
    const stopping = after(enabled, { view, report: { ...polled, problem: denied } });
    expect(stopping).toMatchObject({ state: 'Disabling', stateTransitionReason: 'USER_INITIATED' });
    const off = after(stopping, { view, report: none });
    expect(off).toMatchObject({ state: 'Disabled', conditions: [{ reason: 'Disabled' }] });
    const on = after(off, { view: { ...view, generation: 3, isEnabled: true } });
    expect(on).toMatchObject({ state: 'Enabling', observedGeneration: 3 });
  });

  test('texts of any length fit', () => {
    const report = { ...polled, problem: { ...denied, message: 'x'.repeat(5_000) } };
    const { stateTransitionReason, lastProcessingResult, conditions } = status({ report });
    expect([stateTransitionReason, lastProcessingResult].map((text) => text?.length)).toEqual([1_024, 1_024]);
    expect(conditions?.[0]?.message.length).toBe(1_024);
  });
});

describe('what is told of a change', () => {
  const enabled = status({ report: polled });
  const told = (before: EventSourceMappingStatus | null, now: EventSourceMappingStatus) =>
    planChanges(before, now).map(({ type, reason }) => `${type} ${reason}`);

  test.each<[reason: string, before: EventSourceMappingStatus | null, now: EventSourceMappingStatus, want: string[]]>([
    ['that it is about to begin is no news', null, status(), []],
    ['it is polled', status(), enabled, ['Normal Polling']],
    ['nothing new', enabled, enabled, []],
    [
      'the source refuses',
      enabled,
      after(enabled, { report: { ...polled, problem: denied } }),
      ['Warning AccessDenied'],
    ],
    ['the first batch went well', enabled, after(enabled, { report: batch('ok') }), []],
    [
      'the first batch failed',
      enabled,
      after(enabled, { report: batch('functionFailed') }),
      ['Warning FunctionFailed'],
    ],
    ['and then went well', status({ report: batch('functionFailed') }), status({ report: batch('ok') }), ['Normal Ok']],
    [
      'switched off',
      enabled,
      after(enabled, { view: { generation: 2, isEnabled: false, isDeleting: false }, report: none }),
      ['Normal Disabled'],
    ],
  ])('%s', (_reason, before, now, want) => {
    expect(told(before, now)).toEqual(want);
  });
});
