import { InvalidRequestContent } from '../errors.ts';

/** A JSON object. */
export type JsonObject = Readonly<Record<string, unknown>>;

/** Whether a value is a JSON object. */
export function isJsonObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** A member that is an object; what it is not is empty. */
export function objectIn(value: JsonObject, member: string): JsonObject {
  const found = value[member];
  return isJsonObject(found) ? found : {};
}

/** A member that is a text; undefined = it is none. */
export function textIn(value: JsonObject, member: string): string | undefined {
  const found = value[member];
  return typeof found === 'string' ? found : undefined;
}

/** A body in UTF-8. @throws InvalidRequestContent */
export function parseJson(body: Buffer): unknown {
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(body));
  } catch (cause) {
    throw new InvalidRequestContent(`The body is no JSON: ${cause instanceof Error ? cause.message : String(cause)}`);
  }
}
