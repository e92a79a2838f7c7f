import { setTimeout as pause } from 'node:timers/promises';
import { type Caller, ToolError } from './callers.ts';
import { evaluate, inputOf, isNothing, isObject, type Scope } from './expressions.ts';
import type { Step, Value, Values } from './steps.ts';

/** What became of a step. */
export interface Played {
  /** The resource is not there. */
  readonly isAbsent: boolean;
  /** What was read. */
  readonly read: Values;
}

/** Longest time that a tool of these tests waits. */
const PATIENCE_MS = 60_000;
const PAUSE_MS = 50;

/** Makes the call of a step, as often as the tool does. @throws Error that says which step, and what the tool did not expect */
export async function play(step: Step, call: Caller, scope: Scope): Promise<Played> {
  const input = inputOf(step.with ?? {}, scope);
  const endMs = performance.now() + PATIENCE_MS;
  let last = '';
  while (performance.now() < endMs) {
    const outcome = await tryOnce(step, call, isObject(input) ? input : {}, scope);
    if (typeof outcome !== 'string') return outcome;
    last = outcome;
    await pause(PAUSE_MS);
  }
  throw problem(step, input, `waited in vain: ${last}`);
}

/** A text = to be tried again, and why. */
async function tryOnce(step: Step, call: Caller, input: Values, scope: Scope): Promise<Played | string> {
  let answer: Value;
  try {
    answer = await call(step.call, input);
  } catch (err) {
    if (err instanceof ToolError) return refused(step, input, err);
    throw err;
  }
  if (step.untilAbsentOn !== undefined) return 'it is still there';
  return stillWaits(step, answer, scope) ?? look(step, input, answer, scope);
}

function refused(step: Step, input: Values, err: ToolError): Played | string {
  if (err.isOneOf(step.absentOn) || err.isOneOf(step.untilAbsentOn)) return { isAbsent: true, read: {} };
  if (err.isOneOf(step.fineOn)) return { isAbsent: false, read: {} };
  if (err.isOneOf(step.retryOn)) return `${err.code}: ${err.message}`;
  throw problem(step, input, `${err.code}: ${err.message}`);
}

/** What a tool does with a good answer. */
function look(step: Step, input: Values, answer: Value, scope: Scope): Played {
  for (const [path, wanted] of Object.entries(step.expects ?? {})) {
    const [found, want] = [evaluate(path, answer, scope), inputOf(wanted, scope)];
    if (!isSame(found, want))
      throw problem(step, input, `${path} is ${JSON.stringify(found)}, not ${JSON.stringify(want)}`);
  }
  const reads = Object.entries(step.reads ?? {});
  const read = Object.fromEntries(reads.map(([name, path]) => [name, evaluate(path, answer, scope)]));
  return { isAbsent: step.absentWithout !== undefined && isNothing(read[step.absentWithout]), read };
}

/** Null = it does not, or not any more. */
function stillWaits(step: Step, answer: Value, scope: Scope): string | null {
  if (step.waits === undefined) return null;
  const { path, while: pending, until } = step.waits;
  const value = evaluate(path, answer, scope) ?? null;
  if (until.includes(value)) return null;
  if (pending.includes(value)) return `${path} is ${value}`;
  throw problem(step, step.with, `${path} has become ${value}: ${JSON.stringify(answer)}`);
}

function problem({ call }: Step, input: Value, text: string): Error {
  return new Error(`${call} ${JSON.stringify(input)?.slice(0, 600)}: ${text}`);
}

/** Whether a tool sees no difference. @param isSet lists have no order */
export function isSame(a: Value, b: Value, isSet = false): boolean {
  if (isNothing(a) || isNothing(b)) return isNothing(a) && isNothing(b);
  if (Array.isArray(a) && Array.isArray(b)) {
    const [left, right] = isSet ? [a.map(String).sort(), b.map(String).sort()] : [a, b];
    return left.length === right.length && left.every((entry, at) => isSame(entry, right[at]));
  }
  if (isObject(a) && isObject(b))
    return [...new Set([...Object.keys(a), ...Object.keys(b)])].every((name) => isSame(a[name], b[name]));
  return String(a) === String(b); // the query protocol has no numbers
}
