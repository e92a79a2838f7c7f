import * as sdk from '@aws-sdk/client-lambda';
import type { Members } from './lambda-cases.ts';
import { type CaseClient, Refusal } from './play-cases.ts';

type Command = new (input: Members) => Parameters<sdk.LambdaClient['send']>[0];
const exported = sdk as unknown as Readonly<Record<string, Command | undefined>>;

/** The SDK for JavaScript as the cases use it. @param client that tries once */
export function sdkCaseClient(client: sdk.LambdaClient): CaseClient {
  return {
    knows: (operation) => exported[`${operation}Command`] !== undefined,
    send: async (operation, input) => {
      const Send = exported[`${operation}Command`];
      if (Send === undefined) throw new Error(`the SDK has no ${operation}`);
      try {
        const { $metadata, ...output } = (await client.send(new Send(withBytes(input)))) as sdk.ServiceOutputTypes;
        return { output: await asText(output), status: $metadata.httpStatusCode ?? null };
      } catch (error) {
        if (!(error instanceof sdk.LambdaServiceException)) throw error;
        throw new Refusal(error.name, error.message, error.$metadata.httpStatusCode ?? null);
      }
    },
  };
}

/** Zips as bytes; a text is one to the SDK, too. */
function withBytes(input: Members): Members {
  return Object.fromEntries(
    Object.entries(input).map(([name, value]) => {
      if (name === 'ZipFile') return [name, Buffer.from(String(value), 'base64')];
      if (name === 'Payload') return [name, Buffer.from(String(value))];
      return [name, name === 'Code' || name === 'Content' ? withBytes(Object(value)) : value];
    }),
  );
}

/** What a function has answered as text, whole or in pieces. */
async function asText(output: Members): Promise<Members> {
  const { Payload, EventStream, ...rest } = output;
  if (Payload instanceof Uint8Array) return { ...rest, Payload: Buffer.from(Payload).toString() };
  if (EventStream === undefined) return rest;
  const pieces: Uint8Array[] = [];
  for await (const { PayloadChunk } of EventStream as AsyncIterable<sdk.InvokeWithResponseStreamResponseEvent>)
    pieces.push(PayloadChunk?.Payload ?? new Uint8Array());
  return { ...rest, Payload: Buffer.concat(pieces).toString() };
}
