import type { FunctionObject } from './generated/function.ts';
import { makeParser } from './parser.ts';

export type * from './generated/function.ts';

/**
 * Reads a Function from a list, a watch or a manifest; defaults are filled in.
 *
 * @throws ParseError with the path of every wrong field
 */
export const parseFunction: (value: unknown) => FunctionObject = makeParser(
  'Function',
  'kappa.dev/v1alpha1',
  'function.schema.json',
);
