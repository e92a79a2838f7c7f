import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';

/** Members of a request or an answer, by the names of the service model. */
export type Members = Readonly<Record<string, unknown>>;

/** One call and what must come of it. */
export interface Step {
  readonly call: string;
  /** Texts may have `<name>`: a variable, or what an earlier step has kept. */
  readonly with: Members;
  /** Of the answer: by the service model when the table does not say. */
  readonly status: number;
  /** Members that the answer has: `<any>` = there is something, null = there is nothing. Lists are compared entry by entry. */
  readonly gives: Members;
  /** By the name of a variable: the member of the answer that it is from now on. */
  readonly keep: Readonly<Record<string, string>>;
  /** Name of the error that is answered; null = none. */
  readonly refused: string | null;
  /** How the error's text begins. */
  readonly says: string;
  /** Is called again until the answer has what `gives` says. */
  readonly until: boolean;
}

/** Steps that belong together, in this order. */
export interface Scenario {
  readonly name: string;
  readonly steps: readonly Step[];
}

/** A row of `unprovoked.yaml`. */
export interface Unprovoked {
  readonly outcomes: readonly string[];
  readonly of: 'every' | readonly string[];
  readonly why: string;
}

/** The part of the table of the Lambda API that tells what each operation may answer. */
export interface Outcomes {
  readonly operations: Readonly<Record<string, { readonly status: number; readonly errors: readonly string[] }>>;
  readonly exceptions: Readonly<Record<string, { readonly status: number }>>;
}

const folder = join(import.meta.dirname, '../lambda-api-cases');
const model = join(import.meta.dirname, '../../gateway/src/lambda-api/generated/lambda-model.json');
const apart = 'unprovoked';

/** What the service model says that operations answer. */
export function readOutcomes(): Outcomes {
  return JSON.parse(readFileSync(model, 'utf8')) as Outcomes;
}

/** Names of the scenarios, as their files are called. */
export const scenarioNames: readonly string[] = readdirSync(folder)
  .map((file) => file.replace('.yaml', ''))
  .filter((name) => name !== apart)
  .sort();

/** The table that every client's suite plays, with a step for each call. */
export function readScenarios(): readonly Scenario[] {
  const outcomes = readOutcomes();
  return scenarioNames.map((name) => ({
    name,
    steps: (readTable(name) as readonly Row[]).flatMap((row) => stepsOf(row, outcomes)),
  }));
}

/** What the table leaves out, and why. */
export function readUnprovoked(): readonly Unprovoked[] {
  return readTable(apart) as readonly Unprovoked[];
}

function readTable(name: string): unknown {
  return parse(readFileSync(join(folder, `${name}.yaml`), 'utf8'), { merge: true });
}

/** As it is written: `of` several operations with more members each, `each` with others, or both. */
interface Row extends Partial<Omit<Step, 'call'>> {
  readonly call?: string;
  readonly of?: Readonly<Record<string, Members>>;
  readonly each?: readonly Members[];
}

function stepsOf({ call = '', of = { [call]: {} }, each = [{}], ...row }: Row, outcomes: Outcomes): readonly Step[] {
  return Object.entries(of).flatMap(([operation, more]) =>
    each.map((input) => ({
      call: operation,
      with: { ...row.with, ...more, ...input },
      status: row.status ?? statusOf(operation, row.refused ?? null, outcomes),
      gives: row.gives ?? {},
      keep: row.keep ?? {},
      refused: row.refused ?? null,
      says: row.says ?? '',
      until: row.until ?? false,
    })),
  );
}

/** @throws Error for a name that the model does not have: then the table has to say the status */
function statusOf(operation: string, refused: string | null, { operations, exceptions }: Outcomes): number {
  const row = refused === null ? operations[operation] : exceptions[refused];
  if (row === undefined) throw new Error(`the service model has no ${refused ?? operation}`);
  return row.status;
}
