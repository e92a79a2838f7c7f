import { type ExtraResource, extraResources } from './extra-resources.ts';
import type { Exchange } from './http-exchange.ts';
import { send } from './http-exchange.ts';
import { negotiateDiscovery } from './negotiation.ts';
import type { Registry } from './registry.ts';
import type { ResourceType } from './resource.ts';
import { noSuchPath } from './status.ts';

/** Answers `/api`, `/apis` and below them the lists of groups, versions and resources, in both formats. */
export class Discovery {
  readonly #registry: Registry;

  constructor(registry: Registry) {
    this.#registry = registry;
  }

  /** @returns false when the path is none of discovery's. @throws ApiError 404 for an unknown group or version */
  handle(exchange: Exchange): boolean {
    const { request, response, path } = exchange;
    const parts = path.split('/').filter((part) => part !== '');
    const [root, first = '', second = ''] = parts;
    const isCore = root === 'api';
    if ((!isCore && root !== 'apis') || parts.length > (isCore ? 2 : 3)) return false;
    const answer = negotiateDiscovery(request.headers.accept);
    if (parts.length === 1 && answer.as !== '') {
      send(response, 200, answer, this.#aggregated(isCore));
      return true;
    }
    const body = this.#documentOf(isCore, parts.length, first, second);
    send(
      response,
      200,
      { ...answer, as: '', contentType: answer.format === 'yaml' ? 'application/yaml' : 'application/json' },
      body,
    );
    return true;
  }

  #documentOf(isCore: boolean, length: number, first: string, second: string): Record<string, unknown> {
    if (length === 1) return isCore ? this.#coreVersions() : this.#groupList();
    if (isCore) return this.#resourceList('', first);
    return length === 2 ? this.#group(first) : this.#resourceList(first, second);
  }

  #coreVersions(): Record<string, unknown> {
    return { kind: 'APIVersions', versions: ['v1'], serverAddressByClientCIDRs: [] };
  }

  /** Groups in the order of their names, each with its versions. */
  #groups(): Map<string, string[]> {
    const groups = new Map<string, string[]>();
    for (const { group, version } of [...this.#registry.all(), ...extraResources]) {
      const versions = groups.get(group) ?? [];
      if (!versions.includes(version)) versions.push(version);
      groups.set(group, versions);
    }
    for (const versions of groups.values()) versions.sort(compareVersions);
    return groups;
  }

  #groupList(): Record<string, unknown> {
    const names = [...this.#groups().keys()].filter((name) => name !== '').sort();
    return { kind: 'APIGroupList', apiVersion: 'v1', groups: names.map((name) => this.#groupEntry(name)) };
  }

  #group(name: string): Record<string, unknown> {
    if (!this.#groups().has(name)) throw noSuchPath();
    return { kind: 'APIGroup', apiVersion: 'v1', ...this.#groupEntry(name) };
  }

  #groupEntry(name: string): Record<string, unknown> {
    const versions = (this.#groups().get(name) ?? []).map((version) => ({
      groupVersion: `${name}/${version}`,
      version,
    }));
    return { name, versions, preferredVersion: versions[0] };
  }

  #resourceList(group: string, version: string): Record<string, unknown> {
    const types = this.#registry.all().filter((type) => type.group === group && type.version === version);
    const extras = extraResources.filter((extra) => extra.group === group && extra.version === version);
    if (types.length === 0 && extras.length === 0) throw noSuchPath();
    const groupVersion = group === '' ? version : `${group}/${version}`;
    const resources = [...types.flatMap(legacyEntries), ...extras.map(legacyExtra)];
    return { kind: 'APIResourceList', apiVersion: 'v1', groupVersion, resources };
  }

  #aggregated(isCore: boolean): Record<string, unknown> {
    const groups = [...this.#groups()]
      .filter(([name]) => (name === '') === isCore)
      .sort(([a], [b]) => (a < b ? -1 : 1));
    return {
      kind: 'APIGroupDiscoveryList',
      apiVersion: 'apidiscovery.k8s.io/v2',
      metadata: {},
      items: groups.map(([name, versions]) => ({
        metadata: { name, creationTimestamp: null },
        versions: versions.map((version) => ({
          version,
          resources: this.#aggregatedResources(name, version),
          freshness: 'Current',
        })),
      })),
    };
  }

  #aggregatedResources(group: string, version: string): Record<string, unknown>[] {
    const isHere = (entry: { readonly group: string; readonly version: string }): boolean =>
      entry.group === group && entry.version === version;
    const extras = extraResources.filter(isHere);
    const own = this.#registry
      .all()
      .filter(isHere)
      .map((type) => aggregatedEntry(type, extras));
    const names = new Set(own.map((entry) => entry['resource']));
    const alone = extras.filter((extra) => !extra.name.includes('/') && !names.has(extra.name));
    return [...own, ...alone.map(aggregatedExtra)];
  }
}

