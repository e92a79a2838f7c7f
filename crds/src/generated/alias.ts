// Generated from crds/manifests/aliases.yaml by crds/src/generate.ts. Do not edit: run `make generate`.
import type { Condition } from '../conditions.ts';
import type { ObjectMeta } from '../object-meta.ts';

/**
 * A name for a version of a function.
 */
export interface AliasObject {
  readonly apiVersion: 'kappa.dev/v1alpha1';
  readonly kind: 'Alias';
  readonly metadata: ObjectMeta;
  readonly spec: AliasSpec;
  readonly status?: AliasStatus;
}
/**
 * What is wanted.
 */
export interface AliasSpec {
  /**
   * metadata.name of the Function. Cannot be changed.
   */
  readonly functionName: string;
  /**
   * The alias as callers write it; letters, digits, hyphens, underscores, not digits only; 1 to 128 characters. Cannot be changed.
   */
  readonly name: string;
  /**
   * Version that the alias means; $LATEST or a number.
   */
  readonly functionVersion: string;
  readonly additionalVersion?: AliasAdditionalVersion;
  /**
   * Free text for people.
   */
  readonly description: string;
}
/**
 * A second version that gets a share of the calls.
 */
export interface AliasAdditionalVersion {
  /**
   * The second version; a number.
   */
  readonly functionVersion: string;
  /**
   * Share of the calls, percent.
   */
  readonly weightPercent: number;
}
/**
 * What was found. Written by the controller only.
 */
export interface AliasStatus {
  /**
   * metadata.generation that this status is about.
   */
  readonly observedGeneration?: number;
  /**
   * Observations by type. Ready is the sum of the others.
   */
  readonly conditions?: readonly Condition[];
}
