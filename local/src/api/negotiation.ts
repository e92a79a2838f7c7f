import { parse as parseYaml, stringify } from 'yaml';
import { isRecord } from './json.ts';
import { decodeProtobuf, protobufType } from './protobuf.ts';
import { ApiError, badRequest } from './status.ts';

/** How an answer is written. */
export interface Answer {
  readonly format: 'json' | 'yaml';
  /** '' = the object as it is. */
  readonly as: '' | 'Table' | 'PartialObjectMetadata' | 'PartialObjectMetadataList' | 'APIGroupDiscoveryList';
  readonly contentType: string;
}

/** Largest request body, bytes: what the real server takes. */
export const maxBodyBytes = 3 * 1024 * 1024;

type Form = Answer['as'];

const conversions: readonly Form[] = ['Table', 'PartialObjectMetadata', 'PartialObjectMetadataList'];

interface MediaType {
  readonly name: string;
  readonly parameters: ReadonlyMap<string, string>;
  readonly quality: number;
}

function parseAccept(header: string): MediaType[] {
  const types = header.split(',').map((part) => {
    const [name = '', ...rest] = part.split(';').map((piece) => piece.trim());
    const parameters = new Map(rest.map((pair) => pairOf(pair)));
    const quality = Number(parameters.get('q') ?? 1);
    return { name: name.toLowerCase(), parameters, quality: Number.isFinite(quality) ? quality : 0 };
  });
  return types.filter((type) => type.name !== '' && type.quality > 0).sort((a, b) => b.quality - a.quality);
}

function pairOf(pair: string): [string, string] {
  const split = pair.indexOf('=');
  return split < 0 ? [pair, ''] : [pair.slice(0, split), pair.slice(split + 1)];
}

/** Picks the first form of the Accept header that this server can write. @throws ApiError 406 */
export function negotiate(accept: string | undefined, forms: readonly Form[] = conversions): Answer {
  for (const type of parseAccept(accept ?? '*/*')) {
    const answer = answerFor(type, forms);
    if (answer !== null) return answer;
  }
  throw new ApiError(
    406,
    'NotAcceptable',
    'only the following media types are accepted: application/json, application/yaml',
  );
}

/** Picks for a discovery document. */
export function negotiateDiscovery(accept: string | undefined): Answer {
  return negotiate(accept, ['APIGroupDiscoveryList']);
}

function answerFor(type: MediaType, forms: readonly Form[]): Answer | null {
  const asked = type.parameters.get('as') ?? '';
  const as: Form | undefined =
    asked === '' ? '' : forms.find((form) => form === asked && isKnownVersion(form, type.parameters));
  if (as === undefined) return null;
  if (type.name === 'application/yaml') return { format: 'yaml', as, contentType: 'application/yaml' };
  if (!['application/json', 'application/*', '*/*'].includes(type.name)) return null;
  const contentType =
    as === 'APIGroupDiscoveryList'
      ? 'application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList'
      : 'application/json';
  return { format: 'json', as, contentType };
}

function isKnownVersion(as: string, parameters: ReadonlyMap<string, string>): boolean {
  if (as === 'APIGroupDiscoveryList')
    return parameters.get('g') === 'apidiscovery.k8s.io' && parameters.get('v') === 'v2';
  return parameters.get('g') === 'meta.k8s.io' && parameters.get('v') === 'v1';
}

/** Writes a body in the negotiated format. */
export function encode(answer: Answer, body: unknown): string {
  return answer.format === 'yaml' ? stringify(body, { aliasDuplicateObjects: false }) : `${JSON.stringify(body)}\n`;
}

/** Content types of a PATCH. */
export const patchTypes = {
  json: 'application/json-patch+json',
  merge: 'application/merge-patch+json',
  strategic: 'application/strategic-merge-patch+json',
  apply: 'application/apply-patch+yaml',
} as const;

/** `application/json; charset=utf-8` → `application/json`. */
export function mediaTypeOf(contentType: string | undefined): string {
  return (contentType ?? '').split(';')[0]?.trim().toLowerCase() ?? '';
}

/**
 * Decodes a JSON, YAML or (for a few kinds) protobuf body. An absent content type means JSON.
 * @throws ApiError 415 for other types, 400 for what cannot be parsed
 */
export function decodeBody(body: Buffer, contentType: string | undefined): unknown {
  const type = mediaTypeOf(contentType);
  if (type === '' || type === 'application/json') return decodeJson(body);
  if (type === 'application/yaml') return decodeYaml(body);
  const decoded = type === protobufType ? decodeProtobuf(body) : null;
  if (decoded !== null) return decoded;
  throw unsupportedMediaType(['application/json', 'application/yaml']);
}

/** 415 that names what would be taken. */
export function unsupportedMediaType(accepted: readonly string[]): ApiError {
  const message = `the body of the request was in an unknown format - accepted media types include: ${accepted.join(', ')}`;
  return new ApiError(415, 'UnsupportedMediaType', message);
}

/** Parses JSON. @throws ApiError 400 */
export function decodeJson(body: Buffer): unknown {
  try {
    return JSON.parse(body.toString('utf8'));
  } catch (error) {
    throw badRequest(`the object provided is unrecognized: ${error instanceof Error ? error.message : 'not JSON'}`);
  }
}

/**
 * Parses YAML, which JSON is part of. Aliases are few, so that a small body cannot become a large object. @throws
 * ApiError 400
 */
export function decodeYaml(body: Buffer): unknown {
  const source = body.toString('utf8');
  const trimmed = source.trimStart();
  if (trimmed.startsWith('{')) {
    try {
      return JSON.parse(source);
    } catch {
      // YAML in flow style: parsed below
    }
  }
  try {
    const value: unknown = parseYaml(source, { maxAliasCount: 100 });
    return isRecord(value) ? JSON.parse(JSON.stringify(value)) : value;
  } catch (error) {
    throw badRequest(`error converting YAML to JSON: ${error instanceof Error ? error.message : 'not YAML'}`);
  }
}