/** v1 before v1beta1 before v1alpha1, then by number, newest first. */
export function compareVersions(a: string, b: string): number {
  const rank = (version: string): readonly number[] => {
    const match = /^v(\d+)(?:(alpha|beta)(\d+))?$/.exec(version);
    if (match === null) return [0, 0, 0];
    const stage = { alpha: 1, beta: 2 }[match[2] ?? ''] ?? 3;
    return [stage, Number(match[1]), Number(match[3] ?? 0)];
  };
  const [left, right] = [rank(a), rank(b)];
  for (const [index, value] of left.entries()) if (value !== right[index]) return (right[index] ?? 0) - value;
  return a < b ? -1 : 1;
}

const scaleKind = { group: 'autoscaling', version: 'v1', kind: 'Scale' };

function legacyEntries(type: ResourceType): Record<string, unknown>[] {
  const main = {
    name: type.plural,
    singularName: type.singular,
    namespaced: type.isNamespaced,
    kind: type.kind,
    verbs: type.verbs,
    ...(type.shortNames.length === 0 ? {} : { shortNames: type.shortNames }),
    ...(type.categories.length === 0 ? {} : { categories: type.categories }),
    storageVersionHash: Buffer.from(`${type.storage}${type.storageApiVersion}`).toString('base64').slice(0, 12),
  };
  const parts = [...type.subresources].map((name) => ({
    name: `${type.plural}/${name}`,
    singularName: '',
    namespaced: type.isNamespaced,
    ...(name === 'scale' ? scaleKind : { kind: type.kind }),
    verbs: verbsOf(name),
  }));
  return [main, ...parts];
}

function verbsOf(subresource: string): readonly string[] {
  return subresource === 'finalize' ? ['update'] : ['get', 'patch', 'update'];
}

function legacyExtra(extra: ExtraResource): Record<string, unknown> {
  const { name, isNamespaced, kind, verbs, kindGroup, kindVersion } = extra;
  const foreign = kindGroup === undefined ? {} : { group: kindGroup, version: kindVersion };
  return { name, singularName: '', namespaced: isNamespaced, ...foreign, kind, verbs };
}

function aggregatedEntry(type: ResourceType, extras: readonly ExtraResource[]): Record<string, unknown> {
  const own = { group: type.group, version: type.version, kind: type.kind };
  const parts = [...type.subresources].map((name) => ({
    subresource: name,
    responseKind: name === 'scale' ? scaleKind : own,
    verbs: verbsOf(name),
  }));
  const more = extras
    .filter((extra) => extra.name.startsWith(`${type.plural}/`))
    .map((extra) => ({
      subresource: extra.name.slice(type.plural.length + 1),
      responseKind: responseKind(extra),
      verbs: extra.verbs,
    }));
  const subresources = [...parts, ...more];
  return {
    resource: type.plural,
    responseKind: own,
    scope: type.isNamespaced ? 'Namespaced' : 'Cluster',
    singularResource: type.singular,
    verbs: type.verbs,
    ...(type.shortNames.length === 0 ? {} : { shortNames: type.shortNames }),
    ...(type.categories.length === 0 ? {} : { categories: type.categories }),
    ...(subresources.length === 0 ? {} : { subresources }),
  };
}

function responseKind(extra: ExtraResource): Record<string, unknown> {
  return { group: extra.kindGroup ?? extra.group, version: extra.kindVersion ?? extra.version, kind: extra.kind };
}

function aggregatedExtra(extra: ExtraResource): Record<string, unknown> {
  return {
    resource: extra.name,
    responseKind: responseKind(extra),
    scope: extra.isNamespaced ? 'Namespaced' : 'Cluster',
    singularResource: extra.kind.toLowerCase(),
    verbs: extra.verbs,
  };
}
