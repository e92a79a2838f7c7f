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
  readonly http?: AliasHttp;
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
 * Function URL of the alias. Without it the alias has none.
 */
export interface AliasHttp {
  /**
   * Who may call. None is open to everybody who reaches the gateway, so it has to be said; AwsIam wants an AWS signature (version 4); Policy asks nobody who he is and lets in whom spec.permissions of the Function lets in (AuthType NONE of Lambda's API).
   */
  readonly auth: 'None' | 'AwsIam' | 'Policy';
  /**
   * Whether the answer is sent when it is complete, or while the function writes it.
   */
  readonly invokeMode: 'Buffered' | 'ResponseStream';
  /**
   * When Lambda's API made the URL.
   */
  readonly created?: string;
  /**
   * When Lambda's API changed the URL last.
   */
  readonly lastModified?: string;
  readonly cors?: AliasHttpCors;
}
/**
 * Cross-origin rules of the function URL. Without it the function answers such requests itself.
 */
export interface AliasHttpCors {
  /**
   * Origins that may call, for example https://example.com, or '*'. At most 100.
   *
   * Items: An origin.
   */
  readonly allowOrigins: readonly string[];
  /**
   * Methods that may be used. At most 6.
   *
   * Items: A method.
   */
  readonly allowMethods: readonly ('GET' | 'PUT' | 'HEAD' | 'POST' | 'PATCH' | 'DELETE' | '*')[];
  /**
   * Request headers that may be sent, or '*'. At most 100.
   *
   * Items: A header name, or '*'.
   */
  readonly allowHeaders: readonly string[];
  /**
   * Answer headers that scripts may read, or '*'. At most 100.
   *
   * Items: A header name, or '*'.
   */
  readonly exposeHeaders: readonly string[];
  /**
   * Whether cookies and authorization may be sent along.
   */
  readonly allowCredentials: boolean;
  /**
   * How long a browser may keep the answer to a preflight request, seconds, 0 to 86,400.
   */
  readonly maxAgeSeconds: number;
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
   * Function URL of the alias, when spec.http is set.
   */
  readonly url?: string;
  /**
   * Observations by type. Ready is the sum of the others.
   */
  readonly conditions?: readonly Condition[];
}
