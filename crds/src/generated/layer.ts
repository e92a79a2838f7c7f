// Generated from crds/manifests/layers.yaml by crds/src/generate.ts. Do not edit: run `make generate`.
import type { Condition } from '../conditions.ts';
import type { ObjectMeta } from '../object-meta.ts';

/**
 * One version of a layer in the sense of AWS Lambda. It cannot be changed but for its permissions; functions that have it keep it when it is deleted.
 */
export interface LayerObject {
  readonly apiVersion: 'kappa.dev/v1alpha1';
  readonly kind: 'Layer';
  readonly metadata: ObjectMeta;
  readonly spec: LayerSpec;
  readonly status?: LayerStatus;
}
/**
 * What it is.
 */
export interface LayerSpec {
  /**
   * Name of the layer. Letters, digits, hyphens, underscores; 1 to 140 characters.
   */
  readonly layerName: string;
  /**
   * Number of the version, from 1. Lambda's API counts; kubectl users choose.
   */
  readonly version: number;
  /**
   * Free text for people, at most 256 characters.
   */
  readonly description: string;
  readonly code: LayerCode;
  /**
   * Runtimes that it is made for, as Lambda names them; lists can be narrowed by it. At most 15.
   *
   * Items: A runtime identifier.
   */
  readonly compatibleRuntimes: readonly string[];
  /**
   * Instruction sets that it is made for; lists can be narrowed by it.
   *
   * Items: An instruction set.
   */
  readonly compatibleArchitectures: readonly ('x86_64' | 'arm64')[];
  /**
   * The licence, its SPDX identifier or its address. At most 512 characters.
   */
  readonly licenseInfo?: string;
  /**
   * Who may use it besides the own account. At most 50.
   */
  readonly permissions: readonly LayerPermission[];
}
/**
 * Where the contents are. Exactly one of inline, zip and url.
 */
export interface LayerCode {
  readonly inline?: LayerCodeInline;
  readonly zip?: LayerCodeZip;
  readonly url?: LayerCodeUrl;
}
/**
 * Source files in the manifest itself, at most 524,288 characters (512 KiB of ASCII text) together. Above about 250,000 use kubectl apply --server-side: the annotation of a plain apply has no room for them.
 */
export interface LayerCodeInline {
  /**
   * Files of the layer, for example python/shared.py or nodejs/node_modules/shared/index.js, 1 to 100.
   */
  readonly files: readonly LayerCodeInlineFile[];
}
/**
 * One source file.
 */
export interface LayerCodeInlineFile {
  /**
   * Relative path, for example python/shared.py. At most 256 characters; no part may be '.' or begin with '..'.
   */
  readonly path: string;
  /**
   * Text of the file.
   */
  readonly content: string;
}
/**
 * A zip that is in the blob store already (the kappa command puts it there).
 */
export interface LayerCodeZip {
  /**
   * SHA-256 of the zip, 64 lower-case hexadecimal digits.
   */
  readonly sha256: string;
}
/**
 * A zip behind a URL. The controller fetches it once and checks its digest.
 */
export interface LayerCodeUrl {
  /**
   * Address of the zip, https (http where the install allows it), at most 2,048 characters.
   */
  readonly url: string;
  /**
   * SHA-256 of the zip, 64 lower-case hexadecimal digits.
   */
  readonly sha256: string;
}
/**
 * One permission.
 */
export interface LayerPermission {
  /**
   * Name of the permission.
   */
  readonly sid: string;
  /**
   * An account (12 digits), or '*' for every account.
   */
  readonly principal: string;
  /**
   * Only accounts of this organization, as Lambda's API was given it. An install has no organizations: with it the permission holds for nobody.
   */
  readonly organizationId?: string;
}
/**
 * What was found. Written by the controller only.
 */
export interface LayerStatus {
  /**
   * metadata.generation that this status is about.
   */
  readonly observedGeneration?: number;
  /**
   * SHA-256 of the zip in base64, as in Lambda.
   */
  readonly codeSha256?: string;
  /**
   * Size of the zip, bytes.
   */
  readonly codeSizeBytes?: number;
  /**
   * Observations by type.
   */
  readonly conditions?: readonly Condition[];
}
