import { serializationError } from '../lambda-api/errors.ts';
import { invalidMember } from './logs-error.ts';

/** Bounds of a text. */
interface TextRule {
  readonly min?: number;
  readonly max?: number;
  readonly pattern?: RegExp;
}

/**
 * The members of one request of the JSON protocol. All methods throw an InvalidParameterException for what breaks a rule, and a
 * SerializationException for a value of another type; null is as if it was not there.
 */
export class Members {
  readonly #values: Readonly<Record<string, unknown>>;

  /** @throws LambdaError SerializationException */
  constructor(body: Buffer) {
    this.#values = parseObject(body);
  }

  /** undefined = it is not there. */
  text(name: string, { min = 1, max = Number.MAX_SAFE_INTEGER, pattern = /^/ }: TextRule = {}): string | undefined {
    const value = this.#values[name] ?? undefined;
    if (value === undefined) return undefined;
    if (typeof value !== 'string') throw wrongType();
    if (value.length < min) throw invalidMember(name, value, `Member must have length greater than or equal to ${min}`);
    if (value.length > max) throw invalidMember(name, value, `Member must have length less than or equal to ${max}`);
    if (!pattern.test(value))
      throw invalidMember(name, value, `Member must satisfy regular expression pattern: ${pattern.source}`);
    return value;
  }

  /** A whole number. */
  integer(name: string, fallback: number, min: number, max: number): number {
    const value = this.#values[name] ?? fallback;
    if (typeof value !== 'number' || !Number.isInteger(value)) throw wrongType();
    if (value < min) throw invalidMember(name, value, `Member must have value greater than or equal to ${min}`);
    if (value > max) throw invalidMember(name, value, `Member must have value less than or equal to ${max}`);
    return value;
  }

  /** False when it is not there. */
  flag(name: string): boolean {
    const value = this.#values[name] ?? false;
    if (typeof value !== 'boolean') throw wrongType();
    return value;
  }

  /** undefined = it is not there. */
  texts(name: string, min: number, max: number): readonly string[] | undefined {
    const value = this.#values[name] ?? undefined;
    if (value === undefined) return undefined;
    if (!Array.isArray(value)) throw wrongType();
    if (value.length < min) throw invalidMember(name, value, `Member must have length greater than or equal to ${min}`);
    if (value.length > max) throw invalidMember(name, value, `Member must have length less than or equal to ${max}`);
    return value.map((each: unknown) => {
      if (typeof each !== 'string') throw wrongType();
      return each;
    });
  }
}

function parseObject(body: Buffer): Readonly<Record<string, unknown>> {
  let value: unknown;
  try {
    value = JSON.parse(body.length === 0 ? '{}' : String(body));
  } catch {
    throw serializationError('The request body is not JSON.');
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw wrongType();
  return value as Readonly<Record<string, unknown>>;
}

function wrongType(): Error {
  return serializationError('A member of the request has a value of a wrong type.');
}
