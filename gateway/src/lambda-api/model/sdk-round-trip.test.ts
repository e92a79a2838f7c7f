import { createServer, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import * as sdk from '@aws-sdk/client-lambda';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import fc from 'fast-check';

import { renderError, toLambdaError } from '../errors.ts';
import { parseInput } from './input.ts';
import { lambdaModel, type Operation } from './model.ts';
import { renderOutput } from './output.ts';
import { matchOperation } from './router.ts';
import type { Member, StructureShape } from './shapes.ts';
import { validStructure } from './testing.ts';

/** What the server answers with, and what it understood. */
const exchange: { output: object; operation: string | null; input: object | null } = {
  output: {},
  operation: null,
  input: null,
};

let server: Server;
let client: sdk.LambdaClient;

beforeAll(async () => {
  server = createServer(async (req, res) => {
    const { status, headers, body } = await answer(req);
    res.writeHead(status, [...headers]).end(body);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  client = new sdk.LambdaClient({
    endpoint: `http://127.0.0.1:${port}`,
    region: 'us-east-1',
    credentials: { accessKeyId: 'AKIAIOSFODNN7EXAMPLE', secretAccessKey: 'secret' },
    maxAttempts: 1,
  });
});

afterAll(async () => {
  client.destroy();
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
});

/** The whole way of a request: router, input, a handler, output. */
async function answer(req: IncomingMessage) {
  try {
    const pieces: Buffer[] = [];
    for await (const piece of req) pieces.push(piece);
    const match = matchOperation(req.method ?? '', req.url ?? '');
    if (match === null) throw new Error(`no operation for ${req.method} ${req.url}`);
    exchange.operation = match.operation.name;
    exchange.input = parseInput(match, { headers: req.headers, body: Buffer.concat(pieces) });
    return renderOutput(match.operation, exchange.output, 'request-1');
  } catch (err) {
    return renderError(toLambdaError(err), 'request-1');
  }
}

type Send = new (input: object) => Parameters<sdk.LambdaClient['send']>[0];
const exported = sdk as unknown as Record<string, unknown>;
const commandOf = ({ name }: Operation): Send | undefined => exported[`${name}Command`] as Send | undefined;

/** The SDK may be older than the model: only what it knows can travel. */
function isKnown(shape: StructureShape, member: Member): boolean {
  const schema = exported[`${shape.name}$`] as readonly unknown[] | undefined;
  return schema === undefined || (schema[4] as readonly string[]).includes(member.name);
}

const operations = [...lambdaModel.operations.values()];

test('the SDK knows nearly all operations of the model', () => {
  const unknown = operations.filter((operation) => commandOf(operation) === undefined).map(({ name }) => name);
  expect(unknown).toEqual(['DeleteDurableExecution', 'PauseDurableExecution', 'ResumeDurableExecution']);
});

const known = operations.filter((operation) => commandOf(operation) !== undefined);

test.each(known.map((operation) => [operation.name, operation] as const))(
  '%s: the SDK and this side understand each other',
  async (_name, operation) => {
    const Command = commandOf(operation) as Send;
    const outputs =
      operation.output === null || isStream(operation) ? fc.constant({}) : validStructure(operation.output, isKnown);
    await fc.assert(
      fc.asyncProperty(validStructure(operation.input, isKnown), outputs, async (input, output) => {
        exchange.output = output;
        const { $metadata, ...result } = (await client.send(new Command(input))) as sdk.ServiceOutputTypes & object;
        expect(exchange.operation).toBe(operation.name);
        expect(plain(exchange.input)).toEqual(plain(input));
        if (!isStream(operation)) expect(plain(result)).toEqual(plain(output));
        expect($metadata.requestId).toBe('request-1');
      }),
      { seed: 5, numRuns: 8, endOnFailure: true },
    );
  },
);

function isStream({ output }: Operation): boolean {
  return output?.payload?.shape.kind === 'structure' && output.payload.shape.isEventStream;
}

/** Bytes compare as bytes, whatever class the SDK wraps them in; it writes absent members as undefined. */
function plain(value: unknown): unknown {
  if (value instanceof Uint8Array) return Buffer.from(value).toString('hex');
  if (Array.isArray(value)) return value.map(plain);
  if (typeof value !== 'object' || value === null || value instanceof Date) return value;
  return Object.fromEntries(Object.entries(value).map(([key, entry]) => [key, plain(entry)]));
}
