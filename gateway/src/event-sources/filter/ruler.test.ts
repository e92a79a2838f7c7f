import { afterAll, beforeAll, expect, test } from '@jest/globals';
import fc from 'fast-check';

import { matches } from './match.ts';
import { parsePattern } from './pattern.ts';
import { type RulerAnswer, TestRuler } from './testing-ruler.ts';

/** More and others by hand: KAPPA_RULER_PAIRS=20000 KAPPA_RULER_SEED=8. */
const PAIRS = Number(process.env['KAPPA_RULER_PAIRS'] ?? 4_000);
const SEED = Number(process.env['KAPPA_RULER_SEED'] ?? 7);

let ruler: TestRuler;
beforeAll(async () => {
  ruler = await TestRuler.start();
});
afterAll(() => ruler.stop());

// Few names and few values, so that patterns and events meet. No dots in names, no numbers beyond doubles: see docs/event-sources.md.
const name = fc.constantFrom('a', 'b', 'c');
const text = fc.constantFrom('', 'x', 'xy', 'yx', 'X', 'é', '5', 'true', '10.0.0.1');
const number = fc.constantFrom(-1, 0, 0.5, 1, 5, 300);
const scalar = fc.oneof(text, number, fc.constantFrom(true, false, null));
const event = fc.letrec((tie) => ({
  object: fc.dictionary(name, tie('value'), { maxKeys: 3 }),
  value: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    { weight: 3, arbitrary: scalar },
    { weight: 2, arbitrary: tie('object') },
    { weight: 2, arbitrary: fc.array(tie('object'), { maxLength: 3 }) },
    { weight: 1, arbitrary: fc.array(tie('value'), { maxLength: 3 }) },
  ),
})).object;

const single = <T>(key: string, value: fc.Arbitrary<T>) => value.map((each) => ({ [key]: each }));
const oneOrMore = <T>(each: fc.Arbitrary<T>) => fc.oneof(each, fc.array(each, { minLength: 1, maxLength: 2 }));
const affix = fc.constantFrom('prefix', 'suffix', 'equals-ignore-case');
const bound = fc.tuple(fc.constantFrom('<', '<=', '>', '>=', '='), number).map((pair): readonly unknown[] => pair);
const choice = fc.oneof(
  { weight: 5, arbitrary: scalar },
  { weight: 2, arbitrary: single('exists', fc.boolean()) },
  { weight: 2, arbitrary: fc.tuple(affix, text).map(([operator, operand]) => ({ [operator]: operand })) },
  {
    weight: 2,
    arbitrary: single(
      'numeric',
      fc.array(bound, { minLength: 1, maxLength: 2 }).map((all) => all.flat()),
    ),
  },
  { weight: 2, arbitrary: single('anything-but', fc.oneof(oneOrMore(text), oneOrMore(number), scalar)) },
  {
    weight: 1,
    arbitrary: single(
      'anything-but',
      fc.tuple(affix, oneOrMore(text)).map(([key, operand]) => ({ [key]: operand })),
    ),
  },
);
/** Random patterns rarely ask for what no object of a list has. */
const absence = fc.tuple(name, name).map(([list, missing]) => ({ [list]: { [missing]: [{ exists: false }] } }));
const pattern = fc.letrec((tie) => ({
  object: fc.oneof(
    { depthSize: 'small' },
    { weight: 5, arbitrary: fc.dictionary(name, tie('rule'), { minKeys: 1, maxKeys: 2 }) },
    { weight: 1, arbitrary: absence },
    {
      weight: 1,
      arbitrary: fc
        .tuple(
          fc.dictionary(name, tie('rule'), { maxKeys: 1 }),
          fc.array(tie('object'), { minLength: 2, maxLength: 3 }),
        )
        .map(([rest, alternatives]) => ({ ...Object(rest), $or: alternatives })),
    },
  ),
  rule: fc.oneof(
    { depthSize: 'small' },
    { weight: 4, arbitrary: fc.array(choice, { minLength: 1, maxLength: 3 }) },
    { weight: 2, arbitrary: tie('object') },
  ),
})).object;

interface Leaf {
  readonly path: string;
  /** `exists: false` is one of its choices. */
  readonly mayBeAbsent: boolean;
  /** In which alternative of which `$or` it stands. */
  readonly within: ReadonlyMap<unknown, number>;
}

function leavesOf(rule: unknown, path: string, within: Leaf['within']): readonly Leaf[] {
  if (Array.isArray(rule)) return [{ path, within, mayBeAbsent: rule.some((each) => each?.exists === false) }];
  return Object.entries(Object(rule)).flatMap(([key, part]) =>
    key === '$or' && Array.isArray(part)
      ? part.flatMap((each, at) => leavesOf(each, path, new Map([...within, [part, at]])))
      : leavesOf(part, `${path}.${key}`, within),
  );
}

/**
 * Whether a pattern says what the two take for different things on purpose: of one member two lists at once, inside and outside of `$or`; or
 * `exists: false` beside other members of the same object, where Event Ruler goes by the alphabet when the object is in a list.
 */
function isAmbiguous(whole: unknown): boolean {
  const leaves = leavesOf(whole, '', new Map());
  const areApart = (one: Leaf, other: Leaf) =>
    [...one.within].some(([or, at]) => other.within.has(or) && other.within.get(or) !== at);
  const areTogether = (one: Leaf, other: Leaf) => one.path.split('.')[1] === other.path.split('.')[1];
  return leaves.some((one, at) =>
    leaves.slice(at + 1).some((other) => {
      const isAbsence = one.mayBeAbsent || other.mayBeAbsent;
      if (areApart(one, other)) return isAbsence && one.path === other.path; // it loses some of these
      return one.path === other.path || (areTogether(one, other) && isAbsence);
    }),
  );
}

function answerOf(patternText: string, eventText: string): RulerAnswer {
  try {
    return matches(parsePattern(patternText), JSON.parse(eventText)) ? 'matches' : 'does not match';
  } catch {
    return 'refused';
  }
}

test(`${PAIRS} patterns and events: as Event Ruler says`, async () => {
  const pairs = fc
    .sample(fc.tuple(pattern, event), { numRuns: PAIRS, seed: SEED })
    .filter(([one]) => !isAmbiguous(one))
    .map(([one, other]): [string, string] => [JSON.stringify(one), JSON.stringify(other)]);
  const answers = await ruler.ask(pairs);
  const differing = pairs.flatMap(([one, other], at) => {
    const ours = answerOf(one, other);
    return ours === answers[at] ? [] : [`${one} of ${other}: ruler ${answers[at]}, here ${ours}`];
  });
  expect(differing.toSorted((a, b) => a.length - b.length).slice(0, 10)).toEqual([]);
  for (const each of ['matches', 'does not match', 'refused'] as const)
    expect(answers.filter((answer) => answer === each).length).toBeGreaterThan(PAIRS / 30);
});
