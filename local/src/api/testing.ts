import { Applier } from './applier.ts';
import { builtinTypes } from './builtin-types.ts';
import type { Caller } from './caller.ts';
import { CustomResources } from './custom-resources.ts';
import { Database } from './database.ts';
import { type DeleteOptions, Deleter } from './deleter.ts';
import { GarbageCollector } from './garbage-collector.ts';
import { Lifecycle } from './lifecycle.ts';
import { Namespaces } from './namespaces.ts';
import type { KubeObject } from './object.ts';
import { Patcher } from './patcher.ts';
import { Registry } from './registry.ts';
import { Store } from './store.ts';
import type { Target } from './target.ts';
import type { WatchClock } from './watcher.ts';
import { Writer } from './writer.ts';

/** A clock that stands still until `advance`. */
export interface TestClock extends WatchClock {
  advance(ms: number): void;
}

/** 2026-01-01T00:00:00Z */
export const startMs = Date.UTC(2026, 0, 1);

/** A clock whose timers run in order of their time when it is moved on. */
export function makeClock(): TestClock {
  let nowMs = startMs;
  const timers = new Set<{ readonly atMs: number; readonly run: () => void }>();
  return {
    now: () => nowMs,
    after: (ms, run) => {
      const timer = { atMs: nowMs + ms, run };
      timers.add(timer);
      return () => timers.delete(timer);
    },
    advance: (ms) => {
      const end = nowMs + ms;
      for (;;) {
        const [next] = [...timers].filter((timer) => timer.atMs <= end).sort((a, b) => a.atMs - b.atMs);
        if (next === undefined) break;
        timers.delete(next);
        nowMs = next.atMs;
        next.run();
      }
      nowMs = end;
    },
  };
}

/** Everything behind the HTTP border, in memory, with controllers that run when `settle` is called. */
export interface World {
  readonly store: Store;
  readonly registry: Registry;
  readonly writer: Writer;
  readonly patcher: Patcher;
  readonly deleter: Deleter;
  readonly clock: TestClock;
  /** Failures of the controllers. */
  readonly errors: unknown[];
  /** Runs the controllers until nothing is left to do. */
  settle(): void;
  target(
    group: string,
    plural: string,
    name: string,
    more?: { readonly subresource?: string; readonly namespace?: string },
  ): Target;
  create(plural: string, object: Record<string, unknown>): KubeObject;
  get(plural: string, name: string): KubeObject | undefined;
  delete(plural: string, name: string, options?: Partial<DeleteOptions>): unknown;
}

/** A caller as tests need it. */
export function makeCaller(overrides: Partial<Caller> = {}): Caller {
  return {
    user: { username: 'tester', uid: '', groups: [] },
    manager: 'test',
    isDryRun: false,
    fieldValidation: 'Strict',
    isForced: false,
    warnings: [],
    ...overrides,
  };
}

/** Delete options that ask for nothing. */
export const plainDelete: DeleteOptions = {
  gracePeriodSeconds: undefined,
  propagation: undefined,
  uid: '',
  resourceVersion: '',
  isDryRun: false,
};

/** Makes a world with the standard namespaces. Plurals of another group are written `plural.group`. */
export function makeWorld(path = ':memory:'): World {
  const store = new Store(new Database(path));
  const clock = makeClock();
  const registry = new Registry(builtinTypes());
  const counter = { uid: 0, suffix: 0 };
  const writer = new Writer({
    store,
    now: clock.now,
    uuid: () => `uid-${++counter.uid}`,
    nameSuffix: () => `x${String(++counter.suffix).padStart(4, '0')}`,
  });
  const deleter = new Deleter(store, clock.now);
  const errors: unknown[] = [];
  const work: (() => void)[] = [];
  const customResources = new CustomResources(store, registry, deleter, clock.now);
  const namespaces = new Namespaces(store, registry, writer, deleter);
  const garbageCollector = new GarbageCollector(store, registry, deleter);
  new Lifecycle({
    store,
    customResources,
    namespaces,
    garbageCollector,
    defer: (run) => work.push(run),
    onError: (error) => errors.push(error),
  }).start();
  const settle = (): void => {
    for (let next = work.shift(); next !== undefined; next = work.shift()) next();
  };
  settle();
  const target: World['target'] = (group, plural, name, more = {}) => {
    const type = registry.all().find((entry) => entry.group === group && entry.plural === plural);
    if (type === undefined) throw new Error(`no resource ${plural} in group ${JSON.stringify(group)}`);
    return {
      type,
      namespace: type.isNamespaced ? (more.namespace ?? 'default') : '',
      name,
      subresource: more.subresource ?? '',
    };
  };
  const targetOf = (qualified: string, name: string): Target => {
    const [plural = '', ...group] = qualified.split('.');
    return target(group.join('.'), plural, name);
  };
  return {
    store,
    registry,
    writer,
    patcher: new Patcher(writer, new Applier(store, writer, clock.now)),
    deleter,
    clock,
    errors,
    settle,
    target,
    create: (plural, object) => writer.create(targetOf(plural, ''), makeCaller(), object),
    get: (plural, name) => {
      const { type, namespace } = targetOf(plural, name);
      return store.get(type.storage, namespace, name);
    },
    delete: (plural, name, options = {}) => deleter.delete(targetOf(plural, name), { ...plainDelete, ...options }),
  };
}

/** A ConfigMap to write. */
export function configMap(name: string, more: Record<string, unknown> = {}): Record<string, unknown> {
  return { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name }, ...more };
}

/** A CRD `widgets.test.dev` with size (default 1, at most 10), status and scale. */
export function widgetDefinition(): Record<string, unknown> {
  const properties = {
    spec: {
      type: 'object',
      properties: { size: { type: 'integer', default: 1, maximum: 10 }, colour: { type: 'string' } },
    },
    status: { type: 'object', properties: { size: { type: 'integer' }, phase: { type: 'string' } } },
  };
  return {
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: { name: 'widgets.test.dev' },
    spec: {
      group: 'test.dev',
      scope: 'Namespaced',
      names: { plural: 'widgets', kind: 'Widget' },
      versions: [
        {
          name: 'v1',
          served: true,
          storage: true,
          schema: { openAPIV3Schema: { type: 'object', properties } },
          subresources: { status: {}, scale: { specReplicasPath: '.spec.size', statusReplicasPath: '.status.size' } },
        },
      ],
    },
  };
}

/** A Widget to write. */
export function widget(
  name: string,
  spec: Record<string, unknown> = {},
  more: Record<string, unknown> = {},
): Record<string, unknown> {
  return { apiVersion: 'test.dev/v1', kind: 'Widget', metadata: { name }, spec, ...more };
}

/** The code of the ApiError that `run` throws; 0 when it throws nothing. */
export function codeOf(run: () => unknown): number {
  try {
    run();
    return 0;
  } catch (error) {
    return typeof error === 'object' && error !== null && 'code' in error ? Number(error.code) : -1;
  }
}
