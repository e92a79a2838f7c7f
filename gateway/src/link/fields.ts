import { LinkError } from './link-error.ts';

/** A JSON object that is not checked yet; what follows checks it field by field. */
export type Fields = Readonly<Record<string, unknown>>;

/** @throws LinkError BadFrame */
export function object(value: unknown): Fields {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw bad('body');
  return value as Fields;
}

/** @throws LinkError BadFrame */
export function text(fields: Fields, name: string): string {
  const value = fields[name];
  if (typeof value !== 'string') throw bad(name);
  return value;
}

/** A finite number. @throws LinkError BadFrame */
export function number(fields: Fields, name: string): number {
  const value = fields[name];
  if (typeof value !== 'number' || !Number.isFinite(value)) throw bad(name);
  return value;
}

/** @throws LinkError BadFrame */
export function oneOf<T extends string>(fields: Fields, name: string, allowed: readonly T[]): T {
  const value = allowed.find((each) => each === fields[name]);
  if (value === undefined) throw bad(name);
  return value;
}

/** Words; it may be absent: none. @throws LinkError BadFrame */
export function textList(fields: Fields, name: string): readonly string[] {
  const value = fields[name] ?? [];
  if (!Array.isArray(value)) throw bad(name);
  return value.map(String);
}

/** It may be absent. @throws LinkError BadFrame */
export function checkOptional(fields: Fields, name: string, type: 'string' | 'number'): void {
  const value = fields[name];
  if (value !== undefined && typeof value !== type) throw bad(name);
}

/** The error of a body that is not what it must be. */
export function bad(name: string): LinkError {
  return new LinkError('BadFrame', `${name} is missing or of the wrong type`);
}
