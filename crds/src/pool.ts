import type { PoolObject } from './generated/pool.ts';
import { makeParser } from './parser.ts';

export type * from './generated/pool.ts';

/**
 * Reads a Pool from a list, a watch or a manifest; defaults are filled in.
 *
 * @throws ParseError with the path of every wrong field
 */
export const parsePool: (value: unknown) => PoolObject = makeParser('Pool', 'kappa.dev/v1alpha1', 'pool.schema.json');
