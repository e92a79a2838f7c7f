import type { FunctionObject } from '@kappa/crds/function';
import type { SnapshotImage } from '@kappa/crds/version-snapshot';
import type { ResolvedCode } from '../function/resolve-code.ts';
import { type ImageReference, parseImageReference, pinnedReference } from './reference.ts';
import { type ImageFacts, RegistryRefusal } from './registry.ts';

/** What {@link resolveImage} works with. */
export interface ImageSources {
  /** Pods can run images here; false where they are processes. */
  readonly isSupported: boolean;
  /** Asks the registry, with the pull secret for it. @throws RegistryRefusal */
  readonly describe: (image: ImageReference, architecture: string) => Promise<ImageFacts>;
}

/**
 * Pins the image of a function to a digest, and learns what it starts. A tag is looked up once: what is known of the same `code.image`
 * stays, whatever the tag has become since. An expected failure is a value, not a throw.
 *
 * @param known images of the snapshots that the function has
 */
export async function resolveImage(
  { code, imageConfig, architectures }: FunctionObject['spec'],
  known: readonly SnapshotImage[],
  { isSupported, describe }: ImageSources,
): Promise<ResolvedCode> {
  const { image } = code;
  if (image === undefined) throw new Error('resolveImage is for functions from images');
  const { uri, deployedAt } = image;
  const same = known.find((old) => old.uri === uri && old.deployedAt === deployedAt);
  if (same !== undefined) return startable(same, imageConfig);
  if (!isSupported) return failed('ImagesUnsupported', unsupported);
  const reference = parseImageReference(uri);
  if (reference === null)
    return failed('InvalidImage', `${uri} is not the name of an image: write REGISTRY/REPOSITORY:TAG`);
  if (`${reference.registry}/${reference.repository}`.length > maxNameChars)
    return failed(
      'InvalidImage',
      `${uri} is too long: registry and repository together may have at most ${maxNameChars} characters`,
    );
  try {
    const facts = await describe(reference, architectures?.[0] === 'arm64' ? 'arm64' : 'amd64');
    const { entryPoint, command, sha256 } = facts;
    const pinned = pinnedReference(reference, sha256);
    const own = { uri, ...(deployedAt !== undefined && { deployedAt }), reference: pinned, entryPoint, command };
    return startable(own, imageConfig);
  } catch (error) {
    if (!(error instanceof RegistryRefusal)) throw error;
    return failed(error.reason, `Image ${uri} ${error.message}`);
  }
}

/** A FunctionVersion has room for 512 characters, 72 of which are `@sha256:` and the digits. */
const maxNameChars = 440;

const unsupported =
  'this install takes no functions from images: they are switched off (functions.images.enabled of the chart), or it runs functions without a container engine, as local mode does';

/** An image without ENTRYPOINT and CMD starts nothing. */
function startable(image: SnapshotImage, config: FunctionObject['spec']['imageConfig']): ResolvedCode {
  const words = [...(config?.entryPoint ?? image.entryPoint), ...(config?.command ?? image.command)];
  if (words.length === 0)
    return failed('InvalidImage', `Image ${image.uri} has neither ENTRYPOINT nor CMD: set imageConfig.entryPoint`);
  const sha256 = image.reference.slice(image.reference.lastIndexOf(':') + 1);
  return { kind: 'resolved', sha256, sizeBytes: 0, image };
}

function failed(reason: Extract<ResolvedCode, { kind: 'failed' }>['reason'], message: string): ResolvedCode {
  return { kind: 'failed', reason, message };
}
