import { ageOf } from './age.ts';
import { type JsonObject, objectOr, textOr } from './json.ts';

/** One column and how to read its cell. */
export interface Column {
  readonly name: string;
  readonly type: string;
  readonly format?: string;
  readonly description?: string;
  /** 0 is always shown, more only with `-o wide`. */
  readonly priority?: number;
  readonly cell: (object: JsonObject, nowMs: number) => unknown;
}

/** The only cell that every kind has. */
export const nameColumn: Column = {
  name: 'Name',
  type: 'string',
  format: 'name',
  description: 'Name must be unique within a namespace.',
  cell: (object) => textOr(objectOr(object['metadata'])['name']),
};

/** Time since creation; built-in kinds compute it as text. */
export const ageColumn: Column = {
  name: 'Age',
  type: 'string',
  description: 'Time since the object was created.',
  cell: (object, nowMs) => ageOf(objectOr(object['metadata'])['creationTimestamp'], nowMs),
};

/** A text column; `priority` 1 shows it only with `-o wide`. */
export function textColumn(name: string, cell: Column['cell'], priority = 0): Column {
  return { name, type: 'string', priority, cell };
}
