import { randomUUID } from 'node:crypto';
import { LambdaClient, ListFunctionsCommand } from '@aws-sdk/client-lambda';
import { type BenchPlatform, until } from './bench-platform.ts';

/**
 * Gives `use` the AWS SDK as a caller of a platform with `KAPPA_AUTH=sigv4`: makes an access key, and waits until the gateway knows it. Nothing is tried
 * twice. The client ends with `use`.
 */
export async function asSigner<T>(kappa: BenchPlatform, use: (client: LambdaClient) => Promise<T>): Promise<T> {
  const credentials = { accessKeyId: 'AKBENCH', secretAccessKey: randomUUID() };
  const secret = {
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: { name: 'bench-key', namespace: 'kappa-system', labels: { 'kappa.dev/access-key': 'true' } },
    stringData: credentials,
  };
  await kappa.kubectl(['apply', '-f', '-'], JSON.stringify(secret));
  const client = new LambdaClient({ endpoint: kappa.url, region: 'us-east-1', credentials, maxAttempts: 1 });
  const isKnown = (): Promise<boolean> =>
    client.send(new ListFunctionsCommand({ MaxItems: 1 })).then(
      () => true,
      () => false,
    );
  try {
    await until('the gateway knows the access key', isKnown);
    return await use(client);
  } finally {
    client.destroy();
  }
}
