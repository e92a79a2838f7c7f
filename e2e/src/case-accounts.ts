import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { LambdaClient, type LambdaClientConfig, ListFunctionsCommand } from '@aws-sdk/client-lambda';
import { type AwsCli, provideAwsCli } from './aws-cli.ts';
import { caseVariables } from './case-variables.ts';
import { eventually } from './eventually.ts';
import type { Key } from './http-request.ts';
import { readScenarios } from './lambda-cases.ts';
import type { TestPlatform } from './platform.ts';

/** An account with one caller and one role, so that clients that play the same cases at the same platform do not meet. */
export class CaseAccount {
  /** What the cases are filled with. */
  readonly variables: Readonly<Record<string, string | number>>;
  readonly key: Key;
  readonly #endpoint: string;
  readonly #folder: string;

  private constructor(endpoint: string, key: Key, variables: CaseAccount['variables']) {
    this.#endpoint = endpoint;
    this.key = key;
    this.variables = variables;
    this.#folder = mkdtempSync(join(tmpdir(), 'kappa-cases-'));
    writeFileSync(this.#file, JSON.stringify({ variables, scenarios: readScenarios() }));
  }

  /** Makes namespace, key and role, and waits until the platform knows them. @param id 12 digits. */
  static async make(kappa: TestPlatform, name: string, id: string): Promise<CaseAccount> {
    const key = { accessKeyId: `AK${name.toUpperCase()}`, secretAccessKey: `${name}-0123456789/abcdef+` };
    const accountLabel = { 'kappa.dev/account-id': id };
    await kappa.kubectl.apply({ apiVersion: 'v1', kind: 'Namespace', metadata: { name, labels: accountLabel } });
    await kappa.kubectl.apply({ apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name: 'any', namespace: name } });
    await kappa.kubectl.apply({
      apiVersion: 'v1',
      kind: 'Secret',
      metadata: { name, namespace: 'kappa-system', labels: { 'kappa.dev/access-key': 'true' } },
      stringData: { ...key, accounts: id },
    });
    const variables = { ...(await caseVariables(id)), accessKeyId: key.accessKeyId };
    const account = new CaseAccount(kappa.endpoint, key, variables);
    const client = account.sdk({ maxAttempts: 3 });
    await eventually(`${name} is known`, async () => (await client.send(new ListFunctionsCommand({}))).Functions);
    client.destroy();
    return account;
  }

  /** What an SDK in another process finds in its environment, and where the cases are. */
  get environment(): NodeJS.ProcessEnv {
    return {
      ...Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith('AWS_'))),
      no_proxy: '127.0.0.1',
      AWS_ENDPOINT_URL: this.#endpoint,
      AWS_REGION: 'us-east-1',
      AWS_DEFAULT_REGION: 'us-east-1',
      AWS_ACCESS_KEY_ID: this.key.accessKeyId,
      AWS_SECRET_ACCESS_KEY: this.key.secretAccessKey,
      AWS_CONFIG_FILE: '/nonexistent',
      AWS_SHARED_CREDENTIALS_FILE: '/nonexistent',
      KAPPA_CASES: this.#file,
    };
  }

  /** The SDK for JavaScript; it sends once unless told otherwise. */
  sdk(more: Partial<LambdaClientConfig> = {}): LambdaClient {
    const usual = { endpoint: this.#endpoint, region: 'us-east-1', credentials: this.key, maxAttempts: 1 };
    return new LambdaClient({ ...usual, ...more });
  }

  /** The `aws` command. */
  async aws(): Promise<AwsCli> {
    const { accessKeyId, secretAccessKey } = this.key;
    const variables = { AWS_ACCESS_KEY_ID: accessKeyId, AWS_SECRET_ACCESS_KEY: secretAccessKey };
    return (await provideAwsCli(this.#endpoint)).with(variables);
  }

  /** Removes the files that it has made. */
  end(): void {
    rmSync(this.#folder, { recursive: true, force: true });
  }

  get #file(): string {
    return join(this.#folder, 'cases.json');
  }
}
