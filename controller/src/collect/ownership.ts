/** The things this needs of a blob store (door `@kappa/gateway/blobs`). */
export interface OwnedBlobs {
  installs(): Promise<readonly string[]>;
  addInstall(install: string): Promise<void>;
}

/** Whose code lies in a store. */
export type Ownership =
  | { readonly kind: 'own' }
  /** Nobody has said so before; from now on it is known that ours is. Others may say so in the same moment: the next look tells. */
  | { readonly kind: 'claimed' }
  /** Also that of other installs, whose references nobody here knows. */
  | { readonly kind: 'shared'; readonly others: readonly string[] };

/**
 * Looks whose code is in the store, and says that ours is. Each install has a mark of its own, so none can take away another's, whatever the store
 * can do on condition, and of two that share a store none removes anything.
 *
 * @param installId unlike that of every other install
 * @throws BlobError
 */
export async function seeOwnership(blobs: OwnedBlobs, installId: string): Promise<Ownership> {
  const installs = await blobs.installs();
  const isKnown = installs.includes(installId);
  if (!isKnown) await blobs.addInstall(installId);
  const others = installs.filter((install) => install !== installId);
  if (others.length > 0) return { kind: 'shared', others };
  return { kind: isKnown ? 'own' : 'claimed' };
}
