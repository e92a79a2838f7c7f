/** One entry of `metadata.ownerReferences`: who this object belongs to; it is collected when the owner goes. */
export interface OwnerReference {
  readonly apiVersion: string;
  readonly kind: string;
  readonly name: string;
  readonly uid: string;
  readonly controller?: boolean;
  readonly blockOwnerDeletion?: boolean;
}

/**
 * Metadata of an object that was read, one shape whether it came from a list, a watch or a file. Nothing is optional: what
 * an object that was never stored cannot have is empty (`''`, 0, null).
 */
export interface ObjectMeta {
  readonly name: string;
  /** Empty for objects without a namespace. */
  readonly namespace: string;
  /** Empty before the API server has stored the object. */
  readonly uid: string;
  /** Opaque: send it back, never compare two. Empty before the object is stored. */
  readonly resourceVersion: string;
  /** Counts changes of spec; 0 before the object is stored, and for kinds that do not count. */
  readonly generation: number;
  /** Instant of creation, epoch milliseconds, whole seconds; null before the object is stored. */
  readonly creationTimestampMs: number | null;
  /** Set once deletion was asked for, epoch milliseconds; the object goes when its grace and finalizers are over. */
  readonly deletionTimestampMs: number | null;
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
  readonly ownerReferences: readonly OwnerReference[];
  readonly finalizers: readonly string[];
}

/** Metadata of an object that is to be written. */
export interface ManifestMeta {
  readonly name?: string;
  /** Makes the API server append five random characters; only with `create`, only without `name`. */
  readonly generateName?: string;
  readonly namespace?: string;
  readonly labels?: Readonly<Record<string, string>>;
  readonly annotations?: Readonly<Record<string, string>>;
  readonly ownerReferences?: readonly OwnerReference[];
  readonly finalizers?: readonly string[];
  /** Makes a write fail with 409 unless it is still the stored one. */
  readonly resourceVersion?: string;
  /** Makes a server-side apply fail with 409 instead of creating the object anew under another uid. */
  readonly uid?: string;
}

/** What may be written for an object that reads as T: the same with metadata that is chosen, not observed. */
export type Manifest<T> = Omit<T, 'metadata' | 'status' | 'apiVersion' | 'kind'> & {
  readonly apiVersion?: string;
  readonly kind?: string;
  readonly metadata: ManifestMeta;
};
