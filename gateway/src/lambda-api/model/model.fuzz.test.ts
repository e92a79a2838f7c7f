import { expect, test } from '@jest/globals';
import fc from 'fast-check';

import { LambdaError } from '../../errors.ts';
import { parseInput } from './input.ts';
import { lambdaModel, type Operation } from './model.ts';
import { matchOperation } from './router.ts';
import { validStructure } from './testing.ts';
import { mutate, type Raw, rawOf } from './testing-mutations.ts';
import { verdictOn } from './testing-oracle.ts';

const tape = fc.array(fc.nat({ max: 2 ** 20 }), { minLength: 12, maxLength: 12 });

test.each([...lambdaModel.operations])('%s: accepted exactly when the model accepts', (_name, operation) => {
  fc.assert(
    fc.property(validStructure(operation.input), tape, fc.boolean(), (input, decisions, isChanged) => {
      const valid = rawOf(operation.input, input);
      let at = 0;
      const raw = isChanged
        ? mutate(operation.input, valid, (choices) => (decisions[at++] ?? 0) % Math.max(1, choices))
        : valid;
      const expected = verdictOn(operation.name, raw);
      if (!isChanged) expect(expected).toBe('accepted');
      expect(outcomeOf(operation, raw)).toBe(expected);
    }),
    { seed: 11, numRuns: 60, endOnFailure: true },
  );
});

/** 'accepted', or the name of the exception; anything but a LambdaError fails the test. */
function outcomeOf(operation: Operation, raw: Raw): string {
  const { target, headers, body } = requestOf(operation, raw);
  const match = matchOperation(operation.method, target);
  expect(match?.operation).toBe(operation);
  if (match === null) return 'no route';
  try {
    parseInput(match, { headers, body });
    return 'accepted';
  } catch (err) {
    if (err instanceof LambdaError) return err.code;
    throw err;
  }
}

function requestOf({ input, path }: Operation, raw: Raw) {
  const [template = '', constants = ''] = path.split('?');
  const there = input.members.filter(({ name }) => raw[name] !== undefined && raw[name] !== null);
  const at = (place: string) => there.filter(({ location }) => location === place);
  const target = template.replaceAll(/\{(\w+)\}/g, (_whole, label) => encodeURIComponent(String(raw[label])));
  const query = new URLSearchParams(constants);
  for (const { name, wireName } of at('querystring'))
    for (const text of [raw[name]].flat()) query.append(wireName, String(text));
  const headers = Object.fromEntries(at('header').map(({ name, wireName }) => [wireName, String(raw[name])]));
  return { target: `${target}?${query}`, headers, body: bodyOf(input, raw) };
}

function bodyOf({ members, payload }: Operation['input'], raw: Raw): Buffer {
  if (payload?.shape.kind === 'blob') return Buffer.from((raw[payload.name] as Uint8Array | undefined) ?? []);
  if (payload !== null) return Buffer.from(JSON.stringify(raw[payload.name]) ?? '');
  const body = members.filter(({ location }) => location === 'body').map(({ name }) => [name, raw[name]]);
  return Buffer.from(JSON.stringify(Object.fromEntries(body)));
}
