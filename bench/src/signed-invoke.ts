import { InvokeCommand, type LambdaClient } from '@aws-sdk/client-lambda';
import { eventually } from '@kappa/e2e/eventually';

/** A request of Lambda's Invoke as the AWS SDK would send it; the same one may be sent again while its date is young. */
export interface SignedInvoke {
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
}

/** What is caught of the SDK's own request type. */
interface SentRequest {
  readonly protocol: string;
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
}

/** Nothing is sent: what the SDK is about to send is caught behind its signer. */
export async function signedInvoke(client: LambdaClient, fn: string, body: string): Promise<SignedInvoke> {
  let caught: SentRequest | undefined;
  const command = new InvokeCommand({ FunctionName: fn, Payload: Buffer.from(body) });
  command.middlewareStack.add(
    () => (args) => {
      caught = args.request as SentRequest;
      return Promise.reject(new Error('caught'));
    },
    { step: 'finalizeRequest', priority: 'low', name: 'catchSigned' },
  );
  await client.send(command).catch(() => undefined);
  if (caught === undefined) throw new Error('the SDK signed nothing');
  const { protocol, path, headers } = caught;
  return { url: `${protocol}//${headers['host']}${path}`, headers };
}

/** Waits until the gateway behind the client routes to all of these functions. */
export async function knownTo(client: LambdaClient, names: readonly string[]): Promise<void> {
  for (const name of names) {
    const dryRun = new InvokeCommand({ FunctionName: name, InvocationType: 'DryRun' });
    await eventually(`a gateway knows ${name}`, async () => (await client.send(dryRun)).StatusCode === 204);
  }
}
