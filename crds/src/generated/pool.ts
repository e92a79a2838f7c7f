// Generated from crds/manifests/pools.yaml by crds/src/generate.ts. Do not edit: run `make generate`.
import type { Condition } from '../conditions.ts';
import type { ObjectMeta } from '../object-meta.ts';

/**
 * Warm pods of one runtime, or of one image of a namespace, that belong to nobody yet.
 */
export interface PoolObject {
  readonly apiVersion: 'kappa.dev/v1alpha1';
  readonly kind: 'Pool';
  readonly metadata: ObjectMeta;
  readonly spec: PoolSpec;
  readonly status?: PoolStatus;
}
/**
 * What is wanted.
 */
export interface PoolSpec {
  /**
   * Runtime identifier. Exactly one of runtime and image. Cannot be changed.
   */
  readonly runtime?:
    | 'nodejs20.x'
    | 'nodejs22.x'
    | 'nodejs24.x'
    | 'nodejs26.x'
    | 'python3.9'
    | 'python3.10'
    | 'python3.11'
    | 'python3.12'
    | 'python3.13'
    | 'python3.14'
    | 'provided'
    | 'provided.al2'
    | 'provided.al2023'
    | 'ruby3.2'
    | 'ruby3.3'
    | 'ruby3.4'
    | 'java17'
    | 'java21'
    | 'java25'
    | 'dotnet8'
    | 'dotnet10';
  readonly image?: PoolImage;
  /**
   * Generic pods wanted now, 0 to 1,000. kubectl scale and the gateway set it.
   */
  readonly replicas: number;
  /**
   * Floor of replicas while nobody claims, 0 to 1,000.
   */
  readonly minReplicas: number;
  /**
   * Most pods of the pool, generic and claimed together.
   */
  readonly maxPods: number;
  /**
   * Without a claim for so long, replicas goes back to the floor, seconds.
   */
  readonly idleSeconds: number;
}
/**
 * What its pods run instead, and whose. Cannot be changed.
 */
export interface PoolImage {
  /**
   * Namespace of the functions.
   */
  readonly namespace: string;
  /**
   * Repository with digest.
   */
  readonly reference: string;
  /**
   * Memory of its pods, MiB.
   */
  readonly memoryMiB: number;
}
/**
 * What was found. Written by the controller only.
 */
export interface PoolStatus {
  /**
   * metadata.generation that this status is about.
   */
  readonly observedGeneration?: number;
  /**
   * Generic pods that exist.
   */
  readonly replicas?: number;
  /**
   * Generic pods that can be claimed.
   */
  readonly readyReplicas?: number;
  /**
   * Pods that run functions.
   */
  readonly claimed?: number;
  /**
   * Label selector of the generic pods.
   */
  readonly selector?: string;
  /**
   * When a pod was claimed last.
   */
  readonly lastClaimTime?: string;
  /**
   * Observations by type. Ready is the sum of the others.
   */
  readonly conditions?: readonly Condition[];
}
