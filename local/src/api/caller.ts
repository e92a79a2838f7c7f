import type { User } from './auth.ts';
import { ApiError, badRequest } from './status.ts';

/** Who writes, and how the write is to be treated: the query parameters of every write. */
export interface Caller {
  readonly user: User;
  /** Field manager, 1..128 characters. */
  readonly manager: string;
  readonly isDryRun: boolean;
  readonly fieldValidation: 'Strict' | 'Warn' | 'Ignore';
  /** Server-side apply takes fields over from other managers. */
  readonly isForced: boolean;
  /** Texts for Warning headers; handlers add to it. */
  readonly warnings: string[];
}

/** Reads the parameters of a write. @throws ApiError 400 or 422 for values that mean nothing */
export function parseCaller(query: URLSearchParams, user: User, userAgent: string | undefined): Caller {
  const manager = query.get('fieldManager') ?? '';
  if (manager.length > 128) throw badRequest('fieldManager: Too long: may not be more than 128 bytes');
  return {
    user,
    manager: manager === '' ? managerOf(userAgent) : manager,
    isDryRun: parseDryRun(query.getAll('dryRun')),
    fieldValidation: parseFieldValidation(query.get('fieldValidation') ?? ''),
    isForced: parseBoolean(query.get('force')),
    warnings: [],
  };
}

/** True for `dryRun=All`. @throws ApiError 422 for anything else but nothing */
export function parseDryRun(values: readonly string[]): boolean {
  const given = values.filter((value) => value !== '');
  const wrong = given.find((value) => value !== 'All');
  if (wrong === undefined) return given.length > 0;
  throw new ApiError(422, 'Invalid', `dryRun: Unsupported value: ${JSON.stringify(wrong)}: supported values: "All"`, {
    causes: [
      { reason: 'FieldValueNotSupported', message: `Unsupported value: ${JSON.stringify(wrong)}`, field: 'dryRun' },
    ],
  });
}

function parseFieldValidation(value: string): Caller['fieldValidation'] {
  if (value === '') return 'Warn';
  if (value === 'Strict' || value === 'Warn' || value === 'Ignore') return value;
  throw new ApiError(
    422,
    'Invalid',
    `fieldValidation: Unsupported value: ${JSON.stringify(value)}: supported values: "Ignore", "Strict", "Warn"`,
  );
}

/** A boolean query parameter as the real server reads it: present and neither `0` nor `false`. */
export function parseBoolean(value: string | null): boolean {
  return value !== null && value !== '0' && value.toLowerCase() !== 'false';
}

/** The part of the User-Agent before the first slash. */
function managerOf(userAgent: string | undefined): string {
  const name = (userAgent ?? '').split('/')[0]?.slice(0, 128) ?? '';
  return name === '' ? 'unknown' : name;
}
