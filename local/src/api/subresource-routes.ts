import type { Authenticator, User } from './auth.ts';
import { parseCaller } from './caller.ts';
import type { Deleter } from './deleter.ts';
import { parseDeleteOptions } from './deleter.ts';
import { type Exchange, plainJson, readBody, send } from './http-exchange.ts';
import { at, text } from './json.ts';
import { decodeBody, decodeJson, mediaTypeOf, patchTypes, unsupportedMediaType } from './negotiation.ts';
import { copy, type KubeObject } from './object.ts';
import type { PodLogs } from './pod-log.ts';
import type { ScalePaths } from './resource.ts';
import { toScale, withScale } from './scale.ts';
import { jsonPatch, mergePatch } from './schema/patches.ts';
import { conflict, methodNotAllowed, type Status } from './status.ts';
import type { Store } from './store.ts';
import type { Target } from './target.ts';
import { answerTokenRequest } from './token-request.ts';
import type { Writer } from './writer.ts';

/** What the handlers of special subresources work with. */
export interface SubresourceDeps {
  readonly store: Store;
  readonly writer: Writer;
  readonly deleter: Deleter;
  readonly authenticator: Authenticator;
  readonly podLogs: PodLogs;
}

/** Subresources that are not simply a part of their object: scale, log, token, binding, eviction. */
export class SubresourceRoutes {
  readonly #deps: SubresourceDeps;

  constructor(deps: SubresourceDeps) {
    this.#deps = deps;
  }

  /** @returns false when the target is none of these. @throws ApiError */
  async handle(exchange: Exchange, target: Target, user: User): Promise<boolean> {
    const { type, subresource } = target;
    if (subresource === '') return false;
    if (subresource === 'scale' && type.scale !== null) await this.#scale(exchange, target, type.scale, user);
    else if (type.storage === 'pods' && subresource === 'log') this.#log(exchange, target);
    else if (type.storage === 'pods' && subresource === 'binding') await this.#bind(exchange, target, user);
    else if (type.storage === 'pods' && subresource === 'eviction') await this.#evict(exchange, target);
    else if (type.storage === 'serviceaccounts' && subresource === 'token') await this.#token(exchange, target);
    else return false;
    return true;
  }

  async #scale(exchange: Exchange, target: Target, paths: ScalePaths, user: User): Promise<void> {
    const { request, response, query } = exchange;
    const live = this.#deps.writer.resolve(target);
    if (request.method === 'GET') {
      send(response, 200, plainJson, toScale(paths, live));
      return;
    }
    if (request.method !== 'PUT' && request.method !== 'PATCH') throw methodNotAllowed();
    const caller = parseCaller(query, user, request.headers['user-agent']);
    const body = await readBody(request);
    const current = this.#deps.writer.resolve(target);
    const mediaType = mediaTypeOf(request.headers['content-type']);
    const scale =
      request.method === 'PUT' ? decodeBody(body, mediaType) : patchScale(toScale(paths, current), body, mediaType);
    const wanted = withScale(paths, target.type.fromStorage(current), scale);
    const main = { ...target, subresource: '' };
    const result = this.#deps.writer.commit(main, caller, current, wanted, { kind: 'update', door: 'scale' });
    send(response, 200, plainJson, toScale(paths, result), caller.warnings);
  }

  #log(exchange: Exchange, target: Target): void {
    if (exchange.request.method !== 'GET') throw methodNotAllowed();
    this.#deps.podLogs.answer(exchange, this.#deps.writer.resolve(target));
  }

  /** Puts a pod on a node, as a scheduler does. */
  async #bind({ request, response, query }: Exchange, target: Target, user: User): Promise<void> {
    if (request.method !== 'POST') throw methodNotAllowed();
    const caller = parseCaller(query, user, request.headers['user-agent']);
    const body = decodeBody(await readBody(request), request.headers['content-type']);
    const live = this.#deps.writer.resolve(target);
    const bound = text(at(live, 'spec', 'nodeName'));
    if (bound !== '')
      throw conflict(
        target.type,
        target.name,
        `pod ${target.name} is already assigned to node ${JSON.stringify(bound)}`,
      );
    const next: KubeObject = copy(live);
    next['spec'] = { ...Object(next['spec']), nodeName: text(at(body, 'target', 'name')) };
    if (!caller.isDryRun) this.#deps.store.put(target.type.storage, next);
    send(response, 201, plainJson, success());
  }

  async #evict({ request, response, query }: Exchange, target: Target): Promise<void> {
    if (request.method !== 'POST') throw methodNotAllowed();
    const body = decodeBody(await readBody(request), request.headers['content-type']);
    const options = parseDeleteOptions(at(body, 'deleteOptions'), query);
    this.#deps.deleter.delete({ ...target, subresource: '' }, options);
    send(response, 201, plainJson, success());
  }

  async #token({ request, response }: Exchange, target: Target): Promise<void> {
    if (request.method !== 'POST') throw methodNotAllowed();
    const body = decodeBody(await readBody(request), request.headers['content-type']);
    const account = this.#deps.writer.resolve(target);
    send(response, 201, plainJson, answerTokenRequest(this.#deps.authenticator, account, body));
  }
}

function patchScale(scale: Record<string, unknown>, body: Buffer, mediaType: string): unknown {
  if (mediaType === patchTypes.json) return jsonPatch(scale, decodeJson(body));
  if (mediaType === patchTypes.merge || mediaType === patchTypes.strategic) return mergePatch(scale, decodeJson(body));
  throw unsupportedMediaType([patchTypes.json, patchTypes.merge]);
}

function success(): Status {
  return { kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Success', code: 201 };
}
