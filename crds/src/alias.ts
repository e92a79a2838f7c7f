import type { AliasObject } from './generated/alias.ts';
import { makeParser } from './parser.ts';

export type * from './generated/alias.ts';

/**
 * Reads a Alias from a list, a watch or a manifest; defaults are filled in.
 *
 * @throws ParseError with the path of every wrong field
 */
export const parseAlias: (value: unknown) => AliasObject = makeParser(
  'Alias',
  'kappa.dev/v1alpha1',
  'alias.schema.json',
);
