/** Who writes: server-side apply keeps the fields of each apart. */
export type FieldManager =
  | 'kappa-controller'
  | 'kappa-gateway'
  | 'kappa-lambda-api'
  | 'kappa-event-sources'
  | 'kappa-node'
  | (string & {});

/** Which objects. */
export interface ListOptions {
  /** Default: all namespaces. */
  readonly namespace?: string;
  readonly labelSelector?: string;
  readonly fieldSelector?: string;
}

/** How to delete. */
export interface DeleteOptions {
  /** Only the object with this uid; another one under the same name stays and the call fails with 409. */
  readonly preconditionUid?: string;
  /** Only this version of the object: 409 when somebody wrote since. */
  readonly preconditionResourceVersion?: string;
  /** Seconds that a pod may take to end; 0 = at once. Default: what the object says. */
  readonly graceSeconds?: number;
}

/** How a write is signed. */
export interface WriteOptions {
  /** Who owns the fields that change. Default: the client's own name, `kappa`. */
  readonly fieldManager?: FieldManager;
}

/** Which part of a collection. */
export interface PageOptions extends ListOptions {
  /** Most objects of the page, > 0. */
  readonly limit: number;
  /** `next` of the page before; absent for the first one. */
  readonly from?: string;
}

/** A part of a collection, in the order of namespace and name. */
export interface Page<T> {
  readonly items: readonly T[];
  /** null = this is the last one. */
  readonly next: string | null;
}

/** What to patch. */
export interface PatchOptions {
  /** Default: the object itself. `resize` is a pod's. */
  readonly subresource?: 'status' | 'resize';
}
