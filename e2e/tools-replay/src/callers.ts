import * as sdk from '@aws-sdk/client-lambda';
import { type Key, sendSigned } from '../../src/http-request.ts';
import { isObject } from './expressions.ts';
import type { Value, Values } from './steps.ts';

/** Makes one call; answers its output. @throws ToolError */
export type Caller = (call: string, input: Values) => Promise<Value>;

/** A refusal as a tool sees it. */
export class ToolError extends Error {
  readonly code: string;

  constructor(code: string, message: string) {
    super(message);
    this.code = code;
  }

  /** Whether it is one of a list of `Code` and `Code: part of the text`. */
  isOneOf(list: readonly string[] = []): boolean {
    return list.some((entry) => {
      const [code = '', ...text] = entry.split(': ');
      return code === this.code && this.message.includes(text.join(': '));
    });
  }
}

/** Calls Lambda by the SDK, IAM and STS by their own protocol, all at one address and signed by one key. */
export function callerOf(endpoint: string, key: Key): Caller & { destroy(): void } {
  const client = new sdk.LambdaClient({ endpoint, region: 'us-east-1', credentials: key, maxAttempts: 1 });
  const call: Caller = async (name, input) => {
    const [service = '', operation = ''] = name.split('.');
    return service === 'lambda'
      ? callLambda(client, operation, input)
      : callQuery(endpoint, key, service, operation, input);
  };
  return Object.assign(call, { destroy: () => client.destroy() });
}

type Command = new (input: Values) => Parameters<sdk.LambdaClient['send']>[0];

async function callLambda(client: sdk.LambdaClient, operation: string, input: Values): Promise<Value> {
  const Command = (sdk as unknown as Readonly<Record<string, Command | undefined>>)[`${operation}Command`];
  if (Command === undefined) throw new Error(`the SDK has no ${operation}`);
  try {
    const { $metadata: _metadata, ...output } = await client.send(new Command(input));
    const { Payload } = output as { Payload?: Uint8Array };
    return Payload === undefined ? output : { ...output, Payload: Buffer.from(Payload).toString() };
  } catch (err) {
    if (err instanceof sdk.LambdaServiceException) throw new ToolError(err.name, err.message);
    throw err;
  }
}

const versions: Readonly<Record<string, string>> = { iam: '2010-05-08', sts: '2011-06-15' };

async function callQuery(endpoint: string, key: Key, service: string, Action: string, input: Values): Promise<Value> {
  const body = new URLSearchParams({
    Action,
    Version: versions[service] ?? '',
    ...Object.fromEntries(flat(input, '')),
  });
  const headers = { 'content-type': 'application/x-www-form-urlencoded; charset=utf-8' };
  const request = { method: 'POST', path: '/', headers, body: body.toString() };
  const { status, text } = await sendSigned(endpoint, key, request, service);
  const answer = valuesOf(text);
  if (status >= 400) throw new ToolError(valueIn(text, 'Code'), valueIn(text, 'Message'));
  return answer[`${Action}Result`] ?? {};
}

/** `A.member.1.Key=…`, as the query protocol has it. */
function flat(value: Value, name: string): [string, string][] {
  if (Array.isArray(value)) return value.flatMap((entry, at) => flat(entry, `${name}.member.${at + 1}`));
  if (typeof value !== 'object' || value === null) return [[name, String(value)]];
  return Object.entries(value).flatMap(([key, entry]) => flat(entry, name === '' ? key : `${name}.${key}`));
}

function valueIn(xml: string, name: string): string {
  return unescaped(new RegExp(`<${name}>([^<]*)<`).exec(xml)?.[1] ?? '');
}

/** What stands between the tags of an element that is not closed yet. */
interface Open {
  readonly values: Record<string, Value>;
  readonly list: Value[];
  readonly text: string;
}

/** The content of the document's one element: texts, objects, and lists where elements are called `member`. */
function valuesOf(xml: string): Values {
  const document: Open = { values: {}, list: [], text: '' };
  const open: Open[] = [document];
  for (const [, close, name = '', isEmpty, text = ''] of xml.matchAll(/<(\/?)([\w:]+)[^>]*?(\/?)>([^<]*)/g)) {
    if (close === '') open.push({ values: {}, list: [], text });
    if (close === '' && isEmpty === '') continue;
    const value = contentOf(open.pop() ?? document);
    const parent = open.at(-1) ?? document;
    if (name === 'member') parent.list.push(value);
    else parent.values[name] = value;
  }
  const [content] = Object.values(document.values);
  return isObject(content) ? content : {};
}

function contentOf({ values, list, text }: Open): Value {
  if (list.length > 0) return list;
  return Object.keys(values).length > 0 ? values : unescaped(text);
}

function unescaped(text: string): string {
  const named: Readonly<Record<string, string>> = { lt: '<', gt: '>', quot: '"', amp: '&', '#13': '\r' };
  return text.replaceAll(/&([^;]+);/g, (whole, name: string) => named[name] ?? whole);
}
