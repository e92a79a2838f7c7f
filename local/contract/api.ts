import { readFile } from 'node:fs/promises';
import type { IncomingMessage } from 'node:http';
import { Agent, request } from 'node:https';
import { dirname, resolve } from 'node:path';
import { parse as parseYaml } from 'yaml';
import { startWatch, type Watch } from './watch-stream.ts';

/** Any JSON of the API; tests say with matchers what they expect of it. */
// biome-ignore lint/suspicious/noExplicitAny: the suite looks into answers of every shape, and only with matchers
export type Json = any;

/** What a request may carry beside method and path. */
export interface RequestOptions {
  readonly query?: Readonly<Record<string, string>>;
  /** Sent as JSON, or as it is when it is text. */
  readonly body?: unknown;
  readonly contentType?: string;
  readonly accept?: string;
  /** Bearer token in place of the kubeconfig's credentials; '' sends none. */
  readonly token?: string;
}

/** An answer, read whole. */
export interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly text: string;
  /** The parsed body, or undefined when it is not JSON. */
  readonly body: Json;
}

/** Plain HTTPS to the API server, with the credentials of a kubeconfig. */
export interface Api {
  readonly server: string;
  send(method: string, path: string, options?: RequestOptions): Promise<Answer>;
  /** The body of a successful answer. @throws Error with the answer's text otherwise */
  ok(method: string, path: string, options?: RequestOptions): Promise<Json>;
  /** The Status of a refused request. @throws Error when it succeeds */
  refused(method: string, path: string, options?: RequestOptions): Promise<Json>;
  watch(path: string, query?: Readonly<Record<string, string>>): Promise<Watch>;
  close(): void;
}

/** Media types of the patches. */
export const patchTypes = {
  json: 'application/json-patch+json',
  merge: 'application/merge-patch+json',
  strategic: 'application/strategic-merge-patch+json',
  apply: 'application/apply-patch+yaml',
} as const;

interface Credentials {
  readonly server: string;
  readonly ca: Buffer | undefined;
  readonly cert: Buffer | undefined;
  readonly key: Buffer | undefined;
  readonly token: string | undefined;
}

/** Reads a kubeconfig (its current context) and gives the way to its server. */
export async function connect(kubeconfig: string): Promise<Api> {
  const credentials = await readCredentials(kubeconfig);
  const agent = agentFor(credentials, true);
  const anonymous = agentFor(credentials, false);
  const open = (method: string, path: string, options: RequestOptions = {}): Promise<IncomingMessage> =>
    openRequest({ credentials, agent: options.token === undefined ? agent : anonymous, method, path, options });
  const send = async (method: string, path: string, options?: RequestOptions): Promise<Answer> =>
    readAnswer(await open(method, path, options));
  return {
    server: credentials.server,
    send,
    ok: async (method, path, options) => {
      const answer = await send(method, path, options);
      if (answer.status >= 300) throw new Error(`${method} ${path}: ${answer.status} ${answer.text}`);
      return answer.body;
    },
    refused: async (method, path, options) => {
      const answer = await send(method, path, options);
      if (answer.status < 400) throw new Error(`${method} ${path} was not refused: ${answer.status} ${answer.text}`);
      return answer.body;
    },
    watch: async (path, query = {}) => startWatch(await open('GET', path, { query: { ...query, watch: 'true' } })),
    close: () => {
      agent.destroy();
      anonymous.destroy();
    },
  };
}

async function readCredentials(path: string): Promise<Credentials> {
  const config: Json = parseYaml(await readFile(path, 'utf8'));
  const named = (list: Json, name: string): Json => list.find((one: Json) => one.name === name);
  const { context } = named(config.contexts, config['current-context']);
  const { cluster } = named(config.clusters, context.cluster);
  const { user } = named(config.users, context.user);
  const secret = async (source: Json, key: string): Promise<Buffer | undefined> => {
    const inline = source[`${key}-data`];
    if (inline !== undefined) return Buffer.from(inline, 'base64');
    return source[key] === undefined ? undefined : readFile(resolve(dirname(path), source[key]));
  };
  return {
    server: cluster.server,
    ca: await secret(cluster, 'certificate-authority'),
    cert: await secret(user, 'client-certificate'),
    key: await secret(user, 'client-key'),
    token: user.token ?? (user.tokenFile && (await readFile(user.tokenFile, 'utf8')).trim()),
  };
}

function agentFor({ ca, cert, key }: Credentials, isKnown: boolean): Agent {
  const trusted = ca === undefined ? {} : { ca };
  const known = isKnown && cert !== undefined && key !== undefined ? { cert, key } : {};
  return new Agent({ keepAlive: true, ...trusted, ...known });
}

interface Opening {
  readonly credentials: Credentials;
  readonly agent: Agent;
  readonly method: string;
  readonly path: string;
  readonly options: RequestOptions;
}

function openRequest({ credentials, agent, method, path, options }: Opening): Promise<IncomingMessage> {
  const url = new URL(path, credentials.server);
  for (const [key, value] of Object.entries(options.query ?? {})) url.searchParams.append(key, value);
  const token = options.token ?? credentials.token ?? '';
  const body = typeof options.body === 'string' ? options.body : JSON.stringify(options.body);
  const headers = {
    Accept: options.accept ?? 'application/json',
    ...(token === '' ? {} : { Authorization: `Bearer ${token}` }),
    ...(body === undefined
      ? {}
      : {
          'Content-Type': options.contentType ?? 'application/json',
          'Content-Length': String(Buffer.byteLength(body)),
        }),
  };
  return new Promise((resolve, reject) => {
    const outgoing = request(url, { agent, method, headers }, resolve);
    outgoing.on('error', reject);
    outgoing.end(body);
  });
}

async function readAnswer(message: IncomingMessage): Promise<Answer> {
  const chunks: Buffer[] = [];
  for await (const chunk of message) chunks.push(chunk);
  const text = Buffer.concat(chunks).toString();
  return { status: message.statusCode ?? 0, headers: message.headers, text, body: parseJson(text) };
}

function parseJson(text: string): Json {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
