import { parameterError, queryError } from './query-error.ts';

/** Most parameters of a request: a role has at most 50 tags of two parameters each. */
const MAX_PARAMETERS = 500;

/** The parameters of one request of the query protocol. All methods throw a ValidationError for what breaks a rule. */
export class Parameters {
  readonly #values: ReadonlyMap<string, string>;

  /** @param query without the question mark @param form the body as it came; empty where there is none */
  constructor(query: string, form: string) {
    const values = new Map<string, string>();
    for (const text of [query, form]) {
      for (const [name, value] of new URLSearchParams(text)) {
        if (/^x-amz-/i.test(name)) continue; // of a presigned URL
        if (values.has(name))
          throw queryError('MalformedQueryString', `The parameter ${name.slice(0, 100)} is there twice.`);
        values.set(name, value);
      }
    }
    if (values.size > MAX_PARAMETERS) throw queryError('MalformedQueryString', 'The request has too many parameters.');
    this.#values = values;
  }

  /** Null = it is not there. */
  text(name: string, pattern = /^/, maxLength = 1_000): string | null {
    const value = this.#values.get(name) ?? null;
    if (value === null) return null;
    if (value.length > maxLength)
      throw parameterError(name, value, `Member must have length less than or equal to ${maxLength}`);
    if (!pattern.test(value))
      throw parameterError(name, value, `Member must satisfy regular expression pattern: ${pattern.source}`);
    return value;
  }

  required(name: string, pattern = /^/, maxLength = 1_000): string {
    const value = this.text(name, pattern, maxLength);
    if (value === null) throw parameterError(name, null, 'Member must not be null');
    return value;
  }

  integer(name: string, fallback: number, min: number, max: number): number {
    const text = this.text(name, /^-?\d{1,9}$/);
    const value = text === null ? fallback : Number(text);
    if (value < min) throw parameterError(name, text, `Member must have value greater than or equal to ${min}`);
    if (value > max) throw parameterError(name, text, `Member must have value less than or equal to ${max}`);
    return value;
  }

  /** `NAME.member.1`, `NAME.member.2`, … */
  list(name: string): readonly string[] {
    const values: string[] = [];
    for (;;) {
      const value = this.text(`${name}.member.${values.length + 1}`);
      if (value === null) return values;
      values.push(value);
    }
  }

  /** `NAME.member.1.Key` with `NAME.member.1.Value`, … */
  pairs(name: string): Readonly<Record<string, string>> {
    const pairs = new Map<string, string>();
    for (let at = 1; ; at += 1) {
      const key = this.text(`${name}.member.${at}.Key`);
      if (key === null) return Object.fromEntries(pairs);
      pairs.set(key, this.text(`${name}.member.${at}.Value`) ?? '');
    }
  }

  /** @throws ValidationError when one of them is there: what has no effect here must not seem to have one */
  refuse(names: readonly string[]): void {
    for (const name of this.#values.keys()) {
      const [head = ''] = name.split('.');
      if (names.includes(head)) throw queryError('ValidationError', `${head} is not supported by this install.`);
    }
  }
}
