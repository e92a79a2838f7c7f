import { readFile } from 'node:fs/promises';
import { expect, test } from '@jest/globals';
import { applyServerSide, describeConflicts, trackUpdate } from './apply-patch.ts';
import { clone, isObject, type JsonObject, listOr, objectOr } from './json.ts';
import { compileSchema } from './structural.ts';

/**
 * Random sequences of applies and updates by three managers, with what the managed-fields code of Kubernetes 1.36
 * (k8s.io/apimachinery, structured-merge-diff 6.4) makes of them: object and owners, or the text of the conflict.
 */
const recorded = JSON.parse(await readFile(new URL('testdata/apply.json.golden', import.meta.url), 'utf8')) as {
  spec: JsonObject;
  cases: Step[][];
};

interface Step {
  readonly op: 'apply' | 'update';
  readonly manager: string;
  readonly force?: boolean;
  readonly object: JsonObject;
  readonly want?: JsonObject;
  readonly conflict?: string;
}

const schema = compileSchema({ type: 'object', properties: { spec: recorded.spec } });

/** Order decides between entries of one operation by time: each step has its own second. */
function play(live: JsonObject | null, step: Step, index: number): JsonObject | string {
  const nowIso = `2026-01-01T00:00:0${index}Z`;
  const { manager, object, force = false } = step;
  if (step.op === 'update') {
    return trackUpdate({
      before: live,
      after: object,
      manager,
      nowIso,
      subresource: '',
      apiVersion: 'a.dev/v1',
      schema,
    });
  }
  const result = applyServerSide({ live, applied: object, manager, force, schema, nowIso, subresource: '' });
  if (result.kind === 'applied') return result.object;
  return result.kind === 'conflict' ? describeConflicts(result.conflicts) : result.message;
}

function withoutTimes(object: JsonObject): JsonObject {
  const copy = clone(object);
  for (const entry of listOr(objectOr(copy['metadata'])['managedFields'])) if (isObject(entry)) delete entry['time'];
  return copy;
}

const lines = (text: string | undefined): string[] => (text ?? '').split('\n').sort();

test.each(recorded.cases.map((steps, index) => [index, steps] as const))('recorded sequence %d', (_index, steps) => {
  let live: JsonObject | null = null;
  for (const [index, step] of steps.entries()) {
    const result: JsonObject | string = play(live, step, index);
    if (typeof result === 'string') {
      expect(lines(result)).toEqual(lines(step.conflict));
    } else {
      expect(withoutTimes(result)).toEqual(step.want);
      live = result;
    }
  }
});
