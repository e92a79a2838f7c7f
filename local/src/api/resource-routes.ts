import type { ServerResponse } from 'node:http';
import type { User } from './auth.ts';
import { type Caller, parseBoolean, parseCaller } from './caller.ts';
import type { Deleter } from './deleter.ts';
import { parseDeleteOptions } from './deleter.ts';
import { type Exchange, plainJson, readBody, send } from './http-exchange.ts';
import { listMatching, listObject, listPage } from './lister.ts';
import { decodeBody, mediaTypeOf } from './negotiation.ts';
import type { KubeObject } from './object.ts';
import type { Patcher } from './patcher.ts';
import { parseView, renderList, renderObject } from './render.ts';
import { ApiError, badRequest, methodNotAllowed } from './status.ts';
import type { Store } from './store.ts';
import type { Target } from './target.ts';
import { parseWatch, type WatchClock, Watcher, type WatchRequest } from './watcher.ts';
import type { Writer } from './writer.ts';

/** What the resource handlers work with. */
export interface ResourceDeps {
  readonly store: Store;
  readonly writer: Writer;
  readonly patcher: Patcher;
  readonly deleter: Deleter;
  readonly clock: WatchClock;
  readonly random: () => number;
}

/** The generic verbs on resources: translation between HTTP and the writer, patcher, deleter, lister and watcher. */
export class ResourceRoutes {
  readonly #deps: ResourceDeps;

  constructor(deps: ResourceDeps) {
    this.#deps = deps;
  }

  /** Answers one request. @throws ApiError */
  async handle(exchange: Exchange, target: Target, user: User): Promise<void> {
    const { method } = exchange.request;
    const isCollection = target.name === '';
    if (method === 'GET' || method === 'HEAD') this.#read(exchange, target);
    else if (method === 'POST' && isCollection) await this.#create(exchange, target, user);
    else if (method === 'PUT' && !isCollection) await this.#update(exchange, target, user);
    else if (method === 'PATCH' && !isCollection) await this.#patch(exchange, target, user);
    else if (method === 'DELETE' && target.subresource === '') await this.#delete(exchange, target);
    else throw methodNotAllowed();
  }

  #read(exchange: Exchange, target: Target): void {
    const { query } = exchange;
    const isWatch = parseBoolean(query.get('watch'));
    if (isWatch && target.subresource === '') this.#watch(exchange, target);
    else if (target.name === '') this.#list(exchange, target);
    else this.#get(exchange, target);
  }

  #get({ request, response, query }: Exchange, target: Target): void {
    const view = parseView(request.headers.accept, query);
    const object = target.type.fromStorage(this.#deps.writer.resolve(target));
    send(response, 200, view.answer, renderObject(view, target, object, this.#deps.clock.now()));
  }

  #list({ request, response, query }: Exchange, target: Target): void {
    const view = parseView(request.headers.accept, query);
    const page = listPage(this.#deps.store, target, query);
    send(response, 200, view.answer, renderList(view, target, page, this.#deps.clock.now()));
  }

  #watch({ request, response, query }: Exchange, target: Target): void {
    const { store, clock, random } = this.#deps;
    const view = parseView(request.headers.accept, query);
    let asked: WatchRequest | ApiError;
    try {
      asked = parseWatch(store, target, query, random);
    } catch (error) {
      if (!(error instanceof ApiError) || error.code !== 410) throw error;
      asked = error;
    }
    response.writeHead(200, { 'content-type': 'application/json', 'cache-control': 'no-cache, private' });
    response.flushHeaders();
    if (asked instanceof ApiError) {
      response.end(`${JSON.stringify({ type: 'ERROR', object: asked.toStatus() })}\n`);
      return;
    }
    new Watcher(store, target, view, asked, sinkOf(response), clock).run();
  }

  async #create(exchange: Exchange, target: Target, user: User): Promise<void> {
    const { body, caller } = await readWrite(exchange, user);
    this.#reply(exchange, target, 201, this.#deps.writer.create(target, caller, body), caller);
  }

  async #update(exchange: Exchange, target: Target, user: User): Promise<void> {
    const { body, caller } = await readWrite(exchange, user);
    this.#reply(exchange, target, 200, this.#deps.writer.update(target, caller, body), caller);
  }

  async #patch(exchange: Exchange, target: Target, user: User): Promise<void> {
    const { request, query } = exchange;
    const caller = parseCaller(query, user, request.headers['user-agent']);
    const body = await readBody(request);
    const { object, isNew } = this.#deps.patcher.patch(
      target,
      caller,
      mediaTypeOf(request.headers['content-type']),
      body,
      query,
    );
    this.#reply(exchange, target, isNew ? 201 : 200, object, caller);
  }

  async #delete(exchange: Exchange, target: Target): Promise<void> {
    const { request, response, query } = exchange;
    const bytes = await readBody(request);
    const body = bytes.length === 0 ? {} : decodeBody(bytes, request.headers['content-type']);
    const options = parseDeleteOptions(body, query);
    const view = parseView(request.headers.accept, query);
    if (target.name === '') {
      this.#deleteCollection(exchange, target, options);
      return;
    }
    const result = this.#deps.deleter.delete(target, options);
    const nowMs = this.#deps.clock.now();
    const shown = result.kind === 'status' ? result.status : renderObject(view, target, result.object, nowMs);
    send(response, 200, view.answer, shown);
  }

  #deleteCollection(
    { response, query }: Exchange,
    target: Target,
    options: ReturnType<typeof parseDeleteOptions>,
  ): void {
    if (!target.type.verbs.includes('deletecollection')) throw methodNotAllowed();
    const { store, deleter } = this.#deps;
    const objects = listMatching(store, target, query);
    deleter.deleteAll(target, objects, options);
    const page = {
      objects: objects.map((object) => target.type.fromStorage(object)),
      resourceVersion: String(store.version),
      continue: '',
      remaining: undefined,
    };
    send(response, 200, plainJson, listObject(target, page));
  }

  #reply(
    { request, response, query }: Exchange,
    target: Target,
    code: number,
    object: KubeObject,
    caller: Caller,
  ): void {
    const view = parseView(request.headers.accept, query);
    send(response, code, view.answer, renderObject(view, target, object, this.#deps.clock.now()), caller.warnings);
  }
}

async function readWrite({ request, query }: Exchange, user: User): Promise<{ body: unknown; caller: Caller }> {
  const caller = parseCaller(query, user, request.headers['user-agent']);
  const bytes = await readBody(request);
  if (bytes.length === 0) throw badRequest('the request has no body');
  return { body: decodeBody(bytes, request.headers['content-type']), caller };
}

function sinkOf(response: ServerResponse): ConstructorParameters<typeof Watcher>[4] {
  return {
    write: (line) => {
      const isTaken = response.write(line);
      response.socket?.uncork(); // Node corks until the next turn: the writer's answer would overtake the event
      return isTaken;
    },
    onDrain: (listener) => response.on('drain', listener),
    onClose: (listener) => response.on('close', listener),
    end: () => response.end(),
    abort: () => response.destroy(),
  };
}
