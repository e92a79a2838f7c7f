import type { IncomingHttpHeaders } from 'node:http';

import { InvalidParameterValue } from '../../errors.ts';
import { serializationError, validationError } from '../errors.ts';
import { fromJson, fromText, structureFromJson } from './convert.ts';
import type { Operation } from './model.ts';
import type { OperationMatch } from './router.ts';
import type { Member } from './shapes.ts';
import { runtimeViolation, violationsOf } from './validate.ts';

/** What a request brings besides its request line. */
export interface RequestParts {
  readonly headers: IncomingHttpHeaders;
  /** The whole body, empty when there is none. */
  readonly body: Buffer;
}

/** The input of an operation by member name, as the request types of the SDKs say. */
export type Input = Readonly<Record<string, unknown>>;

/**
 * Puts labels, query, headers and body together to the operation's input, and checks it against the model. Blobs are
 * Buffers, timestamps Dates; what is missing or null is left out; unknown members of the body are passed over.
 *
 * @throws LambdaError SerializationException when something cannot be read, then ValidationException with every violation
 */
export function parseInput(match: OperationMatch, parts: RequestParts): Input {
  const { operation } = match;
  const body = parseBody(operation, parts.body);
  const input: Record<string, unknown> = {};
  for (const member of operation.input.members) {
    const value = readMember(member, match, parts, body);
    if (value !== undefined) input[member.name] = value;
  }
  const violations = violationsOf(operation.input, input);
  if (violations.length > 0) throw validationError(violations);
  const badRuntime = runtimeViolation(operation.input, input);
  if (badRuntime !== null) throw new InvalidParameterValue(badRuntime);
  return input;
}

function readMember(member: Member, match: OperationMatch, parts: RequestParts, body: Input): unknown {
  switch (member.location) {
    case 'uri': {
      const text = match.labels[member.wireName];
      return text === undefined ? undefined : fromText(member.shape, text);
    }
    case 'querystring':
      return fromQuery(member, match.query);
    case 'header': {
      const header = parts.headers[member.wireName];
      return header === undefined ? undefined : fromText(member.shape, String(header));
    }
    default:
      return body[member.name];
  }
}

/** A list is repeated (`tagKeys=a&tagKeys=b`); of anything else the first counts. */
function fromQuery({ shape, wireName }: Member, query: URLSearchParams): unknown {
  if (shape.kind === 'list') {
    const texts = query.getAll(wireName);
    return texts.length === 0 ? undefined : texts.map((text) => fromText(shape.member, text));
  }
  const text = query.get(wireName);
  return text === null ? undefined : fromText(shape, text);
}

/** The members that travel in the body. */
function parseBody({ input }: Operation, bytes: Buffer): Input {
  const { payload } = input;
  if (payload?.shape.kind === 'blob') {
    const isThere = bytes.length > 0 || payload.isRequired;
    return isThere ? { [payload.name]: bytes } : {};
  }
  if (bytes.length === 0 || !input.members.some(({ location }) => location === 'body')) return {};
  const json = parseJson(bytes);
  if (payload !== null) return { [payload.name]: fromJson(payload.shape, json) };
  if (typeof json !== 'object' || json === null) throw serializationError('The request body is not a JSON object.');
  return structureFromJson(input, json);
}

function parseJson(bytes: Buffer): unknown {
  try {
    return JSON.parse(bytes.toString('utf8'));
  } catch (err) {
    throw serializationError(`Could not parse request body into json: ${err instanceof Error ? err.message : 'bad'}`);
  }
}
