import type { JsonObject } from './json.ts';
import type { KubeObject } from './object.ts';
import type { FieldError } from './schema/field-error.ts';
import type { CompiledSchema } from './schema/structural.ts';

/** What a strategy may know of the world. */
export interface StrategyContext {
  readonly nowMs: number;
  /** '' for the main resource, else `status`, `resize` … */
  readonly subresource: string;
}

/** What is special about one kind. All parts are optional; they change `object` in place or say what is wrong. */
export interface Strategy {
  prepareForCreate?(object: KubeObject, context: StrategyContext): void;
  prepareForUpdate?(object: KubeObject, live: KubeObject, context: StrategyContext): void;
  /** Runs for creates (`live` null) and updates. */
  validate?(object: KubeObject, live: KubeObject | null, context: StrategyContext): readonly FieldError[];
  /** Seconds that the object lives on after a delete request; 0 = it goes at once. */
  gracePeriodSeconds?(object: KubeObject, asked: number | undefined): number;
}

/** Where a custom resource's scale subresource keeps its numbers: JSON paths such as `.spec.replicas`. */
export interface ScalePaths {
  readonly specReplicasPath: string;
  readonly statusReplicasPath: string;
  readonly labelSelectorPath?: string;
}

/** How one version of one resource is served. */
export interface ResourceType {
  readonly group: string;
  readonly version: string;
  readonly plural: string;
  readonly singular: string;
  readonly kind: string;
  readonly listKind: string;
  readonly shortNames: readonly string[];
  readonly categories: readonly string[];
  readonly isNamespaced: boolean;
  readonly verbs: readonly string[];
  /** Parts with their own path, besides log, token and the like: `status`, `scale`, `resize`. */
  readonly subresources: ReadonlySet<string>;
  /** Key in the store; two resources with one key show the same objects (events). */
  readonly storage: string;
  /** apiVersion of what the store holds. */
  readonly storageApiVersion: string;
  readonly schema: CompiledSchema;
  readonly strategy: Strategy;
  /** True when metadata.generation counts changes outside of metadata and status. */
  readonly countsGeneration: boolean;
  /** True when a PUT must name the resource version it replaces. */
  readonly needsVersionOnUpdate: boolean;
  /** True when a create keeps what the client says about status. */
  readonly keepsStatusOnCreate: boolean;
  /** Answers a finished delete with the object in place of a Status. */
  readonly returnsDeleted: boolean;
  /** Field selectors beyond metadata.name and metadata.namespace. */
  readonly selectableFields: Readonly<Record<string, (object: KubeObject) => string>>;
  readonly scale: ScalePaths | null;
  /** Null for built-in kinds: strategic merge patch is theirs only, status rules differ. */
  readonly custom: CustomResource | null;
  /** Rewrites a stored object to this version, and back. The argument is not changed. */
  readonly fromStorage: (object: KubeObject) => KubeObject;
  readonly toStorage: (object: KubeObject) => KubeObject;
}

/** The part of a ResourceType that only a custom resource has. */
export interface CustomResource {
  readonly crdName: string;
  /** The served version's entry of `spec.versions`. */
  readonly version: JsonObject;
}

/** `v1` or `group/version`. */
export function apiVersionOf(type: Pick<ResourceType, 'group' | 'version'>): string {
  return type.group === '' ? type.version : `${type.group}/${type.version}`;
}
