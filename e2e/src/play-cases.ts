import { expect } from '@jest/globals';
import { eventually } from './eventually.ts';
import type { Members, Step } from './lambda-cases.ts';

/** A client of the Lambda API as the cases use it. Blobs of code are base64, events and answers of functions are text. */
export interface CaseClient {
  /** Whether this version of the client has heard of the operation. */
  knows(operation: string): boolean;
  /** Sends once. @throws {@link Refusal} when it is refused */
  send(operation: string, input: Members): Promise<{ readonly output: Members; readonly status: number | null }>;
}

/** An error that was answered. */
export class Refusal extends Error {
  readonly code: string;
  /** null = the client does not tell. */
  readonly status: number | null;

  constructor(code: string, text: string, status: number | null) {
    super(text);
    this.code = code;
    this.status = status;
  }
}

/** Plays steps in their order; those that the client cannot send are left to clients that can. */
export async function play(
  steps: readonly Step[],
  client: CaseClient,
  variables: Readonly<Record<string, string | number>>,
): Promise<void> {
  const known = new Map<string, unknown>(Object.entries(variables));
  for (const [at, step] of steps.entries()) {
    if (!client.knows(step.call)) continue;
    const where = `step ${at + 1}, ${step.call}`;
    const attempt = () => once(step, client, known);
    await (step.until ? eventually(where, attempt) : attempt()).catch((cause: unknown) => {
      throw new Error(`${where}: ${shown(cause)}`, { cause });
    });
  }
}

async function once(step: Step, client: CaseClient, known: Map<string, unknown>): Promise<true> {
  const input = filled(step.with, known) as Members;
  if (step.refused !== null) {
    const refusal = await client.send(step.call, input).then(
      ({ output }) => shown(output),
      (error: unknown) => error,
    );
    if (!(refusal instanceof Refusal)) throw new Error(`not refused: ${shown(refusal)}`);
    const { code, message } = refusal;
    const says = String(filled(step.says, known));
    const wanted = { code: step.refused, status: refusal.status === null ? null : step.status, text: says };
    expect({ code, status: refusal.status, text: message.slice(0, says.length) }).toEqual(wanted);
    return true;
  }
  const { output, status } = await client.send(step.call, input);
  if (status !== null) expect(status).toBe(step.status);
  const problem = difference(output, filled(step.gives, known), '');
  if (problem !== null) throw new Error(problem);
  for (const [name, member] of Object.entries(step.keep)) {
    expect(output[member]).toBeTruthy();
    known.set(name, output[member]);
  }
  return true;
}

/** The value with its variables; one that is nothing but a variable becomes that, whatever its type. */
function filled(value: unknown, known: ReadonlyMap<string, unknown>): unknown {
  if (typeof value === 'string') {
    const whole = /^<(\w+)>$/.exec(value)?.[1] ?? '';
    if (known.has(whole)) return known.get(whole);
    return value.replaceAll(/<(\w+)>/g, (text, name: string) => String(known.get(name) ?? text));
  }
  if (Array.isArray(value)) return value.map((entry) => filled(entry, known));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, entry]) => [key, filled(entry, known)]));
}

/** Where an answer is not as it should be; null = nowhere. */
function difference(actual: unknown, wanted: unknown, path: string): string | null {
  if (wanted === '<any>') return isNothing(actual) ? `${path}: there is nothing` : null;
  if (wanted === null) return isNothing(actual) ? null : `${path}: there is ${shown(actual)}`;
  if (typeof wanted !== 'object' || isNothing(actual))
    return actual === wanted ? null : `${path}: ${shown(actual)} in place of ${shown(wanted)}`;
  if (Array.isArray(wanted) && Object(actual).length !== wanted.length)
    return `${path}: ${shown(actual)} has not ${wanted.length} entries`;
  const found = Object.entries(wanted).map(([key, member]) =>
    difference(Reflect.get(Object(actual), key), member, `${path}.${key}`),
  );
  return found.find((problem) => problem !== null) ?? null;
}

function isNothing(value: unknown): boolean {
  return value === undefined || value === null || value === '';
}

function shown(value: unknown): string {
  const text = value instanceof Error ? value.message : (JSON.stringify(value) ?? 'nothing');
  return text.length > 1000 ? `${text.slice(0, 1000)}…` : text;
}
