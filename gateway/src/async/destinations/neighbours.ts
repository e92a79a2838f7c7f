import { LRUCache } from 'lru-cache';

import type { EndpointVariables } from '../../registry/endpoints.ts';

/** Which servers are called, and how. */
export interface NeighbourOptions {
  readonly region: string;
  /** The install's own servers. */
  readonly ownEndpoints: EndpointVariables;
  /** Where a namespace's functions find AWS's services: there they are told, too. */
  readonly endpointsOf: (namespace: string) => EndpointVariables;
  /** For the install's own servers, and no others. null = what the AWS SDK finds. */
  readonly credentials: AccessKey | null;
}

interface AccessKey {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
}

/** How a client of the AWS SDK is made. */
export interface ClientConfig {
  readonly endpoint: string;
  readonly region: string;
  readonly credentials?: AccessKey;
  readonly maxAttempts: number;
  readonly requestHandler: object;
}

/** Signs for servers that the install does not know: nobody's key, but a signature, by which such servers tell services apart. */
const nobody: AccessKey = { accessKeyId: 'anonymous', secretAccessKey: 'anonymous' };
/** Servers that connections are kept to, of one service. */
const MAX_CLIENTS = 100;

/**
 * Clients of one of AWS's services, one for each server and region; made, and the SDK loaded, at the first use.
 *
 * @param variable the service's, e.g. `AWS_ENDPOINT_URL_SQS`
 */
export class Neighbours<Client> {
  readonly #options: NeighbourOptions;
  readonly #variable: string;
  readonly #connect: (config: ClientConfig) => Promise<Client>;
  readonly #clients = new LRUCache<string, Promise<Client> & object>({ max: MAX_CLIENTS });

  constructor(options: NeighbourOptions, variable: string, connect: (config: ClientConfig) => Promise<Client>) {
    this.#options = options;
    this.#variable = variable;
    this.#connect = connect;
  }

  /**
   * The client for a namespace.
   *
   * @param arn of the resource; it may name a region
   * @throws Error when nobody has said where the service is. Fails closed: AWS itself is called only where that is said, too
   */
  async of(namespace: string, arn: string): Promise<Client> {
    const config = neighbourConfig(this.#options, this.#variable, { namespace, arn });
    if (config === null)
      throw new Error(`nobody has said where ${arn} is: neither ${this.#variable} of the install nor the namespace`);
    const key = `${config.region} ${config.endpoint}`;
    const known = this.#clients.get(key);
    if (known !== undefined) return known;
    const made = this.#connect(config);
    this.#clients.set(key, made);
    try {
      return await made;
    } catch (err) {
      if (this.#clients.get(key) === made) this.#clients.delete(key); // the next one tries again
      throw err;
    }
  }
}

/**
 * How one of AWS's services is called for a namespace.
 *
 * @param variable the service's, e.g. `AWS_ENDPOINT_URL_SQS`
 * @param arn of the resource; it may name a region
 * @returns null when nobody has said where the service is. Fails closed: AWS itself is called only where that is said, too
 */
export function neighbourConfig(
  { region, ownEndpoints, endpointsOf, credentials: own }: NeighbourOptions,
  variable: string,
  { namespace, arn }: { readonly namespace: string; readonly arn: string },
): ClientConfig | null {
  const endpoint = endpointIn(endpointsOf(namespace), variable);
  if (endpoint === undefined) return null;
  const credentials = endpoint === endpointIn(ownEndpoints, variable) ? own : nobody;
  return {
    endpoint,
    region: arn.split(':')[3] || region,
    ...(credentials !== null && { credentials }),
    maxAttempts: 1, // who calls tries again
    requestHandler: {
      connectionTimeout: 2_000,
      socketTimeout: 10_000,
      requestTimeout: 10_000,
      throwOnRequestTimeout: true,
    },
  };
}

/** A service's own variable goes before the common one. */
function endpointIn(variables: EndpointVariables, variable: string): string | undefined {
  return variables[variable] ?? variables['AWS_ENDPOINT_URL'];
}
