import { type BuildOptions, buildImages } from '../images/src/build-images.ts';
import { bundleImages } from '../images/src/bundle-images.ts';
import { eventually } from './eventually.ts';
import { type InstalledKappa, type InstalledPod, isReady, release } from './installed.ts';

/** Builds the runtime images with a suffix to their tags (the chart's functions.imageSuffix) and puts them onto the nodes. */
export async function loadRuntimes(
  kappa: InstalledKappa,
  options: Pick<BuildOptions, 'standIns'> & { suffix: string },
) {
  const images = await buildImages({ ...options, names: ['runtime-nodejs', 'runtime-python'] });
  await kappa.cluster('load', await bundleImages(images));
}

/** Pods of all pools that have not ended and are not being deleted. */
export function poolPods(kappa: InstalledKappa): Promise<readonly InstalledPod[]> {
  return kappa.pods(release.poolNamespace, 'kappa.dev/pool');
}

/** Waits until every pod of the pools runs an image of that suffix, and each pool is full. */
export async function poolsRolled(kappa: InstalledKappa, suffix: string): Promise<void> {
  const tag = suffix === '' ? /:[^-]+$/ : new RegExp(`${suffix}$`);
  await eventually(
    'all pods are of the new image',
    async () => {
      const pods = await poolPods(kappa);
      return pods.length > 0 && pods.every((pod) => isReady(pod) && tag.test(pod.spec.containers[0]?.image ?? ''));
    },
    240_000,
  );
  await kappa.poolReady();
}

/** The newest version of the link that the agent of a pod speaks. Asked from a gateway: nobody else reaches agents. */
export async function linkProtocolOf(kappa: InstalledKappa, pod: InstalledPod): Promise<number> {
  const [gateway] = await kappa.gateways();
  // The agent speaks first: a frame header of 12 bytes and HELLO.
  const code = `
    const socket = require('node:net').connect(9100, '${pod.status.podIP}');
    socket.setTimeout(5000, () => process.exit(1));
    socket.once('data', (frame) => { process.stdout.write(frame.subarray(12)); socket.destroy(); });`;
  const args = ['exec', '-n', release.namespace, gateway?.metadata.name ?? '', '--', 'node', '-e', code];
  return (JSON.parse(await kappa.kubectl.ok(args)) as { protocol: number }).protocol;
}
