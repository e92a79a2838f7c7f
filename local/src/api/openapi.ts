import { type Exchange, plainJson, send } from './http-exchange.ts';
import { at, isRecord, type JsonObject, record } from './json.ts';
import { patchTypes } from './negotiation.ts';
import type { Registry } from './registry.ts';
import { apiVersionOf, type ResourceType } from './resource.ts';
import { builtinSource } from './schema/builtins.ts';
import { openApiV3For, openApiV3Index } from './schema/openapi.ts';
import { noSuchPath } from './status.ts';

/**
 * Serves `/openapi/v3` and a document for each group and version. Built when asked for, kept until the registry
 * changes.
 */
export class OpenApi {
  readonly #registry: Registry;
  #documents: ReadonlyMap<string, JsonObject> = new Map();
  #index: JsonObject = {};
  #generation = -1;

  constructor(registry: Registry) {
    this.#registry = registry;
  }

  /** @returns false when the path is none of OpenAPI's. @throws ApiError 404 */
  handle({ path, request, response }: Exchange): boolean {
    if (path === '/openapi/v2') {
      sendEmptyV2(response, request.headers.accept ?? '');
      return true;
    }
    if (path === '/openapi/v3' || path === '/openapi/v3/') {
      this.#current();
      send(response, 200, plainJson, this.#index);
      return true;
    }
    const groupVersion = /^\/openapi\/v3\/(?:api|apis)\/(.+)$/.exec(path)?.[1];
    if (groupVersion === undefined) return false;
    const document = this.#current().get(groupVersion);
    if (document === undefined) throw noSuchPath();
    send(response, 200, plainJson, document);
    return true;
  }

  #current(): ReadonlyMap<string, JsonObject> {
    if (this.#generation === this.#registry.generation) return this.#documents;
    const groups = Map.groupBy(this.#registry.all(), apiVersionOf);
    const documentOf = (groupVersion: string, types: readonly ResourceType[]): JsonObject => {
      const document = openApiV3For(groupVersion, types.map(describe));
      return types.some((type) => type.custom !== null) ? withoutStrategicPatch(document) : document;
    };
    this.#documents = new Map(
      [...groups].map(([groupVersion, types]) => [groupVersion, documentOf(groupVersion, types)]),
    );
    this.#index = openApiV3Index(Object.fromEntries(this.#documents));
    this.#generation = this.#registry.generation;
    return this.#documents;
  }
}

const v2Protobuf = 'application/com.github.proto-openapi.spec.v2@v1.0+protobuf';

/**
 * An OpenAPI v2 document without any definition. kubectl asks for it when it meets a kind that has no patch operation,
 * such as List, and checks nothing by it then; whatever it sends is validated here.
 */
function sendEmptyV2(response: Exchange['response'], accept: string): void {
  if (!accept.includes(v2Protobuf)) {
    const info = { title: 'Kubernetes', version: 'v1' };
    send(response, 200, plainJson, { swagger: '2.0', info, paths: {}, definitions: {} });
    return;
  }
  // A protobuf message with all fields at their defaults has no bytes. The answer's type has a dot for the @, which
  // is not allowed in one.
  response.writeHead(200, { 'content-type': v2Protobuf.replace('@', '.'), 'content-length': 0 });
  response.end();
}

function describe(type: ResourceType): Parameters<typeof openApiV3For>[1][number] {
  const { plural, kind, isNamespaced, verbs, subresources, custom } = type;
  const source =
    custom === null ? builtinSource(apiVersionOf(type), kind) : at(custom.version, 'schema', 'openAPIV3Schema');
  return { plural, kind, isNamespaced, verbs, subresources, source };
}

/** Custom resources have no strategic merge patch; kubectl would send one where a document offers it. */
function withoutStrategicPatch(document: JsonObject): JsonObject {
  for (const path of Object.values(record(document['paths']))) {
    const content = at(path, 'patch', 'requestBody', 'content');
    if (isRecord(content)) delete content[patchTypes.strategic];
  }
  return document;
}
