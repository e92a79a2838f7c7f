import type { FunctionVersionObject } from './generated/function-version.ts';
import { makeParser } from './parser.ts';

export type * from './generated/function-version.ts';

/**
 * Reads a FunctionVersion from a list, a watch or a manifest; defaults are filled in.
 *
 * @throws ParseError with the path of every wrong field
 */
export const parseFunctionVersion: (value: unknown) => FunctionVersionObject = makeParser(
  'FunctionVersion',
  'kappa.dev/v1alpha1',
  'function-version.schema.json',
);
