import { existsSync, readFileSync } from 'node:fs';
import type { RequestOptions } from 'node:https';
import { createRequire } from 'node:module';
import { homedir } from 'node:os';
import { delimiter, dirname, join, resolve } from 'node:path';
import { isJsonObject, type JsonObject } from '../parse-meta.ts';
import { KubernetesError } from './errors.ts';

/** Where the API server is, and how one is let in. */
export interface Access {
  readonly server: URL;
  /** The requests go over an agent that `authenticate` brings: a proxy. */
  readonly hasOwnAgent: boolean;
  /** Adds authorization, CA and client certificate to one request. */
  readonly authenticate: (options: RequestOptions) => Promise<void>;
}

/** What of the machine decides where a configuration comes from; tests hand in their own. */
export interface Surroundings {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly home: string;
  /** Where a pod finds its token and CA. */
  readonly accountDirectory: string;
}

const ownSurroundings = (): Surroundings => ({
  env: process.env,
  home: homedir(),
  accountDirectory: '/var/run/secrets/kubernetes.io/serviceaccount',
});

/**
 * Finds the configuration as kubectl does: the file named, KUBECONFIG, ~/.kube/config, the account of the pod. Tokens, CA and client
 * certificates that stand in files are read anew for each call, because they rotate (a pod's token lasts an hour). What needs more than
 * reading (login helpers, providers, impersonation, proxies, several files) is left to client-node, which is loaded only then: it costs
 * 90 MB and half a second.
 *
 * @throws KubernetesError NoCluster when there is none; what reading or parsing the file throws
 */
export function findAccess(file?: string, { env, home, accountDirectory }: Surroundings = ownSurroundings()): Access {
  const named = file ?? env['KUBECONFIG'] ?? '';
  if (file === undefined && named.includes(delimiter)) return throughClientNode(named.split(delimiter));
  if (named !== '') return fromFile(named);
  const usual = join(home, '.kube', 'config');
  if (existsSync(usual)) return fromFile(usual);
  const { KUBERNETES_SERVICE_HOST: host = '', KUBERNETES_SERVICE_PORT: port = '443' } = env;
  if (host !== '') return fromAccount(host, port, accountDirectory);
  throw new KubernetesError('no kubeconfig and no account of a pod', 0, 'NoCluster');
}

function fromAccount(host: string, port: string, directory: string): Access {
  const token = rotating(join(directory, 'token'));
  const ca = rotating(join(directory, 'ca.crt'));
  return {
    server: new URL(`https://${host.includes(':') ? `[${host}]` : host}:${port}`),
    hasOwnAgent: false,
    authenticate: async (options) => {
      options.ca = ca();
      options.headers = { ...options.headers, authorization: `Bearer ${token().trim()}` };
    },
  };
}

function fromFile(file: string): Access {
  const config = asObject(parseYaml(readFileSync(file, 'utf8')));
  const context = asObject(namedIn(config['contexts'], config['current-context'])['context']);
  const cluster = asObject(namedIn(config['clusters'], context['cluster'])['cluster']);
  const user = asObject(namedIn(config['users'], context['user'])['user']);
  const address = cluster['server'];
  if (typeof address !== 'string') throw new KubernetesError(`no current cluster in ${file}`, 0, 'NoCluster');
  if (['exec', 'auth-provider', 'as'].some((key) => key in user) || 'proxy-url' in cluster) {
    return throughClientNode([file], new URL(address), 'proxy-url' in cluster);
  }
  const from = (holder: JsonObject, key: string): (() => string) | null => textOf(holder, key, dirname(file));
  const [ca, cert, key] = [
    from(cluster, 'certificate-authority'),
    from(user, 'client-certificate'),
    from(user, 'client-key'),
  ];
  const authorization = authorizationOf(user, dirname(file));
  return {
    server: new URL(address),
    hasOwnAgent: false,
    authenticate: async (options) => {
      if (ca !== null) options.ca = ca();
      if (cert !== null) options.cert = cert();
      if (key !== null) options.key = key();
      if (cluster['insecure-skip-tls-verify'] === true) options.rejectUnauthorized = false;
      if (typeof cluster['tls-server-name'] === 'string') options.servername = cluster['tls-server-name'];
      if (authorization !== null) options.headers = { ...options.headers, authorization: authorization() };
    },
  };
}

/** `key-data` (base64) or the file that `key` names. */
function textOf(holder: JsonObject, key: string, directory: string): (() => string) | null {
  const inline = holder[`${key}-data`];
  if (typeof inline === 'string') {
    const text = Buffer.from(inline, 'base64').toString();
    return () => text;
  }
  const path = holder[key];
  return typeof path === 'string' ? rotating(resolve(directory, path)) : null;
}

function authorizationOf(user: JsonObject, directory: string): (() => string) | null {
  const { tokenFile, token, username, password } = user;
  if (typeof tokenFile === 'string') {
    const read = rotating(resolve(directory, tokenFile));
    return () => `Bearer ${read().trim()}`;
  }
  if (typeof token === 'string') return () => `Bearer ${token}`;
  if (typeof username !== 'string') return null;
  const basic = Buffer.from(`${username}:${String(password ?? '')}`).toString('base64');
  return () => `Basic ${basic}`;
}

/** A file that somebody replaces now and then; a moment when it cannot be read leaves the last text. Costs about 20 µs a call. */
function rotating(path: string): () => string {
  let last: string | null = null;
  return () => {
    try {
      last = readFileSync(path, 'utf8');
    } catch (error) {
      if (last === null) throw error;
    }
    return last;
  };
}

/** What client-node does better than we could; it is loaded at the first call. */
function throughClientNode(files: readonly string[], server?: URL, hasOwnAgent = true): Access {
  const loading = async () => {
    const { KubeConfig } = await import('./client-node.ts');
    const config = new KubeConfig();
    if (files.length === 1) config.loadFromFile(files[0] ?? '');
    else config.loadFromDefault();
    return config;
  };
  let loaded: ReturnType<typeof loading> | null = null;
  return {
    server: server ?? new URL(serverIn(files)),
    hasOwnAgent,
    authenticate: async (options) => {
      loaded ??= loading();
      await (await loaded).applyToHTTPSOptions(options);
    },
  };
}

/** The server of the current context when the configuration is spread over several files: the first file that says something counts. */
function serverIn(files: readonly string[]): string {
  const configs = files
    .filter((file) => existsSync(file))
    .map((file) => asObject(parseYaml(readFileSync(file, 'utf8'))));
  const all = (key: string): unknown[] => configs.flatMap((config) => (Array.isArray(config[key]) ? config[key] : []));
  const current = configs
    .map((config) => config['current-context'])
    .find((name) => typeof name === 'string' && name !== '');
  const context = asObject(namedIn(all('contexts'), current)['context']);
  const { server } = asObject(namedIn(all('clusters'), context['cluster'])['cluster']);
  if (typeof server !== 'string') throw new KubernetesError('no current cluster in KUBECONFIG', 0, 'NoCluster');
  return server;
}

function namedIn(list: unknown, name: unknown): JsonObject {
  const found: unknown = Array.isArray(list) ? list.find((item) => isJsonObject(item) && item['name'] === name) : null;
  return asObject(found);
}

function asObject(value: unknown): JsonObject {
  return isJsonObject(value) ? value : {};
}

/** A pod needs no YAML, so the parser is loaded only for files. */
function parseYaml(text: string): unknown {
  const { parse }: typeof import('yaml') = createRequire(import.meta.url)('yaml');
  return parse(text);
}
