import { type AliasObject, parseAlias } from '../alias.ts';
import { type EventSourceMappingObject, parseEventSourceMapping } from '../event-source-mapping.ts';
import { type FunctionObject, parseFunction } from '../function.ts';
import { type FunctionVersionObject, parseFunctionVersion } from '../function-version.ts';
import { type LayerObject, parseLayer } from '../layer.ts';
import type { ObjectMeta } from '../object-meta.ts';
import { ParseError } from '../parse-error.ts';
import { isJsonObject, parseMeta } from '../parse-meta.ts';
import { type PoolObject, parsePool } from '../pool.ts';
import type {
  ConfigMap,
  EndpointSlice,
  KubernetesEvent,
  Lease,
  Namespace,
  Node,
  Pod,
  Secret,
  ServiceAccount,
} from './built-ins.ts';

export type * from './built-ins.ts';

/** A kind of object: where the API server has it, and how it is read. */
export interface Kind<T> {
  /** Empty for the core group. */
  readonly group: string;
  readonly version: string;
  readonly kind: string;
  /** As in the path, for example functionversions. */
  readonly plural: string;
  readonly isNamespaced: boolean;
  /** @throws ParseError */
  readonly parse: (value: unknown) => T;
}

const kappa = { group: 'kappa.dev', version: 'v1alpha1', isNamespaced: true };
/** What users write: Functions. */
export const functions: Kind<FunctionObject> = {
  ...kappa,
  kind: 'Function',
  plural: 'functions',
  parse: parseFunction,
};
/** Immutable snapshots of Functions. */
export const functionVersions: Kind<FunctionVersionObject> = {
  ...kappa,
  kind: 'FunctionVersion',
  plural: 'functionversions',
  parse: parseFunctionVersion,
};
/** Names for versions. */
export const aliases: Kind<AliasObject> = { ...kappa, kind: 'Alias', plural: 'aliases', parse: parseAlias };
/** What is read from event sources, and for which function. */
export const eventSourceMappings: Kind<EventSourceMappingObject> = {
  ...kappa,
  kind: 'EventSourceMapping',
  plural: 'eventsourcemappings',
  parse: parseEventSourceMapping,
};
/** Versions of layers. */
export const layers: Kind<LayerObject> = { ...kappa, kind: 'Layer', plural: 'layers', parse: parseLayer };
/** Warm pods by runtime. */
export const pools: Kind<PoolObject> = { ...kappa, kind: 'Pool', plural: 'pools', parse: parsePool };

/** Execution environments and everything else that runs. */
export const pods: Kind<Pod> = builtIn('', 'Pod', 'pods', ['spec']);
/** Text by key. */
export const configMaps: Kind<ConfigMap> = builtIn('', 'ConfigMap', 'configmaps');
/** Secrets: values are base64. */
export const secrets: Kind<Secret> = builtIn('', 'Secret', 'secrets');
/** Identities of pods. */
export const serviceAccounts: Kind<ServiceAccount> = builtIn('', 'ServiceAccount', 'serviceaccounts');
/** Accounts, in Kappa; without a namespace themselves. */
export const namespaces: Kind<Namespace> = {
  ...builtIn<Namespace>('', 'Namespace', 'namespaces'),
  isNamespaced: false,
};
/** Machines; without a namespace. */
export const nodes: Kind<Node> = { ...builtIn<Node>('', 'Node', 'nodes'), isNamespaced: false };
/** Who leads; see client/lease. */
export const leases: Kind<Lease> = builtIn('coordination.k8s.io', 'Lease', 'leases', ['spec']);
/** Events of `events.k8s.io/v1`; write them with `Kubernetes.event`. */
export const events: Kind<KubernetesEvent> = builtIn('events.k8s.io', 'Event', 'events');
const rawEndpointSlices = builtIn<EndpointSlice>('discovery.k8s.io', 'EndpointSlice', 'endpointslices', [
  'addressType',
]);
/** Addresses behind Services; `endpoints` is never null. */
export const endpointSlices: Kind<EndpointSlice> = { ...rawEndpointSlices, parse: parseEndpointSlice };

/** `v1` or `group/version`. */
export function apiVersionOf(kind: Kind<unknown>): string {
  return kind.group === '' ? kind.version : `${kind.group}/${kind.version}`;
}

/** `namespace/name`, or `name` for kinds without namespaces: the key of informers and work queues. */
export function keyOf(meta: Pick<ObjectMeta, 'namespace' | 'name'>): string {
  return meta.namespace === '' ? meta.name : `${meta.namespace}/${meta.name}`;
}

/**
 * A built-in kind. The API server has validated these objects by a schema of its own, so only their frame is checked:
 * metadata is read, and each of `required` must be there.
 */
function builtIn<T>(group: string, kind: string, plural: string, required: readonly string[] = []): Kind<T> {
  const apiVersion = group === '' ? 'v1' : `${group}/v1`;
  const parse = (value: unknown): T => {
    if (!isJsonObject(value)) throw new ParseError(kind, [{ path: '', message: 'must be object' }]);
    const missing = required.filter((key) => value[key] === undefined || value[key] === null);
    if (missing.length > 0)
      throw new ParseError(
        kind,
        missing.map((path) => ({ path, message: 'is required' })),
      );
    return { ...value, apiVersion, kind, metadata: parseMeta(kind, value['metadata']) } as T; // all that is read of it is typed as the API documents it
  };
  return { group, version: 'v1', kind, plural, isNamespaced: true, parse };
}

/** A slice without endpoints comes with `endpoints: null`. */
function parseEndpointSlice(value: unknown): EndpointSlice {
  const slice = rawEndpointSlices.parse(value);
  return { ...slice, endpoints: slice.endpoints ?? [] };
}
