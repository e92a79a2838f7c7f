import { createHash } from 'node:crypto';

/**
 * Stores a zip in the gateway's blob store and answers its sha256 (hex). Storing the same bytes again is cheap and harmless.
 *
 * @throws Error with the gateway's own words when it refuses, or saying where nothing listens
 */
export async function uploadBlob(endpoint: string, zip: Buffer): Promise<string> {
  const sha256 = createHash('sha256').update(zip).digest('hex');
  const url = `${endpoint.replace(/\/$/, '')}/blobs/sha256/${sha256}`;
  const answer = await fetch(url, {
    method: 'PUT',
    body: new Uint8Array(zip),
    headers: { 'content-type': 'application/zip' },
  }).catch((cause: unknown) => {
    throw new Error(
      `no gateway answers at ${endpoint} (is \`make dev\` running? --endpoint or KAPPA_ENDPOINT names another)`,
      { cause },
    );
  });
  if (!answer.ok) throw new Error(`the gateway refused the package: ${answer.status} ${await answer.text()}`);
  return sha256;
}
